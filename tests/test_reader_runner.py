"""The runner: values, figures, and errors on the reader's own lines."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundup.reader import runner
from groundup.reader.runner import MOST_NAMES, Printed, complete, describe, run_cell


class Notebook:
    """A namespace in which cells run, and what they emit."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []

    def run(self, source: str, cell: str = "one") -> bool:
        self.events.clear()
        self.sources[cell] = source
        return run_cell(cell, source, self.namespace, self.events.append, self.sources)

    @property
    def event(self) -> dict[str, Any]:
        (event,) = self.events
        return event

    def lines(self) -> list[tuple[str, int, str]]:
        return [(line["cell"], line["line"], line["code"]) for line in self.event["lines"]]


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 + 1", "2"),
        ("x = 3\nx", "3"),
        ("'a'", "'a'"),
        ("None", None),
        ("x = 1", None),
        ("3;", None),
        ("", None),
        ("# nothing", None),
        ("class A: pass\nA", "<class '__main__.A'>"),
        ("if 1:\n    5", None),
    ],
)
def test_the_value_of_the_last_line_is_shown(notebook: Notebook, source: str, text: str | None) -> None:
    assert notebook.run(source)
    assert notebook.events == ([] if text is None else [{"type": "value", "cell": "one", "text": text}])


def test_cells_share_a_namespace_and_a_long_value_is_cut(notebook: Notebook) -> None:
    assert notebook.run("x = 'a' * 10**6")
    assert notebook.run("x", "two")
    assert len(notebook.event["text"]) < 21_000
    assert notebook.event["text"].endswith("… (1,000,002 letters in all)")


def test_an_error_names_the_readers_own_lines_only(notebook: Notebook) -> None:
    assert notebook.run("import json\n\ndef read(text):\n    return json.loads(text)", "first")
    assert not notebook.run("x = 1\nread('{')\n", "second")
    assert notebook.event["name"] == "JSONDecodeError"
    assert notebook.event["message"].startswith("Expecting property name")
    assert notebook.lines() == [("second", 2, "read('{')"), ("first", 4, "return json.loads(text)")]


def test_what_ran_before_the_error_is_kept(notebook: Notebook) -> None:
    assert not notebook.run("y = 5\n1 / 0\ny = 6")
    assert notebook.lines() == [("one", 2, "1 / 0")]
    assert notebook.namespace["y"] == 5


def test_a_syntax_error_has_its_line(notebook: Notebook) -> None:
    assert not notebook.run("y = 5\nz = (1,\nw = 2 +\n")
    assert notebook.event["name"] == "SyntaxError"
    assert notebook.lines()[0][:2] in (("one", 2), ("one", 3))
    assert "y" not in notebook.namespace
    assert not notebook.run("if 1:\nx = 2")
    assert (notebook.event["name"], notebook.lines()) == ("IndentationError", [("one", 2, "x = 2")])
    assert not notebook.run("exec('1 +')")  # not the cell's own: shown where it happened
    assert (notebook.event["name"], notebook.lines()) == ("SyntaxError", [("one", 1, "exec('1 +')")])
    assert not notebook.run("return 1")  # found by the compiler, not by the parser
    assert (notebook.event["name"], notebook.lines()) == ("SyntaxError", [("one", 1, "return 1")])


@pytest.mark.parametrize("source", ["x = '\0'", "x = '\ud800'"])
def test_text_that_is_no_program_is_an_error_too(notebook: Notebook, source: str) -> None:
    assert not notebook.run(source)
    assert notebook.event["type"] == "error"


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("raise SystemExit(3)", "SystemExit", "Python goes on"),
        ("import sys\nsys.exit()", "SystemExit", "Python goes on"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "stopped"),
        ("raise GeneratorExit", "GeneratorExit", ""),
        ("class E(Exception):\n    def __str__(self): return 1 / 0\nraise E", "E", "cannot be shown"),
        ("class R:\n    def __repr__(self): return 1 / 0\nR()", "ZeroDivisionError", "division by zero"),
        ("{}['key']", "KeyError", "'key'"),
    ],
)
def test_whatever_is_raised_is_told_and_the_session_lives_on(
    notebook: Notebook, source: str, name: str, message: str
) -> None:
    assert not notebook.run(source)
    assert notebook.event["name"] == name
    assert message in notebook.event["message"]
    assert notebook.run("1")


def test_infinite_recursion_is_cut_short(notebook: Notebook) -> None:
    assert not notebook.run("def f():\n    return f()\n\nf()")
    assert notebook.event["name"] == "RecursionError"
    lines = notebook.lines()
    assert lines[0] == ("one", 4, "f()")
    assert lines[-1] == ("one", 2, "return f()")
    assert len(lines) == runner.OUTERMOST + runner.INNERMOST


def test_open_figures_are_drawn_after_the_cell_and_closed(notebook: Notebook) -> None:
    import matplotlib.pyplot as plt

    source = "import matplotlib.pyplot as plt\nfor k in (1, 2):\n    fig = plt.figure()\n    plt.plot([1, k])\n"
    source += "plt.show()\nfig"
    assert notebook.run(source)
    assert [event["type"] for event in notebook.events] == ["figure", "figure"]  # and no value
    svgs = [event["svg"] for event in notebook.events]
    assert all(svg.startswith("<svg") and svg.rstrip().endswith("</svg>") for svg in svgs)
    assert svgs[0] != svgs[1]
    assert not plt.get_fignums()
    assert notebook.run(source)
    assert [event["svg"] for event in notebook.events] == svgs  # the same drawing, the same text
    assert not notebook.run("plt.plot([1])\n1 / 0")
    assert notebook.event["type"] == "error"
    assert not plt.get_fignums()


def test_pictures_behind_a_slider_come_with_the_figure(notebook: Notebook) -> None:
    source = "import matplotlib.pyplot as plt\nfig = plt.figure()\n"
    assert notebook.run(source + "fig.frames = lambda: {'label': 'h', 'values': ['1'], 'start': 0, 'svg': ['<svg/>']}")
    assert notebook.event["frames"] == {"label": "h", "values": ["1"], "start": 0, "svg": ["<svg/>"]}
    assert notebook.run(source + "None")
    assert "frames" not in notebook.event


@pytest.mark.parametrize("first", ["import matplotlib.pyplot as plt", "from __future__ import annotations"])
def test_show_shows_a_figure_where_it_stands(notebook: Notebook, first: str) -> None:
    import matplotlib.pyplot as plt

    notebook.namespace |= {"plt": plt, "say": lambda text: notebook.events.append({"type": text})}
    loop = "for word in ('before', 'after'):\n    say(word)\n    plt.plot([1, 2])\n    plt.show()"
    assert notebook.run(f"{first}\n{loop}\nsay('end')\nfig = plt.figure()\n0")
    kinds = [event["type"] for event in notebook.events]
    assert kinds == ["before", "figure", "after", "figure", "end", "value", "figure"]


def test_a_future_holds_for_the_whole_cell(notebook: Notebook) -> None:
    source = "from __future__ import annotations\nimport matplotlib\ndef f(x: nowhere): pass\nf.__annotations__['x']"
    assert notebook.run(source)
    assert notebook.event["text"] == "'nowhere'"


def test_input_says_what_to_do_instead() -> None:
    with pytest.raises(RuntimeError, match=r"cannot ask for input\. Write the answer into the code"):
        runner.no_input("Your name? ")


def test_a_figure_that_cannot_be_drawn_is_an_error(notebook: Notebook) -> None:
    assert not notebook.run("import matplotlib.pyplot as plt\nplt.title('$\\\\nonsense$')\nNone")
    assert (notebook.event["type"], notebook.event["name"]) == ("error", "ValueError")
    assert notebook.run("1")


def test_a_figure_with_a_million_parts_comes_as_an_image(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "FIGURE_LIMIT", 1000)
    assert notebook.run("import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])")
    svg = notebook.event["svg"]
    assert svg.startswith("<svg")
    assert "viewBox" in svg
    assert "data:image/png;base64," in svg


def test_matplotlib_is_not_imported_unless_a_cell_does() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(runner.__file__).parent)!r}); import runner\n"
        "runner.run_cell('a', '1', {}, print, {}); sys.exit('matplotlib' in sys.modules or 'groundup' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "{'type': 'value', 'cell': 'a', 'text': '1'}\n"


def test_it_needs_only_the_standard_library() -> None:
    tree = ast.parse(Path(runner.__file__).read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)


def test_of_much_text_the_beginning_and_the_end_are_told() -> None:
    told: list[tuple[str, str]] = []
    printed = Printed(lambda name, text: told.append((name, text)))
    for line in range(100_000):
        printed.write("stdout", f"{line}\n")
    assert told[-1] != ("stdout", "99999\n")
    printed.close()
    whole = "".join(text for _, text in told)
    lost = sum(len(f"{line}\n") for line in range(100_000)) - runner.TEXT_LIMIT
    assert whole.startswith("0\n1\n")
    assert whole.endswith("\n99999\n")
    assert f"({lost:,} letters are left out here.)" in whole
    assert sum(len(text) for name, text in told if name == "stdout") == runner.TEXT_LIMIT
    told.clear()
    printed.close()
    assert told == []


def test_a_little_text_is_told_at_once_and_one_long_line_is_cut_in_its_middle() -> None:
    told: list[tuple[str, str]] = []
    printed = Printed(lambda name, text: told.append((name, text)))
    printed.write("stderr", "first")
    assert told == [("stderr", "first")]
    printed.write("stdout", "x" * 10 * runner.TEXT_LIMIT + "end")
    printed.close()
    assert told[-1][1].endswith("xend")
    assert sum(len(text) for _, text in told) < runner.TEXT_LIMIT + 100


# Names


class Odd:
    """An odd thing."""

    size = 3
    _hidden = 4

    @property
    def broken(self) -> int:
        raise ValueError

    def __call__(self) -> int:
        return 1


def test_names_go_on_with_what_is_there() -> None:
    names = {"odd": Odd(), "oddity": 1, "_own": 2}
    assert complete("odd", names) == ["odd", "oddity"]
    assert complete("odd.", names) == ["broken", "size"]
    assert complete("odd._h", names) == ["_hidden"]
    assert complete("odd.size.r", names) == ["real"]
    assert complete("isin", {}) == ["isinstance"]
    assert complete("lamb", {}) == ["lambda"]
    assert complete("_own", names) == ["_own"]
    for unknown in ("no.where", "odd.broken.x", "odd..", "1.5.", "f().x"):
        assert complete(unknown, names) == []
    assert len(complete("n", {f"n{number}": 0 for number in range(1000)})) == MOST_NAMES


def test_a_name_is_described_by_what_it_stands_for() -> None:
    def double(number: int, times: int = 2) -> int:
        """Return it, and again."""
        return number * times

    names = {"double": double, "odd": Odd(), "x": np.zeros((3, 4), np.float32), "text": "abc", "ast": ast}
    assert describe("double", names) == {
        "head": "double(number: int, times: int = 2) -> int",
        "doc": "Return it, and again.",
    }
    assert describe("x", names) == {"head": "x: ndarray of shape (3, 4), float32", "doc": ""}
    assert describe("text", names) == {"head": "text: str = 'abc'", "doc": ""}
    assert describe("ast.parse", names)["head"].startswith("ast.parse(source")  # type: ignore[index]
    assert "Parse the source" in describe("ast.parse", names)["doc"]  # type: ignore[index]
    assert describe("len", {})["doc"]  # type: ignore[index]
    assert describe("odd.broken", names) is None
    assert describe("nowhere", names) is None
