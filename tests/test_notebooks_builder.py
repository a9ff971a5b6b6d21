"""Building notebooks from a lesson over a small package, and bringing them to the reader's folder."""

import gzip
import importlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from groundup.notebooks.build import (
    FOLDED,
    Notebook,
    Track,
    build,
    dumps,
    fingerprint,
    notebook_name,
    sync,
    write,
)
from groundup.notebooks.run import execute, figures, problems
from groundup.notebooks.source_modules import Library, SourceError

pytest.importorskip("jupytext")

HEADER = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lesson:
#     title: Toy
# ---

"""
OPS = """
import numpy as np

OFFSET = 1

def shift(x):
    return np.asarray(x) + OFFSET

def twice(x):
    return shift(shift(x))
"""
LESSON = """
# %% [markdown] name="intuition" tags=["shared"]
# # Toy
# Text with $x$.

# %% name="shift" include="toy.ops:shift"
# Equation 1.
from toy.ops import shift

# %% name="again" include="toy.ops:shift toy.ops:twice"
from toy.ops import shift, twice

# %% include="toy.ops:shift"
from toy.ops import shift

# %% name="run" alt="a figure"
number = twice([1, 2])
number

# %% [markdown] tags=["findings"]
# The default text.

# %% name="data" tags=["shared"]
values = [1.0]

# %% name="twin" tags=["torch"]
len(values)
"""

WriteLesson = Callable[[str], Path]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A package ``toy`` with one module, OPS."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/__init__.py").touch()
    (tmp_path / "toy/ops.py").write_text(OPS)
    importlib.invalidate_caches()
    return Library("toy")


@pytest.fixture
def lesson(tmp_path: Path) -> WriteLesson:
    """Writes lesson.py below the usual header."""

    def make(text: str) -> Path:
        path = tmp_path / "p01_toy" / "lesson.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEADER + textwrap.dedent(text).lstrip("\n"))
        return path

    return make


def built(path: Path, track: Track = "numpy", findings: str | None = None, library: Library | None = None) -> Notebook:
    notebook = build(path, track, findings, library)
    assert notebook is not None
    return notebook


def test_numpy_notebook(library: Library, lesson: WriteLesson) -> None:
    notebook = built(lesson(LESSON), library=library)
    assert [cell.id for cell in notebook.cells] == [
        "intuition",
        "needs-shift",
        "shift",
        "again",
        "cell-3",
        "run",
        "cell-5",
        "data",
    ]
    sources = [cell.source for cell in notebook.cells]
    assert sources[0] == "# Toy\nText with $x$."
    assert sources[1] == "import numpy as np\n\nOFFSET = 1"
    assert sources[2].startswith("# Equation 1.\ndef shift(x):")
    assert sources[3] == "def twice(x):\n    return shift(shift(x))"
    assert sources[4] == "# `shift`: defined above."
    assert sources[6] == "The default text."
    assert notebook.cells[1].metadata == FOLDED
    assert notebook.cells[2].metadata == {"name": "shift"}
    assert notebook.cells[4].metadata == FOLDED
    assert notebook.cells[5].metadata == {"name": "run", "alt": "a figure"} | FOLDED
    assert notebook.cells[6].metadata == {"tags": ["findings"]}
    assert notebook.metadata.lesson == {"title": "Toy"}
    assert notebook.metadata.groundup.build == fingerprint(notebook)


SHAPED = """
# %% name="all" include="toy.ops:shift toy.ops:twice"{}
# What it gives.
from toy.ops import shift, twice
"""


def test_a_cell_shows_what_it_says_and_folds_what_that_needs(library: Library, lesson: WriteLesson) -> None:
    needs, cell = built(lesson(SHAPED.format(' show="twice"')), library=library).cells
    assert needs.source == "import numpy as np\n\nOFFSET = 1\n\n\ndef shift(x):\n    return np.asarray(x) + OFFSET"
    assert (needs.id, needs.metadata) == ("needs-all", FOLDED)
    assert cell.source == "# What it gives.\ndef twice(x):\n    return shift(shift(x))"
    with pytest.raises(SourceError, match=r'cell "all": it is to show thrice, which it does not bring'):
        built(lesson(SHAPED.format(' show="thrice"')), library=library)


def test_tools_are_folded_whole(library: Library, lesson: WriteLesson) -> None:
    (cell,) = built(lesson(SHAPED.format(' tags=["tools"]')), library=library).cells
    assert cell.source.startswith("# What it gives.\nimport numpy as np\n\nOFFSET = 1\n\n\ndef shift(x):")
    assert cell.metadata == {"name": "all", "tags": ["tools"]} | FOLDED


def test_long_code_is_dealt_out_to_cells_that_run_in_their_order(
    library: Library, lesson: WriteLesson, tmp_path: Path
) -> None:
    body = "".join(f"    x = x + {number}\n" for number in range(20))
    late = "def first(x):\n    return x\n\n\nKEPT = first(1)\n\n\n"
    text = late + "\n\n".join(f"def long_{name}(x):\n{body}    return x\n" for name in "abcd")
    (tmp_path / "toy/ops.py").write_text(text)
    cells = """
    # %% name="open" show="first long_d" include="{}"
    from toy.ops import KEPT, first, long_a, long_b, long_c, long_d
    """
    included = " ".join(f"toy.ops:{name}" for name in ("first", "KEPT", *(f"long_{letter}" for letter in "abcd")))
    notebook = built(lesson(cells.format(included)), library=library)
    assert [cell.id for cell in notebook.cells] == ["needs-open", "needs-open-2", "open-first", "open"]
    assert all(cell.source.count("\n") < 60 for cell in notebook.cells)
    assert notebook.cells[2].source == "def first(x):\n    return x\n\n\nKEPT = first(1)"  # it calls what is shown
    assert notebook.cells[2].metadata == {"name": "open-first", "of": "open"}
    space: dict[str, object] = {}
    for cell in notebook.cells:
        exec(cell.source, space)
    assert space["KEPT"] == 1


def test_torch_notebook_has_its_title_and_the_shared_cells(library: Library, lesson: WriteLesson) -> None:
    path = lesson(LESSON)
    notebook = built(path, "torch", library=library)
    assert [cell.id for cell in notebook.cells] == ["torch-title", "intuition", "data", "twin"]
    assert notebook.cells[0].source.startswith("# Toy: in PyTorch\n\nThe PyTorch part of `p01_toy.ipynb`.")
    without = LESSON.replace('tags=["torch"]', "")
    assert build(lesson(without), "torch", library=library) is None
    with pytest.raises(SourceError, match=r'cell "twin": no cell of the torch .*`values`.*"shared"'):
        built(lesson(LESSON.replace('name="data" tags=["shared"]', 'name="data"')), "torch", library=library)


def test_findings_replace_the_text_of_their_cell_only(library: Library, lesson: WriteLesson) -> None:
    path = lesson(LESSON)
    plain, measured = (built(path, findings=findings, library=library) for findings in (None, "| finding |\n|---|\n"))
    texts = [
        (old.source, new.source)
        for old, new in zip(plain.cells, measured.cells, strict=True)
        if old.source != new.source
    ]
    assert texts == [("The default text.", "| finding |\n|---|")]
    assert plain.metadata.groundup.build != measured.metadata.groundup.build


def test_two_builds_are_equal_byte_by_byte(library: Library, lesson: WriteLesson, tmp_path: Path) -> None:
    path = lesson(LESSON)
    script = (
        "import sys; from pathlib import Path; from groundup.notebooks.build import write, Library; "
        "write(Path(sys.argv[1]), Path(sys.argv[2]), library=Library('toy'))"
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    for seed, folder in enumerate(folders):  # other processes, other orders of sets
        paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
        env = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": paths}
        subprocess.run([sys.executable, "-c", script, str(path), str(folder)], env=env, check=True)
    names = ["p01_toy.ipynb", "p01_toy_torch.ipynb"]
    assert [sorted(file.name for file in folder.iterdir()) for folder in folders] == [names, names]
    for name in names:
        data = (folders[0] / name).read_bytes()
        assert data == (folders[1] / name).read_bytes()
        assert data.endswith(b"}\n")
        assert b"include" not in data


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            '# %% name="a"\nfrom toy.ops import shift',
            r'cell "a", line 1: imports from toy belong in an include cell',
        ),
        (
            '# %% name="a" include="toy.ops:shift"\nfrom toy.ops import twice',
            "include and import lines differ in",
        ),
        (
            '# %% name="a" include="toy.ops:shift"\nfrom toy.ops import shift\nshift(1)',
            'cell "a": only import lines',
        ),
        (
            '# %% name="a" include="toy.ops:gone"\nfrom toy.ops import gone',
            r'"a":1: `gone` is not defined in .*ops',
        ),
        (
            '# %% include="toy.ops:shift"\nfrom toy.ops import shift\n# %% name="b"\nOFFSET = 3',
            'cell "b": `OFFSET` al',
        ),
        (
            '# %% include="toy.ops:shift"\nfrom toy.ops import shift\n# %% name="b"\nnp = 3',
            'cell "b": `np` already',
        ),
        (
            '# %% name="b"\nOFFSET = 3\n# %% include="toy.ops:shift"\nfrom toy.ops import shift',
            "`OFFSET` would stand",
        ),
        ('# %% name="a"\nfor max in [1]: pass', 'cell "a": `max` would hide'),
        ('# %% name="a"\nprint(nowhere)', 'cell "a": no cell of the numpy notebook defines `nowhere`$'),
        ('# %% name="a"\n1\n# %% name="a"\n2', 'cell "a": two cells of this name'),
    ],
)
def test_refuses_cells_that_cannot_stand_alone(library: Library, lesson: WriteLesson, cells: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        built(lesson(cells), library=library)


def test_a_function_may_be_written_before_it_is_included(library: Library, lesson: WriteLesson) -> None:
    cells = """
    # %%
    import numpy as np
    def shift(x): return x
    # %% include="toy.ops:shift"
    from toy.ops import shift
    """
    notebook = built(lesson(cells), library=library)
    assert notebook.cells[1].source == "OFFSET = 1"
    assert notebook.cells[2].source.startswith("def shift(x):")


def test_runs_alone_with_modules_blocked_and_leaves_nothing_behind(
    library: Library, lesson: WriteLesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "user"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    figure = """
    # %% name="figure" alt="an empty frame"
    import matplotlib.pyplot as plt
    from pathlib import Path
    figure, axes = plt.subplots(figsize=(1, 1))
    print(Path.cwd().name)
    import warnings
    warnings.warn("unseen unless PYTHONWARNINGS says so", ResourceWarning)
    """
    notebook = built(lesson(LESSON + textwrap.dedent(figure)), library=library)
    work = tmp_path / "work"
    work.mkdir()
    done = execute(notebook, work, blocked=("toy", "groundup", "torch"))
    assert problems(done) == ['cell "run" has alt but no figure']  # the lesson above draws nothing
    assert figures(done) == 1
    assert figures(notebook) == 0
    assert [output.text for output in done.cells[-1].outputs if "text" in output] == ["work\n"]
    assert done.cells[5].outputs[0].data["text/plain"] == "array([3, 4])"
    assert fingerprint(done) == fingerprint(notebook)
    assert done.metadata == notebook.metadata
    assert dumps(execute(notebook, work, blocked=("groundup",))) == dumps(done)
    assert list(work.iterdir()) == list((tmp_path / "t").iterdir()) == []
    assert not (tmp_path / "user").exists()


def test_a_notebook_carries_its_data(library: Library, lesson: WriteLesson, tmp_path: Path) -> None:
    folder = tmp_path / "toy/data"
    folder.mkdir()
    for name, text in {"__init__": "", "files": "def package_data(name): return open(name)"}.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "a b.gz").write_bytes(gzip.compress(b"1 2 3" * 1000, mtime=0))
    (folder / "text.py").write_text(
        "from toy.data.files import package_data\n"
        "def text(): return package_data('a b.gz').decode()\n"
        "def every(name): return package_data(name)\n"
    )
    cells = """
    # %% include="toy.data.text:text"
    from toy.data.text import text
    # %% include="toy.data.text:text"
    from toy.data.text import text
    # %%
    print(len(text()), text()[:5])
    """
    notebook = built(lesson(cells), library=library)
    assert [cell.id for cell in notebook.cells] == ["needs-cell-0", "cell-0", "data-a-b-gz", "cell-1", "cell-2"]
    (output,) = execute(notebook, tmp_path, blocked=("toy", "groundup")).cells[-1].outputs
    assert output.text == "5000 1 2 3\n"

    with pytest.raises(SourceError, match=r"`package_data\(name\)`: a data file must be named in plain text"):
        build(
            lesson(cells.replace("text:text", "text:every").replace("import text", "import every")),
            library=library,
        )
    (folder / "a b.gz").unlink()
    with pytest.raises(SourceError, match=r"there is no data file a b\.gz"):
        build(lesson(cells), library=library)


def test_a_notebook_carries_what_was_measured(
    library: Library, lesson: WriteLesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "toy/data"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "measured.py").write_text("def measured(lesson, *names): raise FileNotFoundError")
    kept = {"drawn": {"curves": {"rival": {"step": [1, 2], "loss": [0.5, None]}}, "arrays": {"large": [1] * 999}}}
    (tmp_path / "p99_other.json").write_text(json.dumps(kept))
    monkeypatch.setattr("groundup.data.measured.results_folder", lambda: tmp_path)
    cells = """
    # %% include="toy.data.measured:measured"
    from toy.data.measured import measured
    # %% name="rival"
    rival = measured("p99_other", "curves/riv*")["curves/rival"]
    print(rival)
    """
    notebook = built(lesson(cells), library=library)
    assert [cell.id for cell in notebook.cells] == ["needs-cell-0", "cell-0", "measured-rival", "rival"]
    assert "large" not in notebook.cells[2].source
    assert notebook.cells[2].metadata.jupyter.source_hidden
    (output,) = execute(notebook, tmp_path, blocked=("toy", "groundup")).cells[-1].outputs
    assert output.text == "{'step': [1, 2], 'loss': [0.5, None]}\n"

    with pytest.raises(SourceError, match=r'"rival": results/p99_other.json does not keep curves/rivals'):
        build(lesson(cells.replace('"curves/riv*")', '"curves/rivals")')), library=library)
    with pytest.raises(SourceError, match="what is wanted must be named in plain text"):
        build(lesson(cells.replace('"curves/riv*")', 'f"curves/rival")')), library=library)


# The reader's folder

PLAIN = """
# %% name="one"
1 + 1

# %% name="two" tags=["torch"]
2 + 2
"""


def edit(path: Path, source: str) -> bytes:
    notebook = json.loads(path.read_text())
    notebook["cells"][-1]["source"] = source
    path.write_text(json.dumps(notebook))
    return path.read_bytes()


def test_sync_keeps_edits_and_replaces_what_is_untouched(lesson: WriteLesson, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    path = lesson(PLAIN)
    numpy, torch = folder / "p01_toy.ipynb", folder / "p01_toy_torch.ipynb"
    assert [folder / notebook_name(path, track) for track in ("numpy", "torch")] == [numpy, torch]
    assert sync([path], folder).written == [numpy, torch]
    assert sync([path], folder).kept == [numpy, torch]

    mine = edit(numpy, "1 + 41")
    assert sync([path], folder).kept == [numpy, torch]  # edited, but of the newest build

    path = lesson(PLAIN.replace("1 + 1", "1 + 2").replace("2 + 2", "2 + 3"))
    done = sync([path], folder)
    assert (done.outdated, done.replaced, done.written, done.kept) == ([numpy], [torch], [], [])
    assert numpy.read_bytes() == mine
    assert "2 + 3" in torch.read_text()

    done = sync([path], folder, fresh=True)
    aside = folder / "p01_toy (edited 1).ipynb"
    assert (done.moved, done.written, done.kept) == ({numpy: aside}, [numpy], [torch])
    assert aside.read_bytes() == mine
    assert "1 + 2" in numpy.read_text()

    other = edit(numpy, "1 + 99")
    assert sync([path], folder, fresh=True).moved == {numpy: folder / "p01_toy (edited 2).ipynb"}
    assert (aside.read_bytes(), (folder / "p01_toy (edited 2).ipynb").read_bytes()) == (mine, other)
    assert sorted(file.name for file in folder.iterdir() if file.name.startswith(".")) == []


def test_running_a_notebook_is_no_edit(lesson: WriteLesson, tmp_path: Path) -> None:
    path = lesson(PLAIN)
    numpy, torch = write(path, tmp_path)
    run = json.loads(numpy.read_text())
    run["cells"][0].update(outputs=[{"name": "stdout", "output_type": "stream", "text": ["2"]}], execution_count=1)
    # JupyterLab adds an empty cell below the last one that is run.
    run["cells"].append({"cell_type": "code", "id": "x", "metadata": {}, "source": [], "outputs": []})
    numpy.write_text(json.dumps(run))
    assert sync([path], tmp_path).kept == [numpy, torch]
    assert sync([lesson(PLAIN.replace("1 + 1", "1 + 2"))], tmp_path).replaced == [numpy]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [], "metadata": {}}', '{"cells": 3', "\x80"])
def test_sync_never_replaces_a_file_that_is_not_ours(lesson: WriteLesson, tmp_path: Path, text: str) -> None:
    path = tmp_path / "p01_toy.ipynb"
    path.write_bytes(text.encode("latin-1"))
    assert sync([lesson(PLAIN)], tmp_path).outdated == [path]
    assert path.read_bytes() == text.encode("latin-1")
