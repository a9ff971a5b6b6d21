"""Links from equations to code and from NumPy to PyTorch: complete in every lesson, and found where they should be."""

import functools
import re
from pathlib import Path

import pytest

import groundup
from groundup.lessons import all_lessons, find_lesson
from groundup.notebooks import build as notebooks
from groundup.notebooks.source_modules import Library
from groundup.reader.links import Twin, definitions, marks, numbered, own_names, twins

LESSONS = all_lessons()
LIBRARY = Library()
SRC = Path(groundup.__file__).parent
NAMED = [
    pytest.param(lesson, number, name, id=f"{lesson.slug}-{number}-{name}")
    for lesson in LESSONS
    for number, names in lesson.equations.items()
    for name in names
]
TWINS = [
    pytest.param(lesson, function, id=f"{lesson.slug}-{function}") for lesson in LESSONS for function in lesson.twins
]


@functools.cache
def code_cells(lesson, track):
    """The code of a built notebook: (name, source)."""
    notebook = notebooks.build(lesson.text, track, None, LIBRARY)
    cells = notebook.cells if notebook is not None else []
    return [(cell.metadata.get("name", cell.id), cell.source) for cell in cells if cell.cell_type == "code"]


@functools.cache
def cells_of(lesson):
    return [cell for track in ("numpy", "torch") for cell in code_cells(lesson, track)]


def tags_of(lesson):
    return re.findall(r"\\tag\{([^}]*)\}", lesson.text.read_text())


@functools.cache
def marked(lesson):
    """The numbers of equations that some line of some cell computes, by a comment of its own."""
    own = own_names(lesson.folder)
    return {number for _, source in cells_of(lesson) for _, number in marks(source, {}, own)}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_every_equation_is_linked_or_said_to_have_no_code(lesson):
    tags = tags_of(lesson)
    assert tags, "no numbered equation"
    assert len(set(tags)) == len(tags)
    named = {number for number, names in lesson.equations.items() if names}
    nowhere = lesson.equations.keys() - named
    assert set(tags) == marked(lesson) | named | nowhere
    assert not nowhere & marked(lesson)
    assert list(lesson.equations) == [tag for tag in tags if tag in lesson.equations], "the record has another order"
    assert len(nowhere) < len(tags) / 2


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_every_comment_of_a_lesson_is_shown_by_a_cell(lesson):
    """A link in code that no cell holds leads nowhere, and one with a number that the text lacks is a mistake."""
    files = {path: path.read_text() for path in lesson.folder.glob("*.py")}
    lines = {
        (text.splitlines()[line - 1].strip(), number)
        for text in files.values()
        for line, numbers in numbered(text)
        for number in numbers
    }
    own = own_names(lesson.folder)
    shown = {
        (source.splitlines()[line - 1].strip(), number)
        for _, source in cells_of(lesson)
        for line, number in marks(source, {}, own)
    }
    assert lines == shown
    assert {number for _, number in lines} <= set(tags_of(lesson))


@pytest.mark.parametrize(("lesson", "number", "name"), NAMED)
def test_the_record_names_functions_of_the_house_that_a_cell_shows(lesson, number, name):
    assert name.partition(".")[0] not in own_names(lesson.folder), "on the lesson's own lines a comment is the link"
    name, _, piece = name.partition(": ")
    holding = [source for _, source in cells_of(lesson) if name in definitions(source)]
    assert holding, f"no cell has {name}"
    lines = [
        line
        for source in holding
        for line in source.splitlines()[slice(definitions(source)[name][0] - 1, definitions(source)[name][1])]
    ]
    assert any(piece in line for line in lines), f"no line of {name} has {piece}"


def test_code_that_serves_many_lessons_has_no_numbers_of_one():
    house = [path for path in SRC.rglob("*.py") if (SRC / "lessons") not in path.parents]
    assert not [(path.name, line) for path in house for line, _ in numbered(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("lesson", "function"), TWINS)
def test_both_ends_of_a_twin_are_shown(lesson, function):
    """Where a cell of the lesson asks for the NumPy function by name, and where one holds the PyTorch code."""
    asked = set(re.findall(r"[\w.]+:(\w+)", " ".join(re.findall(r'include="([^"]*)"', lesson.text.read_text()))))
    twin_source = (lesson.folder / "twin.py").read_text()
    found = [
        twin
        for _, source in code_cells(lesson, "numpy")
        if function.partition(".")[0] in source
        for twin in twins(source, sorted(asked), {function: lesson.twins[function]}, twin_source)
    ]
    assert len(found) == 1
    outer = found[0].name.partition(".")[0]
    assert any(outer in definitions(source) for _, source in code_cells(lesson, "torch"))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_twins_where_there_is_a_twin(lesson):
    assert bool(lesson.twins) == (lesson.folder / "twin.py").exists()


def test_a_known_lesson():
    lesson = find_lesson("self_attention")
    source = "\n".join(source for name, source in code_cells(lesson, "numpy") if name.startswith("attend"))
    lines = source.splitlines()
    found = marks(source, lesson.equations, own_names(lesson.folder))
    at = {(lines[line - 1].partition("  #")[0].strip(), number) for line, number in found}
    assert ("y = weights @ value", "8") in at
    assert ("d_value = weights.swapaxes(-1, -2) @ dy", "9") in at
    for number in ("3", "12"):
        assert ("exponentials = [math.exp(score - largest) for score in scores]", number) in at
    softmax = lines.index("def softmax(x: Array, axis: int = -1) -> tuple[Array, Backward]:") + 1
    assert (softmax, "3") in found
    assert ("def backward(dy: Array) -> Array:", "6") in at


SOURCE = '''\
import functools

RATE = 0.5  # y = a


@functools.cache
@other
def outer(a):
    """y = a in words."""

    def inner(b):
        # y = b
        return b * 2

    y = a  # y = a, said again
    return y + inner(a)


class Layer:
    size: int = 3

    @property
    def width(self):
        """
        z = 1
        """
        z = 1
        return z

    async def run(self): ...


if RATE:

    def late():
        return RATE
'''


def test_definitions():
    assert definitions(SOURCE) == {
        "RATE": (3, 3),
        "outer": (6, 16),
        "outer.inner": (11, 13),
        "Layer": (19, 30),
        "Layer.width": (22, 28),
        "Layer.run": (30, 30),
        "late": (35, 36),
    }
    assert definitions("def f(): ...\n\ndef f():\n    pass\n") == {"f": (3, 4)}
    assert definitions("a = b = 1\nc: int = 2\nd.e = 3\n") == {"a": (1, 1), "b": (1, 1), "c": (2, 2)}


NUMBERED = '''\
x = 1  # (3) words
y = x  # see (3)
# (3) on a line without code
z = [
    x,  # (4), (5a): words (6)
    y,  # (4) (B, T)
]
text = "  # (7)"


@other  # not a function
def ours(x):
    """Sum.  # (7)"""

    def backward(dy):
        return dy  # (1)

    return x, backward


def theirs(x):
    return x  # (1), (2)


THEIRS = 1  # (2)
'''


def test_marks_are_lines_of_code():
    ours = [(1, "3"), (5, "4"), (5, "5a"), (6, "4"), (16, "1")]
    own = {"x", "y", "z", "text", "ours"}
    assert marks(NUMBERED, {}, own) == ours
    assert marks(NUMBERED, {}, {*own, "theirs"}) == [*ours, (22, "1"), (22, "2")]
    named: dict[str, tuple[str, ...]] = {"9": ("theirs", "ours", "elsewhere"), "8": ("ours.backward",), "7": ()}
    assert marks(NUMBERED, named, own) == sorted([*ours, (21, "9"), (12, "9"), (15, "8")])
    pieces: dict[str, tuple[str, ...]] = {"9": ("ours: return ", "ours: nowhere", "elsewhere: x")}
    assert marks(NUMBERED, pieces, own) == sorted([*ours, (16, "9"), (18, "9")])


TORCH = """\
import torch


@torch.no_grad()
def write(model):
    return model


class Net(Module):
    def forward(self, x):
        return x
"""


def test_twins():
    chosen = {"Layer.width": "Net.forward", "outer": "write", "late": "Net", "not_here": "Net"}
    found = twins(SOURCE, ["outer", "Layer", "not_here"], chosen, TORCH)
    assert found == [
        Twin("outer", "write", 6, 16, "@torch.no_grad()\ndef write(model):\n    return model"),
        Twin("Layer.width", "Net.forward", 22, 28, "def forward(self, x):\n    return x"),
    ]
    (net,) = twins(SOURCE, ["late"], chosen, TORCH)
    assert net.source == "class Net(Module):\n    def forward(self, x):\n        return x"
    with pytest.raises(ValueError, match=r"^outer: the PyTorch code has no Net[.]backward$"):
        twins(SOURCE, ["outer"], {"outer": "Net.backward"}, TORCH)
