"""Links inside a lesson: from an equation to its lines of code, and from a NumPy function to its PyTorch twin.

Works on the text of cells as built (see ``groundup.notebooks.build``); no code runs, and PyTorch is not needed.
"""

import ast
import functools
import io
import re
import textwrap
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Span = tuple[int, int]  # the first and the last line, counted from 1
NUMBERS = re.compile(r"#\s*(\(\d\w*\)(?:, \(\d\w*\))*)")  # at the beginning of a comment: "# (4), (9) and words"


@dataclass(frozen=True)
class Twin:
    """A NumPy function of a cell, lines ``start`` to ``end``, and the PyTorch code ``name`` that stands beside it."""

    function: str
    name: str
    start: int
    end: int
    source: str


def marks(source: str, equations: Mapping[str, Sequence[str]], own: Collection[str]) -> list[tuple[int, str]]:
    """The lines of a cell that compute a numbered equation, each with the number; first lines first.

    A line says so itself, by a comment behind its code that begins with the number: ``# (4)``. ``equations`` names
    functions that cannot, for they serve many lessons: they are marked where they begin, or, with a piece of code
    ("softmax.backward: dy - "), at the lines that have it. ``own`` are the names that the lesson defines: comments in
    definitions of others would count with another lesson's numbers.
    """
    spans, lines = definitions(source), source.splitlines()
    strange = [spans[name] for name in spans if "." not in name and name not in own]
    found = [
        (line, number)
        for line, numbers in numbered(source)
        if not any(start <= line <= end for start, end in strange)
        for number in numbers
    ]
    for number, functions in equations.items():
        for name, _, piece in (function.partition(": ") for function in functions):
            start, end = spans.get(name, (1, 0))
            at = [line for line in range(start, end + 1) if (piece or "def ") in lines[line - 1]]
            found += [(line, number) for line in (at if piece else at[:1])]
    return sorted(found, key=lambda mark: mark[0])


def numbered(source: str) -> Iterator[tuple[int, list[str]]]:
    """The lines whose code is followed by the numbers of equations, and these."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        begin = NUMBERS.match(token.string) if token.type == tokenize.COMMENT else None
        if begin and lines[token.start[0] - 1][: token.start[1]].strip():
            yield token.start[0], re.findall(r"\((\w+)\)", begin[1])


def own_names(folder: Path) -> set[str]:
    """The functions, classes and constants that the files of a lesson define, its text among them."""
    return {name for path in folder.glob("*.py") for name in definitions(path.read_text(encoding="utf-8"))}


def twins(cell_source: str, shown: Sequence[str], twins: Mapping[str, str], twin_file_source: str) -> list[Twin]:
    """The functions that a cell shows and that have a PyTorch twin, in the order of the cell's lines.

    A method has one if the cell shows its class. Raises ValueError if the twin's file lacks the twin.
    """
    here, there, lines = definitions(cell_source), definitions(twin_file_source), twin_file_source.splitlines()
    found = []
    for function, name in twins.items():
        if function not in here or function.partition(".")[0] not in shown:
            continue
        if name not in there:
            raise ValueError(f"{function}: the PyTorch code has no {name}")
        (start, end), (first, last) = here[function], there[name]
        found.append(Twin(function, name, start, end, textwrap.dedent("\n".join(lines[first - 1 : last]))))
    return sorted(found, key=lambda twin: twin.start)


@functools.lru_cache(256)
def definitions(source: str) -> Mapping[str, Span]:
    """The lines of every function and class, decorators included, and of every constant of a source.

    Names are as one would say them: ``f``, ``Class.method``, ``f.inner``. Of two equal names the last counts,
    as in Python.
    """
    tree = ast.parse(source)
    spans = dict(_scopes(tree, ""))
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            spans.update((name, (node.lineno, node.end_lineno or node.lineno)) for name in names)
    return spans


def _scopes(node: ast.AST, prefix: str) -> Iterator[tuple[str, Span]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            start = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            yield prefix + child.name, (start, child.end_lineno or child.lineno)
            yield from _scopes(child, f"{prefix}{child.name}.")
        else:
            yield from _scopes(child, prefix)
