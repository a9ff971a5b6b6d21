"""Links from equations to code and from NumPy to PyTorch: complete in every lesson, and found where they should be."""

import functools
import re

import pytest

from groundup.lessons import all_lessons, find_lesson
from groundup.notebooks import build as notebooks
from groundup.notebooks.source_modules import Library
from groundup.reader.links import Twin, definitions, marks, twins

LESSONS = all_lessons()
LIBRARY = Library()
MARKED = [
    pytest.param(lesson, number, id=f"{lesson.slug}-{number}")
    for lesson in LESSONS
    for number, places in lesson.equations.items()
    if places
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


@functools.cache
def cells_with(lesson, function):
    """The cells that define a function, or the one that ``cell:name`` means."""
    return [
        (name, source)
        for name, source in cells_of(lesson)
        if function == f"cell:{name}" or function in definitions(source)
    ]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_every_numbered_equation_is_in_the_record(lesson):
    tags = re.findall(r"\\tag\{([^}]*)\}", lesson.text.read_text())
    assert tags, "no numbered equation"
    assert tags == list(lesson.equations), "the record names other equations, or in another order"


@pytest.mark.parametrize(("lesson", "number"), MARKED)
def test_every_fragment_is_on_one_line_of_its_function(lesson, number):
    for function, fragments in lesson.equations[number].items():
        cells = cells_with(lesson, function)
        assert cells, f"no cell has {function}"
        for fragment in fragments:
            assert fragment.strip(), function
            found = [marks(source, name, {number: {function: (fragment,)}}) for name, source in cells]
            assert max(map(len, found)) == 1, f"{function} does not have {fragment!r}"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_all_marks_of_a_lesson_at_once(lesson):
    found = {number for name, source in cells_of(lesson) for _, number in marks(source, name, lesson.equations)}
    assert found == {number for number, places in lesson.equations.items() if places}
    assert sum(map(bool, lesson.equations.values())) > len(lesson.equations) / 2


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
    name, source = next(cell for cell in code_cells(lesson, "numpy") if cell[0] == "attend")
    lines = source.splitlines()
    at = {(lines[line - 1].strip(), number) for line, number in marks(source, name, lesson.equations)}
    assert ("y = weights @ value", "8") in at
    assert ("y = weights @ value", "1") in at
    assert ("return y * (dy - inner)  # dL/dx_i = y_i (dL/dy_i - Σ_j y_j dL/dy_j)", "6") in at
    assert ("total = e.sum(axis=axis, keepdims=True)", "3") in at


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


def test_marks_are_lines_of_code():
    equations: dict[str, dict[str, tuple[str, ...]]] = {
        "2": {"outer": ("y = a",), "Layer.width": ("z = 1",)},
        "1": {"outer.inner": ("b * 2",), "RATE": ("0.5",), "cell:here": ("functools.cache", "import functools")},
        "3": {"outer": ("b * 2",)},
        "4": {"elsewhere": ("x",)},
        "5": {},
    }
    found = [(1, "1"), (3, "1"), (6, "1"), (13, "1"), (13, "3"), (15, "2"), (27, "2")]
    assert marks(SOURCE, "here", equations) == found
    assert marks(SOURCE, "there", equations) == found[1:2] + found[3:]


def test_a_fragment_on_two_lines_is_refused():
    message = r"equation 7: 'return' is on 2 lines of outer in cell 'here' \(lines 13, 16\)"
    with pytest.raises(ValueError, match=message):
        marks(SOURCE, "here", {"7": {"outer": ("return",)}})
    assert marks(SOURCE, "here", {"7": {"outer.inner": ("return",)}}) == [(13, "7")]


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
