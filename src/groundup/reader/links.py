"""Links inside a lesson: from an equation to its lines of code, and from a NumPy function to its PyTorch twin.

Works on the text of cells as built (see ``groundup.notebooks.build``); no code runs, and PyTorch is not needed.
"""

import ast
import io
import textwrap
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Span = tuple[int, int]  # the first and the last line, counted from 1
Equations = Mapping[str, Mapping[str, tuple[str, ...]]]  # as in a lesson's record: number, function, fragments


@dataclass(frozen=True)
class Twin:
    """A NumPy function of a cell, lines ``start`` to ``end``, and the PyTorch code ``name`` that stands beside it."""

    function: str
    name: str
    start: int
    end: int
    source: str


def marks(cell_source: str, cell_name: str, equations: Equations) -> list[tuple[int, str]]:
    """The lines of a cell that compute a numbered equation, each with the number; first lines first.

    What is not in this cell is passed over. Raises ValueError if a fragment is on two lines of its function.
    """
    spans, lines = definitions(cell_source), bare_lines(cell_source)
    spans[f"cell:{cell_name}"] = (1, len(lines))
    found: dict[tuple[int, str], None] = {}
    for number, places in equations.items():
        for function, fragments in places.items():
            start, end = spans.get(function, (1, 0))
            for fragment in fragments:
                hits = [line for line in range(start, end + 1) if fragment in lines[line - 1]]
                if len(hits) > 1:
                    raise ValueError(
                        f"equation {number}: {fragment!r} is on {len(hits)} lines of {function} in cell {cell_name!r}"
                        f" (lines {', '.join(map(str, hits))}); give a longer fragment that is on one"
                    )
                found.update(dict.fromkeys((line, number) for line in hits))
    return sorted(found, key=lambda mark: mark[0])


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


def definitions(source: str) -> dict[str, Span]:
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


def bare_lines(source: str) -> list[str]:
    """The lines without comments and docstrings: words about an equation do not compute it."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            lines[line - 1] = lines[line - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[line - 1] = ""
    return lines
