"""The shapes of a function's arguments and value, as its docstring gives them: "x (B, D), weight (H, D) → (B, H)"."""

import ast
import re
from collections.abc import Collection

#: Sizes in brackets: "(B, T, D)", "(…, d)", "(O,)".
SIZES = r"\([^()]*[,…][^()]*\)"
#: In words, a list of shapes, and behind an arrow the value's, perhaps several in brackets.
ARROW = re.compile(rf"(?P<before>[^→]*{SIZES}[^→]*)→ (?P<after>\((?:[^()]*{SIZES})+[^()]*\)|(?:[\w ]+ )?{SIZES})")
LISTED = re.compile(r"Shapes: (?P<before>[^;]+); (?P<after>[^.;]+\))")


def shapes(source: str, names: Collection[str]) -> list[dict[str, str]]:
    """The functions among ``names`` that a cell defines and whose docstrings give shapes: name and text of each."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name in names and (text := of_docstring(ast.get_docstring(node))):
            found.append({"name": node.name, "text": text})
    return found


def of_docstring(docstring: str | None) -> str:
    """ "x (B, D) → (B, H)", or "" where there is nothing of the kind."""
    text = re.sub(r"``[^`]*backward[^`]*``", "", docstring or "")  # gradients have the shapes of their arguments
    text = re.sub(r"\s+", " ", text.replace("...", "…").replace("``", "")).replace(" -> ", " → ")
    for pattern in (LISTED, ARROW):
        for found in pattern.finditer(text):
            before = re.split(r"(?<=[a-z)>])[.:;] ", found["before"])[-1].strip()
            if re.search(SIZES, before) and len(before) < 120:
                return f"{before} → {found['after']}"
    return ""
