"""A function in steps: what each one does stands beside its lines on the page.

A step begins at a comment that stands on a line of its own, and this comment is what is said of it; at an inner
function; after a blank line; or, where no comment has said anything, at a line that computes an equation. The head of
the function is a step too, and its docstring's first line is what is said of it.
"""

import ast
import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from typing import Any

from groundup.notebooks.source_modules import SourceError
from groundup.reader.links import definitions

Json = dict[str, Any]
#: Comments for other readers than people.
PRAGMA = re.compile(r"#\s*(fmt|noqa|ruff|type):")


def beside(source: str, names: Sequence[str], marks: Sequence[tuple[int, str]], where: str) -> list[Json]:
    """Those of ``names`` ("f" or "Class.method") that a cell defines, each in steps; ``marks`` as of ``links.marks``.

    name, start, end  the function and its lines, decorators included
    steps             each with start, end, words (Markdown) and moved, the lines that the words are made of
    Raises SourceError for a function without any step but its head.
    """
    spans, found = definitions(source), []
    for name in names:
        if name in spans:
            start, end = spans[name]
            steps = in_steps(source, start, end, marks)
            computed = any(steps[0]["end"] < line <= end for line, _ in marks)
            if not computed and not any(step["moved"] for step in steps[1:]):
                raise SourceError(f"{where}: {name} has no steps; a comment on a line of its own begins one")
            found.append({"name": name, "start": start, "end": end, "steps": steps})
    return sorted(found, key=lambda one: int(one["start"]))


def all_found(wanted: Mapping[str, Sequence[str]], cells: Sequence[Json], lesson: str) -> None:
    """Raises SourceError where a cell of a lesson wants functions beside their words that it does not show."""
    found = {one["name"] for cell in cells for one in cell.get("beside", ())}
    for name, functions in wanted.items():
        if unknown := ", ".join(one for one in functions if one not in found):
            raise SourceError(f'{lesson}, cell "{name}": it does not show {unknown}, which is to stand in steps')


def in_steps(source: str, start: int, end: int, marks: Sequence[tuple[int, str]] = ()) -> list[Json]:
    """The function in lines ``start`` to ``end`` of a source, in steps."""
    nodes = list(ast.walk(ast.parse(source)))
    function = next(one for one in nodes if isinstance(one, ast.FunctionDef) and _lines(one) == (start, end))
    lines, first_lines = source.splitlines(), _statements(function)
    comments = _comments(source, first_lines)
    equations: dict[int, set[str]] = {}
    for line, number in marks:
        equations.setdefault(first_lines.get(line, line), set()).add(number)
    inner = {_lines(one)[0]: one for one in ast.walk(function) if isinstance(one, ast.FunctionDef)}

    steps = [_head(function, start, lines)]
    step: Json | None = None
    carried: set[str] = set()  # the equations of the step
    fresh_until = 0  # up to here the step is but words, or the head of an inner function
    for line in range(steps[0]["end"] + 1, end + 1):
        inside = first_lines.get(line, line) < line  # a statement of several lines
        if not lines[line - 1].strip() and not inside:
            step = None
            continue
        more = bool(equations.get(line, set()) - carried) and step is not None and not step["moved"]
        begins = not inside and line > fresh_until and (line in comments or line in inner or more)
        if step is None or begins:
            step, carried, fresh_until = {"start": line, "words": "", "moved": []}, set(), line - 1
            steps.append(step)
        step["end"] = line
        carried |= equations.get(line, set())
        if line in comments:
            step["words"] += f"{comments[line]} "
            step["moved"].append(line)
            fresh_until = max(fresh_until, line + 1)
        elif line in inner:
            fresh_until = inner[line].body[0].lineno
            if not step["words"] and inner[line].name == "backward":
                step["default"] = "Backward"
    for one in steps:
        one["words"] = one["words"].strip() or one.pop("default", "")
        one.pop("default", None)
    return steps


def _head(function: ast.FunctionDef, start: int, lines: Sequence[str]) -> Json:
    """The step of a function's head and docstring; a docstring of one line is all in the words."""
    doc = ast.get_docstring(function)
    end = _lines(function.body[0])[1] if doc else function.body[0].lineno - 1
    while not doc and lines[end - 1].strip().startswith("#"):
        end -= 1
    words = re.split(r"\n\s*\n", doc)[0].replace("\n", " ").replace(" -> ", " → ") if doc else ""
    only = doc is not None and "\n" not in doc
    return {"start": start, "end": end, "words": words, "moved": [function.body[0].lineno] if only else []}


def _comments(source: str, first_lines: Mapping[int, int]) -> dict[int, str]:
    """The comments that stand on lines of their own, between statements."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        line = token.start[0]
        alone = token.type == tokenize.COMMENT and token.line.strip() == token.string
        if alone and line not in first_lines and not PRAGMA.match(token.string):
            found[line] = token.string.lstrip("#").strip()
    return found


def _statements(function: ast.FunctionDef) -> dict[int, int]:
    """For the lines of a statement without others in it, and of the head of one that has others, the first of them."""
    found: dict[int, int] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.stmt):
            first, last = _lines(node)
            if body := getattr(node, "body", None):
                parts = [part for child in ast.iter_child_nodes(node) if child not in body for part in ast.walk(child)]
                ends = [_lines(part)[1] for part in parts]
                last = max([node.lineno, *(end for end in ends if end < body[0].lineno)])
            found |= dict.fromkeys(range(first, last + 1), first)
    return found


def _lines(node: ast.AST) -> tuple[int, int]:
    decorators = [one.lineno for one in getattr(node, "decorator_list", ())]
    return min([getattr(node, "lineno", 0), *decorators]), getattr(node, "end_lineno", 0) or 0
