"""The planner: what a cell depends on, what has to run again, and that real lessons run by its plans."""

import ast
import contextlib
import copy
import io
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from groundup.lessons import find_lesson
from groundup.reader import cells as cells_module
from groundup.reader.cells import Planner, needs


def named(*sources: str) -> list[tuple[str, str]]:
    """Cells a, b, c, …"""
    return [(chr(ord("a") + index), source) for index, source in enumerate(sources)]


def last_needs(*sources: str) -> str:
    return "".join(list(needs(named(*sources)).values())[-1])


@pytest.mark.parametrize(
    ("sources", "wanted"),
    [
        (["x = 1", "x = 2", "x"], "b"),  # the last binding before it
        (["x = 1", "y = x", "z = 3", "y"], "ab"),  # of what it depends on too
        (["x = 1", "print(1)", "x", "x = 2"], ""),
        (["import numpy as np", "np.ones(3)"], "a"),
        (["from math import pi as p", "pi = 3", "p"], "a"),
        (["class A: pass", "A()"], "a"),
        (["for i in (1,): pass", "i"], "a"),
        (["import io\nwith io.StringIO() as f: pass", "f"], "a"),
        (["(n := 4)", "n"], "a"),
        (["[m := k for k in (1,)]", "k = 2", "m"], "a"),
        (["match 3:\n    case whole: pass", "whole"], "a"),
        (["try:\n    pass\nexcept ValueError as error: pass", "error"], "a"),
        (["a, (b, *c) = 1, (2, 3)", "c"], "a"),
        # changed in place, between binding and use
        (["x = [0]", "x[0] = 1", "x"], "ab"),
        (["x = [[0]]", "x[0][0] = 1", "x"], "ab"),
        (["import types\nx = types.SimpleNamespace()", "x.y = 1", "x"], "ab"),
        (["x = 1", "x += 1", "x"], "ab"),
        (["x = []", "x.append(1)", "x"], "ab"),
        (["x = {}", "x['a'].b.append(1)", "x"], "ab"),
        (["x = [1]", "del x[0]", "x"], "ab"),
        (["x = [2, 1]", "rng = random.Random(0)\nrng.shuffle(x)", "x"], "ab"),  # given, result thrown away
        (["x = [1]", "def train(y): y.append(1)", "train(x)", "x"], "abc"),
        (["x = [1]", "for i in (1, 2):\n    optimiser.update(x, i)", "x"], "ab"),
        (["x = [1]", "y = sum(x)", "x"], "a"),
        (["x = [1]", "axes = figure()\naxes.plot(x)\nheatmap(axes, x)\ndraw_all(x)", "x"], "a"),
        (["x = [1]\ndef f(y): return y", "train(x, f)", "f(1)"], "a"),  # a function stays what it is
        (["x = []", "y = x.copy()", "x"], "a"),
        (["x = []", "print(x)", "x"], "a"),
        (["x = []", "x.append(1)", "x = 3", "x"], "c"),
        (["x = []", "for i in (1, 2):\n    x.append(i)", "x"], "ab"),
        (["x = 1", "if x:\n    x = 2", "x"], "ab"),  # perhaps bound anew: both count
        (["x = 1", "if 1:\n    x = 2\nelse:\n    x = 3", "x"], "b"),
        (["import matplotlib.pyplot as plt", "plt.plot([1])\nplt.show()", "plt.plot([2])"], "a"),
        (["PACKAGE_DATA = {}\ndef data(f): return PACKAGE_DATA[f]", 'PACKAGE_DATA["f"] = """x"""', "data('f')"], "ab"),
        # functions' bodies
        (["s = 2", "def f(x): return s * x", "f(1)"], "ab"),
        (["def f(x): return s * x", "s = 2", "f(1)"], "ab"),  # bound below the function, above its caller
        (["s = 1", "def f(): return s", "s = 2", "f()"], "abc"),
        (["def f(): return g()", "def g(): return s", "s = 1", "f()"], "abc"),
        (["def f(): return s", "h = [f]", "s = 1", "h[0]()"], "abc"),  # called through another name
        (["class A:\n    def m(self): return s", "a = A()", "s = 1", "a.m()"], "abc"),
        (["f = lambda: s", "s = 1", "f()"], "ab"),
        (["s = 1", "def f(s): return s", "f(2)"], "b"),  # its own
        (["s = 1", "def f():\n    s = 2\n    return s", "f()"], "b"),
        (["s = 1", "def f():\n    def g(): return s\n    return g()", "f()"], "ab"),
        (["s = 1", "def f(): return [s for s in (1,)]", "f()"], "b"),
        (["s = 1", "def f(): return [s for t in (1,)]", "f()"], "ab"),
        (["d = 1", "def f(x=d): return x", "f()"], "ab"),
        (["T = int", "def f(x: T) -> T: return x", "f(1)"], "ab"),
        (["w = print", "@w\ndef f(): pass", "f"], "ab"),
        (["B = object", "class A(B): pass", "A"], "ab"),
        (["n = 0", "def f():\n    global n\n    n += 1", "f()"], "ab"),
        # bound by itself before: nothing needed
        (["x = 1", "x = 2\nx"], ""),
        (["x = 1", "x = x + 1"], "a"),
        (["x = 1", "for x in (1,): x"], ""),
        (["t = 1", "for i in (1,):\n    t = 2\nt"], ""),
        (["t = 1", "while t: t = 0"], "a"),
        (["i = 1", "[i for i in (1,)]"], ""),
        (["i = (1,)", "[i for i in i]"], "a"),
        # cannot be parsed: depends on nothing, but who needs what it means to define meets its error
        (["x = 1", "x +"], ""),
        (["x = 1", "def f(:\n    return x", "f(1)"], "b"),
        (["f = 1", "x = (", "f"], "a"),
    ],
)
def test_what_a_cell_depends_on(sources: list[str], wanted: str) -> None:
    assert last_needs(*sources) == wanted


class Book:
    """A planner whose plans are carried out."""

    def __init__(self, *sources: str) -> None:
        self.cells, self.planner = named(*sources), Planner()

    def edit(self, cell: str, source: str) -> None:
        self.cells = [(name, source if name == cell else old) for name, old in self.cells]

    def run(self, target: str, fails: str = "") -> str:
        plan = self.planner.plan(self.cells, target)
        for name in plan:
            if name == fails:
                break
            self.planner.ran(name)
        return "".join(plan)


def test_what_has_run_does_not_run_again_but_the_target_always_does() -> None:
    book = Book("x = f(1)", "y = g(x)", "z = h(y)")
    assert [book.run("c"), book.run("c"), book.run("b"), book.run("c")] == ["abc", "c", "b", "c"]


def test_an_edit_runs_again_with_all_between_it_and_the_target() -> None:
    book = Book("def f(): return 1", "y = f()", "unrelated = 1", "z = y")
    assert book.run("d") == "abd"
    book.edit("a", "def f(): return 2")
    assert book.run("c") == "c"
    assert book.run("d") == "abd"
    assert book.run("d") == "d"
    book.edit("a", "def f(): return 3")
    assert book.run("a") == "a"  # the reader runs the edited cell itself
    assert book.run("d") == "bd"
    book.edit("a", "def f(): return 2 +")
    assert book.run("d", fails="a") == "abd"  # and meets its error
    assert book.run("d", fails="a") == "abd"


def test_a_cell_that_failed_has_not_run() -> None:
    book = Book("x = 1", "y = 1 / x", "y")
    assert book.run("c", fails="b") == "abc"
    assert book.run("c", fails="b") == "bc"
    assert book.run("c") == "bc"
    assert book.run("c") == "c"
    assert book.run("b", fails="b") == "b"
    assert book.run("c") == "bc"  # it may have failed halfway


def test_reset_forgets() -> None:
    book = Book("x = 1", "x")
    book.run("b")
    book.planner.reset()
    assert book.run("b") == "ab"


def test_running_definitions_again_changes_nothing_but_running_a_computation_does() -> None:
    book = Book("import random\ndef f(): return random.random()", "x = f()", "y = x")
    assert book.run("c") == "abc"
    assert [book.run("a"), book.run("c")] == ["a", "c"]
    assert [book.run("b"), book.run("c")] == ["b", "c"]
    book = Book("class A: pass", "a = A()", "isinstance(a, A)")
    assert book.run("c") == "abc"
    assert [book.run("a"), book.run("c")] == ["a", "bc"]  # the old object is not of the new class


def test_a_name_that_another_cell_has_taken_since_is_made_again() -> None:
    book = Book("rng = make(0)", "x = rng.normal()", "rng = make(1)", "y = rng.normal()")
    assert book.run("d") == "cd"
    assert book.run("b") == "ab"
    assert book.run("d") == "cd"
    assert book.run("d") == "d"


def test_running_a_cell_again_begins_where_it_began_the_first_time() -> None:
    book = Book("x = 1", "x = x + 1", "x")
    assert book.run("b") == "ab"
    assert book.run("b") == "ab"
    assert book.run("c") == "c"
    book = Book("x = [1]", "x[0] += 1")
    assert [book.run("b"), book.run("b")] == ["ab", "ab"]
    book = Book("model = build()", "model.eval()", "model(1)")  # a method may change nothing: not built again
    assert [book.run("c"), book.run("b"), book.run("c")] == ["abc", "b", "c"]


def test_cells_may_come_and_go() -> None:
    book = Book("x = f(1)", "y = x")
    assert book.run("b") == "ab"
    book.cells.insert(1, ("new", "x = 2"))
    assert book.run("b") == "newb"
    del book.cells[1]
    assert book.run("b") == "ab"
    with pytest.raises(ValueError, match="not in list"):
        book.planner.plan(book.cells, "new")


def test_it_needs_only_the_standard_library() -> None:
    tree = ast.parse(Path(cells_module.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)


def lesson_cells(name: str) -> list[tuple[str, str]]:
    pytest.importorskip("jupytext")
    from groundup.notebooks.build import build

    notebook = build(find_lesson(name).text, "numpy")
    assert notebook is not None
    return [(cell.id, cell.source) for cell in notebook.cells if cell.cell_type == "code"]


def test_the_last_figure_of_self_attention_needs_its_data_and_training() -> None:
    found = needs(lesson_cells("self_attention"))
    assert {"imports", "deal", "card-reader", "multi-head", "tools", "train", "reader-weights"} <= set(
        found["heads-picture"]
    )
    assert not {"speed-up", "scale-picture", "blocks-memory", "order-picture"} & set(found["heads-picture"])
    assert "train" not in found["gradient-check-run"]


def test_a_data_cell_is_needed_by_who_reads_the_data() -> None:
    found = needs(lesson_cells("char_rnn"))
    assert "data-austen-txt-gz" in found["text-parts"]
    assert "data-austen-txt-gz" not in found["gradient-check-run"]


SLOW = {
    "tiny_decoder": {"train", "cache-times", "cache-equal", "cache-memory"},
    "p00": {"train", "v-measure"},
}


@pytest.mark.parametrize("lesson", SLOW)
def test_every_cell_runs_on_what_it_needs_alone(lesson: str) -> None:
    cells = lesson_cells(lesson)
    sources, found, runs = dict(cells), needs(cells), Runs()
    tried = 0
    for target, before in found.items():
        plan = [*before, target]
        if SLOW[lesson].isdisjoint(plan) and not is_definition(sources[target]):
            runs.carry_out(plan, sources)
            tried += 1
    assert tried > 5


def is_definition(source: str) -> bool:
    return all(
        isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
        for node in ast.parse(source).body
    )


class Runs:
    """Carries out plans, each with the names that its own cells have made and no other.

    A plan with all cells of an earlier one whose last cell took more than a second begins with what that one left, as
    a reader's kernel does.
    """

    def __init__(self) -> None:
        # One dict: functions look names up in the one that they were defined in.
        self.namespace: dict[str, Any] = {}
        self.kept: list[tuple[set[str], dict[str, Any]]] = [(set(), {"__name__": "__main__"})]

    def carry_out(self, plan: Sequence[str], sources: Mapping[str, str]) -> None:
        import matplotlib.pyplot as plt

        done, names = max((one for one in self.kept if one[0] <= set(plan)), key=lambda one: len(one[0]))
        self.namespace.clear()
        self.namespace.update(copied(names))
        seconds = 0.0
        with contextlib.redirect_stdout(io.StringIO()):
            for name in plan:
                if name not in done:
                    began = time.perf_counter()
                    exec(compile(sources[name], name, "exec"), self.namespace)
                    seconds = time.perf_counter() - began
                    plt.close("all")
        if seconds > 1:
            self.kept.append((set(plan), copied(self.namespace)))


def copied(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """All values apart from the originals; modules, which have no copies, themselves."""
    themselves: dict[int, Any] = {id(value): value for value in namespace.values() if isinstance(value, ModuleType)}
    return copy.deepcopy({name: value for name, value in namespace.items() if name != "__builtins__"}, themselves)
