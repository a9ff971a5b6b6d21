"""What of a cell's code stands open on the page: the functions that it is about, and all that compute an equation."""

import ast
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
#: Lines of a definition that stand in sight at a time.
MOST_SHOWN = 30
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def about(metadata: Mapping[str, Any]) -> list[str]:
    """The names that a cell of a lesson is about: those that it says, or else those that it includes."""
    if shown := metadata.get("show", "").split():
        return shown
    return [entry.partition(":")[2] for entry in metadata.get("include", "").split()]


def folded(
    cell: Any, shown: Sequence[str], marked: Collection[int], seen: Collection[str], beside: Sequence[Json] = ()
) -> Json:
    """How a cell is shown, ``shown`` being what it is about and ``beside`` what of it is shown in steps.

    fold      why all of its code is folded: what a cell "needs", "tools", the code of a "figure", or "again" what the
              other notebook has; "" if some of it is open
    gives     a sentence on folded code, from the comment that it begins with
    segments  its lines in parts, open and folded
    inner     lines that fold inside of what is open; the first stands for them all, or else their label
    data      nothing of it is shown
    """
    source = cell.source
    if cell.id.startswith(("data-", "measured-")) or not ast.parse(source).body:
        return {"fold": "", "gives": "", "segments": [_whole(source)], "inner": [], "data": True, "names": []}
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)

    def is_folded(node: ast.stmt) -> bool:
        if ast.unparse(node) in seen:
            return True
        if isinstance(node, DEFINITIONS) and any(node.lineno <= line <= (node.end_lineno or 0) for line in marked):
            return False
        return hidden or (bool(shown) and set(_names(node)).isdisjoint(shown))

    fold, parts = "", segments(source, is_folded)
    if "alt" in cell.metadata:
        fold, parts = "figure", [_whole(source)]
    elif all(part["folded"] for part in parts):
        again = any(ast.unparse(node) in seen for node in ast.parse(source).body)
        fold = "again" if again else "tools" if hidden and not cell.id.startswith("needs-") else "needs"
    comment = re.match(r"(?:#(?!:).*\n)*", source)  # "#:" speaks of the constant below it
    inner = inner_folds(source, marked)
    for one in inner:
        if not one["label"] and any(function["start"] < one["start"] <= function["end"] for function in beside):
            one["label"] = "docstring"  # its first line is beside the code
    gives = " ".join(line.strip("# ") for line in comment[0].splitlines()) if comment and hidden else ""
    return {
        "fold": fold,
        "gives": gives,
        "segments": parts,
        "inner": short_enough(source, inner, marked, beside),
        "data": False,
        "names": [] if hidden else list(shown),
    }


def statements(source: str) -> set[str]:
    """The statements of a cell that take more than three lines, in a form that can be compared."""
    return {ast.unparse(node) for node in ast.parse(source).body if (node.end_lineno or 0) > node.lineno + 2}


def inner_folds(source: str, marked: Collection[int]) -> list[Json]:
    """Lines inside of definitions that fold: docstrings beyond their first line, and refusals of bad arguments."""
    found: list[Json] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DEFINITIONS) and ast.get_docstring(node):
            found.append({"start": node.body[0].lineno, "end": node.body[0].end_lineno, "label": ""})
        elif isinstance(node, ast.If) and node.col_offset and not node.orelse and isinstance(node.body[0], ast.Raise):
            found.append({"start": node.lineno, "end": node.end_lineno, "label": "checks of its arguments"})
    whole: list[Json] = []
    for fold in sorted(found, key=lambda fold: fold["start"]):
        if fold["start"] == fold["end"] or any(fold["start"] <= line <= fold["end"] for line in marked):
            continue
        if whole and fold["label"] == whole[-1]["label"] and whole[-1]["end"] == fold["start"] - 1:
            whole[-1]["end"] = fold["end"]
        else:
            whole.append(fold)
    return whole


def segments(source: str, folded: Callable[[ast.stmt], bool]) -> list[Json]:
    """The lines of a cell in parts, each open or folded; a folded one is called by what it defines."""
    body = ast.parse(source).body
    lines = source.count("\n") + 1
    found: list[Json] = []
    start = 1
    for index, node in enumerate(body):
        end = _first_line(body[index + 1], source) - 1 if index + 1 < len(body) else lines
        label = _names(node) if isinstance(node, (*DEFINITIONS, ast.Assign, ast.AnnAssign)) else []
        if found and found[-1]["folded"] == folded(node):
            found[-1]["end"] = end
            found[-1]["label"] += label
        else:
            found.append({"start": start, "end": end, "folded": folded(node), "label": label})
        start = end + 1
    for part in found:
        part["label"] = ", ".join(part["label"]) or "imports" if part["folded"] else ""
    return found or [_whole(source)]


def _whole(source: str) -> Json:
    return {"start": 1, "end": source.count("\n") + 1, "folded": False, "label": ""}


def _first_line(node: ast.stmt, source: str) -> int:
    """The line where a statement begins, with its decorators and the comment above it."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    lines = source.splitlines()
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return first


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, DEFINITIONS):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def short_enough(
    source: str, inner: Sequence[Json], marked: Collection[int], beside: Sequence[Json] = ()
) -> list[Json]:
    """``inner``, and of definitions that are still too long what is least: a long head, a statement of many lines."""
    found = list(inner)
    begins = {step["start"] for one in beside for step in one["steps"]}
    for node in ast.parse(source).body:
        while isinstance(node, DEFINITIONS) and (excess := _shown(node, source, found, beside) - MOST_SHOWN) > 0:
            places = [
                (first, last)
                for first, last in _regions(node)
                if last - first >= 2 and not any(first <= line <= last for line in marked)
                if not any(first < line <= last for line in begins)
                if all(last < fold["start"] or fold["end"] < first for fold in found)
            ]
            if not places:
                break
            enough = [place for place in places if place[1] - place[0] >= excess]
            size = (lambda place: place[1] - place[0]) if enough else (lambda place: place[0] - place[1])
            first, last = min(enough or places, key=size)
            found.append({"start": first, "end": last, "label": ""})
    return sorted(found, key=lambda fold: int(fold["start"]))


def _shown(node: ast.stmt, source: str, folds: Sequence[Json], beside: Sequence[Json]) -> int:
    hidden = {line for fold in folds for line in range(fold["start"] + 1, fold["end"] + 1)}
    hidden |= {line for one in beside for step in one["steps"] for line in step["moved"]}  # they are words
    lines = source.splitlines()
    numbers = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return sum(bool(lines[line - 1].strip()) and line not in hidden for line in numbers)


def _regions(node: ast.AST) -> list[tuple[int, int]]:
    """The heads of functions and the statements in them, each with its first and its last line."""
    found = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef):
            found.append((inner.lineno, inner.body[0].lineno - 1))
        if isinstance(inner, ast.stmt) and inner is not node:
            found.append((inner.lineno, inner.end_lineno or inner.lineno))
    return found
