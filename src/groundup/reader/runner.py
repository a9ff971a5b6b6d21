"""Runs one cell and tells what came of it: its value, its figures, or the error on the reader's own lines.

The local kernel and the browser's Python both load this file as it is: the standard library only, and
matplotlib if a cell has imported it. What a cell prints is the host's affair.
"""

import __future__

import ast
import base64
import builtins
import inspect
import io
import keyword
import linecache
import sys
import traceback
import warnings
from collections import deque
from collections.abc import Callable
from types import CodeType, TracebackType
from typing import Any

Emit = Callable[[dict[str, Any]], None]
#: Letters that one cell may print: the first half is told at once, the last half when it ends.
TEXT_LIMIT = 200_000
#: Letters of a value that are shown.
VALUE_LIMIT = 20_000
#: Letters of an SVG; a figure that needs more (a million points) comes as an image inside an SVG.
FIGURE_LIMIT = 2_000_000
#: Lines of a traceback: the outermost and the innermost; between them, infinite recursion repeats itself.
OUTERMOST, INNERMOST = 4, 8
#: Names that are offered at most, and letters of what is said of one.
MOST_NAMES, TOLD_LIMIT = 300, 3_000


class Printed:
    """What a cell prints, with ``tell(name of the stream, text)``: of too much the beginning and the end."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self.tell = tell
        self.told = self.waits = self.lost = 0  # letters
        self.end: deque[tuple[str, str]] = deque()

    def write(self, name: str, text: str) -> None:
        """The cell has printed something."""
        first = text[: max(0, TEXT_LIMIT // 2 - self.told)]
        self.told += len(first)
        if first:
            self.tell(name, first)
        if rest := text[len(first) :]:
            self.end.append((name, rest))
            self.waits += len(rest)
        while self.waits - len(self.end[0][1] if self.end else "") >= TEXT_LIMIT // 2:
            gone = len(self.end.popleft()[1])
            self.waits, self.lost = self.waits - gone, self.lost + gone

    def close(self) -> None:
        """Tell what waits, and how much is missing before it."""
        if self.end and (more := self.waits - TEXT_LIMIT // 2) > 0:
            name, text = self.end[0]
            self.end[0] = (name, text[more:])
            self.lost += more
        if self.lost:
            self.tell("stderr", f"\n({self.lost:,} letters are left out here.)\n")
        for name, text in self.end:
            self.tell(name, text)
        self.end.clear()
        self.waits = self.lost = 0


def run_cell(cell_id: str, source: str, namespace: dict[str, Any], emit: Emit, sources: dict[str, str]) -> bool:
    """Run a cell in ``namespace``, emit what came of it, and return whether it ran without error.

    `plt.show()` shows the open figures where it stands, between what is printed before and after it.

    ``sources`` are the texts of all cells by id, as they were when they ran: errors quote their lines.
    """

    def draw() -> None:
        for figure in _figures():
            emit({"type": "figure", "cell": cell_id, **figure})

    namespace.setdefault("__name__", "__main__")
    files = {file_name(name): name for name in sources.keys() | {cell_id}}
    for file, name in files.items():
        text = source if name == cell_id else sources[name]
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    try:
        try:
            pieces, last = _compile(source, file_name(cell_id))
        except SyntaxError as error:
            emit(_told(error, error.msg, cell_id, [_line(file_name(cell_id), cell_id, error.lineno or 1)]))
            return False
        for piece in pieces:
            _hear_show(draw)
            exec(piece, namespace)
        _hear_show(draw)
        value = eval(last, namespace) if last else None
        if value is not None and not _is_figure(value):
            text = repr(value)
            if len(text) > VALUE_LIMIT:
                text = f"{text[:VALUE_LIMIT]}… ({len(text):,} letters in all)"
            emit({"type": "value", "cell": cell_id, "text": text})
        draw()
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: the session lives on
        emit(_told(error, _message(error), cell_id, _lines(error.__traceback__, files)))
        return False
    finally:
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close("all")
    return True


def complete(begun: str, namespace: dict[str, Any]) -> list[str]:
    """The names that a dotted name may go on with: of "np.lin" `linalg` and `linspace`. Runs no code of the reader's,
    unless an attribute is computed."""
    path, _, start = begun.rpartition(".")
    try:
        names = dir(_behind(path, namespace)) if path else [*namespace, *dir(builtins), *keyword.kwlist]
    except Exception:
        return []
    fits = {name for name in names if name.startswith(start) and (start[:1] == "_" or name[:1] != "_")}
    return sorted(fits)[:MOST_NAMES]


def describe(name: str, namespace: dict[str, Any]) -> dict[str, str] | None:
    """What a dotted name stands for, in a line, and its docstring; None if nothing is known of it."""
    try:
        value = _behind(name, namespace)
    except Exception:
        return None
    head = f"{name}: {type(value).__name__}"
    if callable(value):
        try:
            head = f"{name}{inspect.signature(value)}"
        except (TypeError, ValueError):  # of built-in functions, the docstring says it
            head = name
    elif hasattr(value, "shape") and hasattr(value, "dtype"):
        head += f" of shape {tuple(value.shape)}, {value.dtype}"
    elif isinstance(value, str | int | float | bool | list | tuple | dict | None):
        head += f" = {repr(value)[:200]}"
    told = callable(value) or inspect.ismodule(value)
    return {"head": head[:TOLD_LIMIT], "doc": (inspect.getdoc(value) or "")[:TOLD_LIMIT] if told else ""}


def _behind(path: str, namespace: dict[str, Any]) -> Any:
    first, *rest = path.split(".")
    value = namespace[first] if first in namespace else getattr(builtins, first)
    for name in rest:
        value = getattr(value, name)
    return value


def no_input(*args: object, **options: object) -> str:
    """What `input` and `getpass` are in a cell: nobody could answer."""
    raise RuntimeError('A cell cannot ask for input. Write the answer into the code, as in name = "Ada".')


def file_name(cell_id: str) -> str:
    """What tracebacks call a cell."""
    return f'cell "{cell_id}"'


def _compile(source: str, file: str) -> tuple[list[CodeType], CodeType | None]:
    """The cell's statements, and the last line where it is an expression whose value is to be shown."""
    tree = ast.parse(source, file)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        expression = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        last = compile(expression, file, "eval", dont_inherit=True)
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            flags |= sum(getattr(__future__, name.name).compiler_flag for name in node.names)
    whole = compile(tree, file, "exec", flags, dont_inherit=True)  # finds the mistakes that only the whole has
    if not any("matplotlib" in ast.dump(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)):
        return [whole], last
    pieces = [ast.Module([node], []) for node in tree.body]
    return [compile(piece, file, "exec", flags, dont_inherit=True) for piece in pieces], last


def _hear_show(draw: Callable[[], None]) -> None:
    """Make `plt.show()` call ``draw`` and close the figures, as in a notebook, once a cell has imported it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return

    def show(*args: object, **options: object) -> None:
        draw()
        pyplot.close("all")

    pyplot.show = show  # type: ignore[attr-defined]


def _told(error: BaseException, message: str, cell_id: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    message = message[:VALUE_LIMIT]
    return {"type": "error", "cell": cell_id, "name": type(error).__name__, "message": message, "lines": lines}


def _message(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "stopped"
    if isinstance(error, SystemExit):
        return "the cell asked Python to exit; Python goes on, and what has run is kept"
    try:
        return str(error)
    except Exception:
        return "(an error whose message cannot be shown)"


def _lines(trace: TracebackType | None, files: dict[str, str]) -> list[dict[str, Any]]:
    """The frames that are in cells, outermost first; the others are in libraries, or ours."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace)]
    places = [place for place in places if place[0] in files]
    if len(places) > OUTERMOST + INNERMOST:
        places = places[:OUTERMOST] + places[-INNERMOST:]
    return [_line(file, files[file], line) for file, line in places]


def _line(file: str, cell_id: str, line: int) -> dict[str, Any]:
    return {"cell": cell_id, "line": line, "code": linecache.getline(file, line).strip()}


def _is_figure(value: object) -> bool:
    """Whether the value is a figure of matplotlib: those are drawn, not written."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)


def _figures() -> list[dict[str, Any]]:
    """The open figures as SVG (the same drawing gives the same text), with the pictures behind a slider if any."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    found = []
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        frames = getattr(figure, "frames", None)  # groundup.plots.frames leaves them there
        found.append({"svg": _svg(figure), **({"frames": frames()} if callable(frames) else {})})
    return found


def _svg(figure: Any) -> str:
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "groundup"}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    if len(text) <= FIGURE_LIMIT:
        return text
    head = text[: text.index(">") + 1]  # has the size, in points
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=150, bbox_inches="tight")
    data = base64.b64encode(image.getvalue()).decode()
    return f'{head}<image width="100%" height="100%" href="data:image/png;base64,{data}"/></svg>'


# `plt.show()` is what people write; here figures are shown anyway.
warnings.filterwarnings("ignore", message=".*is non-interactive, and thus cannot be shown")
