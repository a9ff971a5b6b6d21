"""Assignments for nbgrader: its metadata and its rules for the release version, held to without nbgrader itself.

That nbgrader takes them was tried with version 0.9.6: its `generate_assignment` makes the same release, byte for
byte; its `autograde`, by the README's own commands, gives full points to the solution, to one with another kernel and
to one whose file was renamed, and none to the untouched release and to answers that replace `must_pass` or `grade`.
"""

import ast
import json
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from groundup.errors import UserError
from groundup.notebooks.run import execute
from groundup.ops.activations import softmax
from groundup.ops.norms import layer_norm
from groundup.practice import course, nbgrader
from groundup.practice.exercise import Exercise, Wrong
from groundup.practice.registry import all_exercises, find_exercise, lesson_of
from groundup.practice.starter import solution, starter

SOFTMAX = find_exercise("softmax")
#: The schema of nbgrader's cell metadata, version 3, as its documentation gives it.
FIELDS: dict[str, Any] = {
    "schema_version": int, "grade": bool, "solution": bool, "locked": bool, "task": bool, "grade_id": str,
    "points": (int, float), "checksum": str, "cell_type": str,
}  # fmt: skip


def made_up(**fields):
    """An exercise that no lesson has."""
    wrong = tuple(Wrong(str(number), "", "") for number in range(3))
    record = {
        "title": "t",
        "task": "t",
        "hints": ("", "", ""),
        "why": "",
        "difficulty": 1,
        "minutes": 1,
        "wrong": wrong,
    }
    return Exercise(**{**record, "cases": lambda rng: iter(()), **fields})


class Tape:
    """Has the method that TAPE asks for."""

    def record(self, call):
        """Keep a call."""


TAPE = '''
class Tape:
    """Remembers."""

    def __init__(self):
        self.calls = []

    def record(self, call):
        """Keep a call."""
        self.calls += [call]
        return len(self.calls)

    def __len__(self):
        return len(self.calls)
'''.strip()
STUB = "# YOUR CODE HERE\n        raise NotImplementedError()\n"


def as_notebook(record):
    return nbformat.reads(nbgrader.dumps(record), as_version=4)


@pytest.fixture(params=all_exercises(), ids=lambda exercise: exercise.name)
def exercise(request):
    return request.param


@pytest.mark.parametrize("version", ["source", "release"])
def test_metadata_is_what_nbgrader_documents(exercise, version):
    record = nbgrader.notebook(exercise)
    cells = as_notebook(record if version == "source" else nbgrader.released(record)).cells
    abouts = [cell.metadata.nbgrader for cell in cells]
    for cell, about in zip(cells, abouts, strict=True):
        assert set(about) <= set(FIELDS)
        assert all(isinstance(about[name], FIELDS[name]) for name in about)
        assert {"schema_version", "grade", "solution", "locked", "grade_id"} <= set(about)
        assert about.schema_version == 3
        assert re.fullmatch(r"[a-zA-Z0-9_\-]+", about.grade_id)
        assert ("points" in about) == about.grade
        assert ("checksum" in about) == ("cell_type" in about) == (version == "release")
        assert about.get("cell_type", cell.cell_type) == cell.cell_type
        assert cell.metadata.get("deletable", True) == (version == "source")
        assert cell.metadata.get("editable", True) == (version == "source" or about.solution)
    assert len({about.grade_id for about in abouts}) == len(abouts)
    kinds = [
        (cell.cell_type, about.grade, about.solution, about.locked) for cell, about in zip(cells, abouts, strict=True)
    ]
    assert kinds == [
        ("markdown", False, False, True),  # read-only
        ("code", False, True, False),  # autograded answer
        ("code", True, False, True),  # autograder tests
    ]
    assert abouts[2].points == exercise.difficulty
    nbformat.validate(as_notebook(record))


def test_the_marked_solution_is_the_solution(exercise):
    text = nbgrader.answer(exercise)
    assert text.count(nbgrader.BEGIN) == text.count(nbgrader.END) == len(exercise.functions)
    assert statements(text) == statements(solution(exercise))
    order = [name for line in text.splitlines() for name in (nbgrader.BEGIN, nbgrader.END) if name in line]
    assert order == [nbgrader.BEGIN, nbgrader.END] * len(exercise.functions)


def statements(text):
    return sorted(ast.dump(node) for node in ast.parse(text).body)


def test_the_release_has_the_starters_signatures_and_no_solution(exercise):
    text = nbgrader.released(nbgrader.notebook(exercise))["cells"][1]["source"]
    assert nbgrader.BEGIN not in text
    assert nbgrader.END not in text
    assert text.count("raise NotImplementedError()") == len(exercise.functions)
    assert outline(ast.parse(text)) == outline(ast.parse(starter(exercise)), exercise.keep == "signature")


def outline(tree, cut=True):
    """Names, parameters and docstrings of what a module defines, and of the methods in it."""
    return {
        (getattr(node, "name", ""), ast.unparse(node.args) if isinstance(node, ast.FunctionDef) else "",
         ast.get_docstring(node))
        for top in ast.iter_child_nodes(tree)
        for node in [top, *(ast.iter_child_nodes(top) if isinstance(top, ast.ClassDef) else [])]
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }  # fmt: skip


def test_helpers_that_the_starter_does_not_give_are_part_of_the_solution():
    text = nbgrader.answer(SOFTMAX)
    assert text.index(nbgrader.BEGIN) < text.index("def subtract_maximum") < text.index(nbgrader.END)
    assert "subtract_maximum" not in nbgrader.cleared(text)
    assert nbgrader.cleared(text).endswith('"""\n    # YOUR CODE HERE\n    raise NotImplementedError()')


def test_a_backward_alone_a_method_and_two_functions():
    text = nbgrader.answer(made_up(functions=(softmax,), keep="forward", gives=("x",)))
    cleared = nbgrader.cleared(text)
    assert "        # YOUR CODE HERE\n        raise NotImplementedError()\n\n    return y, backward" in cleared
    assert "def subtract_maximum" in cleared  # the forward needs it

    text = nbgrader.answer(made_up(functions=(Tape.record,), name="tape", solution=TAPE))
    assert nbgrader.cleared(text) == TAPE.replace("self.calls += [call]\n        return len(self.calls)\n", STUB)

    helped = "LIMIT = 3\n\n\nclass Bag:\n    pass\n\n\ndef softmax(x):\n    return Bag(), LIMIT\n"
    text = nbgrader.answer(made_up(functions=(softmax,), solution=helped))
    assert (
        nbgrader.cleared(text)
        == "LIMIT = 3\n\n\ndef softmax(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    )

    both = made_up(functions=(softmax, layer_norm), use=lambda f, g: None)
    text = nbgrader.answer(both)
    assert text.count(nbgrader.BEGIN) == 2
    assert nbgrader.cleared(text).count("# YOUR CODE HERE") == 2
    assert statements(text) == statements(solution(both))


def test_checksums_are_nbgraders():
    about = {"grade": True, "solution": False, "locked": True, "grade_id": "t", "points": 3}
    cell = {"cell_type": "code", "source": "x = 1\ny = 'ü'", "metadata": {"nbgrader": about}}
    assert nbgrader.checksum(cell) == "428f2b6d1ef3666cf29af186c28badf2"  # what nbgrader 0.9.6 says
    about.update(grade=False, solution=True, locked=False)
    assert nbgrader.checksum(cell) == "1c713655ef6aa1c3b382860118123c2f"


def test_stubs_are_put_in_as_nbgrader_does():
    text = "a\n  ### BEGIN SOLUTION\n  b\n  c\n  ### END SOLUTION\nd\n### BEGIN SOLUTION\ne\n### END SOLUTION"
    assert nbgrader.cleared(text) == (
        "a\n  # YOUR CODE HERE\n  raise NotImplementedError()\nd\n# YOUR CODE HERE\nraise NotImplementedError()"
    )


def test_in_a_kernel_the_solution_passes_and_the_release_does_not(tmp_path):
    source = nbgrader.notebook(SOFTMAX)
    starter_cell, test_cell = nbgrader.released(source)["cells"][1:]
    lines = "\n".join("    " + line for line in test_cell["source"].splitlines())
    test_cell["source"] = f"try:\n{lines}\nexcept AssertionError as error:\n    print('refused:', error)"
    for cell in (starter_cell, test_cell):
        cell["id"] += "_release"
    source["cells"] += [starter_cell, test_cell]
    done = execute(as_notebook(source), tmp_path)
    assert done.cells[2].outputs[0]["text"].startswith("softmax: passed")
    assert done.cells[4].outputs[0]["text"].startswith("refused: softmax: not")


def test_without_an_answer_there_are_no_points():
    with pytest.raises(AssertionError, match="layer_norm is not defined"):
        eval("must_pass('layer_norm')", {"must_pass": nbgrader.must_pass})


def test_a_course_folder(tmp_path):
    files = nbgrader.export_course([SOFTMAX], tmp_path / "course")
    lesson = lesson_of(SOFTMAX).folder.name
    assert [path.relative_to(tmp_path / "course").as_posix() for path in files] == [
        f"source/{lesson}/softmax.ipynb", f"release/{lesson}/softmax.ipynb", "nbgrader_config.py", "README.md",
    ]  # fmt: skip
    for path in files[:2]:
        nbformat.validate(json.loads(path.read_text()))
    compile(files[2].read_text(), "nbgrader_config.py", "exec")
    assert f"generate_assignment --force {lesson}" in files[3].read_text()
    before = {path: path.stat().st_mtime_ns for path in files}
    assert nbgrader.export_course([SOFTMAX], tmp_path / "course") == files
    assert all(path.stat().st_mtime_ns >= when for path, when in before.items())


def test_what_a_teacher_changed_is_not_overwritten(tmp_path):
    config = tmp_path / "nbgrader_config.py"
    config.write_text("c = mine")
    with pytest.raises(UserError, match="nothing was written"):
        nbgrader.export_course([SOFTMAX], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["nbgrader_config.py"]
    assert config.read_text() == "c = mine"
    config.unlink()
    nbgrader.export_course([SOFTMAX], tmp_path)
    with pytest.raises(UserError, match=r"softmax\.ipynb is there already"):
        nbgrader.export_course([replace(SOFTMAX, minutes=99)], tmp_path)


def cells_of(text: str, *before: str) -> list[Any]:
    """A student's notebook: cells of their own, the answer, the test."""
    made = nbgrader.released(nbgrader.notebook(SOFTMAX))["cells"]
    made[1]["source"] = text
    own = [{"cell_type": "code", "metadata": {}, "source": one, "outputs": []} for one in before]
    return [made[0], *own, *made[1:]]


AWARDS = {  # points that a student gives themselves in the kernel
    "must_pass": "import groundup.practice.nbgrader as n\nn.must_pass = print\nsoftmax = 1\n",
    "grade": "import groundup.practice.grading.grader as g\n"
    "g.grade = lambda *a, **k: type('V', (), {'passed': True, 'text': lambda s: ''})()\n"
    "def softmax(x, axis=-1): pass\n",
    "the test's cell": "def must_pass(name): pass\ndef softmax(x, axis=-1): pass\n",
}


@pytest.mark.parametrize("name", AWARDS)
def test_nobody_awards_themselves_points(name: str):
    cells = cells_of(AWARDS[name])
    assert course.exercise_of(cells[-1]) is SOFTMAX
    assert not course.graded(SOFTMAX, cells, len(cells) - 1).passed


def test_the_source_of_the_answer_is_graded():
    for cells in (
        cells_of(solution(SOFTMAX)),
        cells_of("%matplotlib inline\n" + solution(SOFTMAX)),
        cells_of(solution(SOFTMAX), "import matplotlib.pyplot as plt"),
        cells_of("def softmax(x, axis=-1):\n    return mine(x, axis)", solution(SOFTMAX) + "\nmine = softmax"),
    ):
        verdict = course.graded(SOFTMAX, cells, len(cells) - 1)
        assert verdict.passed, verdict.text()
        assert course.outputs(verdict)[0]["output_type"] == "stream"
    untouched = nbgrader.released(nbgrader.notebook(SOFTMAX))["cells"]
    verdict = course.graded(SOFTMAX, untouched, len(untouched) - 1)
    assert course.outputs(verdict)[0]["output_type"] == "error"


def test_only_tests_of_exercises_are_graded():
    cells = cells_of("")
    assert [course.exercise_of(cell) for cell in cells] == [None, None, SOFTMAX]
    for about in (
        {},
        {"nbgrader": 3},
        {"nbgrader": {"grade_id": 4, "grade": True}},
        {"nbgrader": {"grade_id": "x_test"}},
    ):
        assert course.exercise_of({"metadata": about}) is None


def test_a_renamed_notebook_gets_its_name_back(tmp_path):
    folder = tmp_path / "submitted" / "ada" / "p00"
    folder.mkdir(parents=True)
    text = json.dumps({"cells": cells_of("x = 1")})
    (folder / "my softmax (1).ipynb").write_text(text)
    (folder / "broken.ipynb").write_text("{")
    assert course.put_names_right(tmp_path / "submitted") == [folder / "softmax.ipynb"]
    assert (folder / "softmax.ipynb").read_text() == text
    assert course.put_names_right(tmp_path / "submitted") == []


def test_nbgraders_steps_run_no_notebook(monkeypatch):
    """With stand-ins for nbgrader's modules: what is exported replaces the one step that would run a notebook."""
    execute_step, other = type("Execute", (), {}), type("SaveAutoGrades", (), {})
    steps = SimpleNamespace(default=lambda: [execute_step, other])
    converter = SimpleNamespace(Autograde=SimpleNamespace(autograde_preprocessors=steps))
    theirs = SimpleNamespace(Execute=execute_step, NbGraderPreprocessor=type("Base", (), {}))
    modules = {"nbgrader.converters.autograde": converter, "nbgrader.preprocessors": theirs}
    monkeypatch.setattr(course.importlib, "import_module", modules.__getitem__)
    ours, kept = course.preprocessors()
    assert kept is other
    book = nbformat.from_dict(
        {"cells": cells_of(solution(SOFTMAX)), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )
    book, _ = ours().preprocess(book, {})
    assert book.cells[-1].outputs[0].text.startswith("softmax: passed")
