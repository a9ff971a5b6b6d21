"""What a measurement's hash covers: the definitions and data files that it reaches, and nothing beside them."""

import gzip
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from groundup.lessons import all_lessons, find_lesson
from groundup.notebooks.build import Notebook, build
from groundup.notebooks.source_modules import Library, SourceError
from groundup.proof.hashes import bare_source, definitions_hash, experiment_hash, model_hash
from groundup.reader import executed

FILES = {
    "__init__.py": "",
    "data/__init__.py": "",
    "data/files.py": "def package_data(name):\n    return name\n",
    "data/words.py": (
        "from house.data.files import package_data\n\n\ndef words():\n    return package_data('words.gz')\n\n\n"
        "def others():\n    return package_data('others.gz')\n"
    ),
    "ops.py": (
        "import math\n\nSCALE = 2\nUNUSED = 3\n\n\ndef helper(x):\n    return SCALE * math.sin(x)\n\n\n"
        "def neighbour(x):\n    return x + 1\n\n\nclass Model:\n    def step(self, x):\n        return helper(x)\n\n\n"
        "def twin(x):\n    return -x\n"
    ),
    "experiment.py": (
        "from house.data.words import words\nfrom house.ops import Model\n\nSIZES = {'width': 8}\n\n\n"
        "def run(model: Model):\n"
        '    """What it does."""\n'
        "    from house.ops import twin\n\n"
        "    # why\n"
        "    return model.step(SIZES['width']), words(), twin, '# no comment'\n\n\n"
        "def sample():\n    return 'a'\n"
    ),
}


@pytest.fixture
def hash_with(tmp_path, monkeypatch):
    """``hash_with(file, old, new)``: the hash of the experiment's run after one replacement in one file."""
    monkeypatch.syspath_prepend(tmp_path)

    def run():
        raise NotImplementedError

    run.__module__, run.__qualname__ = "house.experiment", "run"

    def hash_with(file="ops.py", old="", new="", data=b"a"):
        for name, text in FILES.items():
            (tmp_path / "house" / name).parent.mkdir(parents=True, exist_ok=True)
            if name == file:
                assert old in text
                text = text.replace(old, new)
            (tmp_path / "house" / name).write_text(text)
        (tmp_path / "house" / "data" / "words.gz").write_bytes(gzip.compress(data))
        return definitions_hash([run], Library("house"))

    return hash_with


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("ops.py", "return x + 1", "return x + 2"),
        ("ops.py", "UNUSED = 3", "UNUSED = 4"),
        ("ops.py", "def neighbour", "def another():\n    pass\n\n\ndef neighbour"),
        ("ops.py", "def helper(x):", "# A comment.\ndef helper(x):  # and one here\n    'A docstring.'\n"),
        ("experiment.py", "return 'a'", "return 'b'"),
        ("experiment.py", '"""What it does."""', '"""Other\n\n    words."""'),
        ("experiment.py", "# why", "# why not"),
        ("data/words.py", "'others.gz'", "'more.gz'"),
    ],
)
def test_neighbours_and_words_do_not_count(hash_with, file, old, new):
    assert hash_with(file, old, new) == hash_with()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("ops.py", "SCALE = 2", "SCALE = 3"),
        ("ops.py", "SCALE * math.sin(x)", "SCALE + math.sin(x)"),
        ("ops.py", "return helper(x)", "return helper(2 * x)"),
        ("ops.py", "import math", "import numpy as math"),
        ("ops.py", "import math\n", "import math\n\nprint('at import')\n"),
        ("ops.py", "return -x", "return x"),
        ("experiment.py", "{'width': 8}", "{'width': 16}"),
        ("experiment.py", "'# no comment'", "'# no  comment'"),
        ("data/words.py", "return package_data('words.gz')", "return package_data('words.gz')[1:]"),
        ("data/files.py", "return name", "return name[::-1]"),
    ],
)
def test_what_is_reached_counts(hash_with, file, old, new):
    assert hash_with(file, old, new) != hash_with()


def test_a_data_file_counts(hash_with):
    assert hash_with(data=b"b") != hash_with(data=b"a")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("data/words.py", "package_data('words.gz')", "package_data(NAME)", "named in plain text"),
        ("data/words.py", "'words.gz'", "'nowhere.gz'", "no data file nowhere.gz"),
        ("ops.py", "def helper", "def renamed", "`helper` is not defined"),
        ("experiment.py", "from house.ops import twin", "import house.ops as twin", "by name"),
    ],
)
def test_what_cannot_be_followed_is_refused(hash_with, file, old, new, message):
    with pytest.raises(SourceError, match=message):
        hash_with(file, old, new)


def test_texts_keep_their_lines():
    assert bare_source('x = """\n\n a  \n"""  # comment\n\n\ny = 1') == 'x = """\n\n a  \n"""\ny = 1'
    assert bare_source('def f(): "é doc"; return 1') == "def f(): ; return 1"
    assert bare_source('def f():\n    """One\n\n    two"""\n    return "#"') == 'def f():\n    return "#"'


def changed(module: str, old: str, new: str) -> Library:
    path = Library().path(module)
    assert path is not None
    text = path.read_text()
    assert old in text
    return Library(overrides={module: text.replace(old, new)})


def test_real_lessons():
    lesson = find_lesson("alexnet")
    here = experiment_hash(lesson)
    assert experiment_hash(replace(lesson, title="Another", summary="Other words", findings=())) == here
    loop, streams = "groundup.training.loop", "groundup.training.streams"
    assert (
        experiment_hash(lesson, changed(loop, "SECONDS_BETWEEN_CHECKPOINTS = ", "SECONDS_BETWEEN_CHECKPOINTS = 1 + "))
        != here
    )
    assert (
        experiment_hash(lesson, changed(streams, "def random_stream(seed: int", "def random_stream(seed: float"))
        != here
    )
    recurrent = changed("groundup.ops.recurrent", "import numpy as np\n", "import numpy as np\n\nRATE = 1\n")
    for one in all_lessons():
        assert experiment_hash(one, recurrent) == experiment_hash(one)
    model = lesson.models[0]
    assert model_hash(model, {**model.size, "classes": 3}) != model_hash(model, model.size)
    other = replace(model, learner=partial(model.learner, rate=1.0))
    assert model_hash(other, model.size) != model_hash(model, model.size)


def test_an_executed_notebook_goes_stale_with_its_code_its_data_and_its_libraries(monkeypatch):
    lesson = find_lesson("alexnet").text

    def key(library: Library | None = None, **replaced: str) -> str:
        notebook: Notebook = build(lesson, "numpy", library=library)
        for cell in notebook.cells:
            cell.source = replaced.get(cell.id.replace("-", "_"), cell.source)
        return executed.key(notebook, "numpy")

    here = key()
    notebook: Notebook = build(lesson, "numpy", "## Measured\n\nOther words")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source += " more words"
    assert executed.key(notebook, "numpy") == here
    linear = changed("groundup.ops.linear", "def linear(", "def neighbour():\n    pass\n\n\ndef linear(")
    assert key(linear) == here
    reached = changed("groundup.ops.linear", "def linear(", "def linear(*, _=0, ")
    assert key(reached) != here
    assert key(data_mnist10k_gz="PACKAGE_DATA['mnist10k.gz'] = ''") != here
    monkeypatch.setattr(executed, "_version", lambda name: np.__version__ + ("+" if name == "numpy" else ""))
    assert key() != here
