"""What a cell is about, and what it only needs: two cells of the notebook, the second folded away before the first."""

import ast
from collections.abc import Collection, Sequence

from groundup.notebooks.source import Piece, layout
from groundup.notebooks.source_modules import Import, used_names

#: Lines of a notebook's cell, as far as statements can be told apart; a comment may come before them.
MOST_LINES = 57
#: Lines of definitions that stand together in a cell; blank ones and docstrings beyond their first line do not count.
TOGETHER = 12


def split(pieces: Sequence[Piece], shown: Collection[str]) -> tuple[list[Piece], list[Piece]]:
    """The statements that a cell needs, and those that it is about: the ones that bind a name of ``shown``.

    Both keep their order. A helper that uses one of ``shown`` while it is being defined stays behind it.
    """
    needs: list[Piece] = []
    about: list[Piece] = []
    late: set[str] = set()
    for piece in pieces:
        if not shown or (late.isdisjoint(_at_once(piece, pieces)) and set(piece.names).isdisjoint(shown)):
            needs.append(piece)
        else:
            about.append(piece)
            late |= set(piece.names)
    return needs, about


def _at_once(piece: Piece, pieces: Sequence[Piece]) -> set[str]:
    """The names that a statement may use when it runs: of a function its head, of all else all that it reaches."""
    (node,) = ast.parse(piece.text).body
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        node.body = [ast.Pass()]
        found = set(used_names(ast.unparse(node)))
    else:
        found = set(piece.uses)
    while more := {name for one in pieces if found & set(one.names) for name in one.uses} - found:
        found |= more
    return found


def texts(imports: Sequence[Import], pieces: Sequence[Piece]) -> list[str]:
    """Statements as the texts of one or more cells that are not too long, the imports in the first."""
    found: list[str] = []
    group: list[Piece] = []
    for piece in pieces:
        if group and layout(() if found else imports, [*group, piece]).count("\n") >= MOST_LINES:
            found.append(layout(() if found else imports, group))
            group = []
        group.append(piece)
    last = layout(() if found else imports, group)
    return [*found, last] if last else found


def parts(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """What a cell is about in as many cells as it takes to show one idea at a time."""
    found: list[list[Piece]] = []
    for piece in pieces:
        if found and sum(_shown_lines(one) for one in [*found[-1], piece]) <= TOGETHER:
            found[-1].append(piece)
        else:
            found.append([piece])
    return found


def _shown_lines(piece: Piece) -> int:
    hidden = 0
    for node in ast.walk(ast.parse(piece.text)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            hidden += sum(bool(line.strip()) for line in ast.unparse(node.body[0]).split("\\n")) - 1
    return sum(bool(line.strip()) for line in piece.text.splitlines()) - hidden
