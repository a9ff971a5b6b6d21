"""Mutants: the source of a function with one small mistake in it, of the kinds that people make.

Whoever tests the function should refuse every one. Works on text alone, and knows nothing of what the text computes;
``mutation_kinds.py`` holds the mistakes.
"""

import ast
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from groundup.proof.mutation_kinds import HELPERS, Options, changes

Function = ast.FunctionDef | ast.AsyncFunctionDef
NOT_CODE = (ast.Import, ast.ImportFrom, ast.Raise, ast.Assert, ast.Pass, ast.Global, ast.Nonlocal, ast.JoinedStr)
NOT_FIELDS = {"annotation", "returns", "decorator_list", "args", "type_params", "bases", "keywords_of_class"}


@dataclass(frozen=True)
class Mutant:
    """One changed source.

    kind           of mistake: "sign", "axis", "off by one", …
    function       in which it was made, dotted
    before, after  the changed piece, as text
    number         1, or more where the function has the same piece several times
    source         the whole text, less comments
    bomb           the text with one that raises in place of the piece, or of the branch that the change takes away: it
                   passes where nothing reaches that; "" where there is no such text
    branch         where the piece is in the condition of an ``if``: the mutant with a branch that raises; it passes
                   where the branch is never taken
    """

    kind: str
    function: str
    before: str
    after: str
    number: int
    source: str
    bomb: str = ""
    branch: str = ""

    @property
    def key(self) -> str:
        """A name that outlives changes elsewhere: "softmax: axis=axis → axis=-1"."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.function}: {self.before} → {self.after or 'nothing'}{again}"


RAISES = ast.parse("(_ for _ in ()).throw(AssertionError('reached'))", mode="eval").body


def mutants(source: str, given: str = "", options: Options | None = None) -> tuple[Mutant, ...]:
    """All mutants of a source, always in the same order, no two alike, each of which compiles.

    What stands in ``given`` too (helpers, the signatures and docstrings of a starter) is left as it is, and so are
    annotations, docstrings, and argument checks: an ``if`` that does nothing but raise.
    """
    options = options or Options()
    tree = ast.parse(source)
    seen = {bytecode(ast.unparse(tree))}
    told: Counter[tuple[str, str, str]] = Counter()
    found: list[Mutant] = []
    for place in places(tree, ast.parse(given), options):
        for kind, new in changes(place.node, place.parent, place.scope, options):
            after = words(new)
            place.put(new)
            text = ast.unparse(tree) + "\n" + "".join(HELPERS[name] for name in HELPERS if f"{name}(" in after)
            place.put(place.node)
            try:
                code = bytecode(text)
            except (SyntaxError, ValueError, TypeError):
                continue
            if code in seen:
                continue
            seen.add(code)
            before = words(place.node)
            told[place.function, before, after] += 1
            number = told[place.function, before, after]
            bombs = bomb(tree, place, new), branch_bomb(tree, place, new)
            found.append(Mutant(kind, place.function, before, after, number, text, *bombs))
    return tuple(found)


def bomb(tree: ast.Module, place: "Place", new: ast.AST | None) -> str:
    """The source with a piece that raises in place of this one, or of the branch of it that ``new`` leaves out."""
    node = place.node
    if isinstance(node, ast.IfExp):
        test, kept = node.test, new is node.body
        parts = (node.body, RAISES) if kept else (RAISES, node.orelse)
        return with_node(tree, place, ast.IfExp(test, *parts)) if new in (node.body, node.orelse) else ""
    if isinstance(node, ast.If) and isinstance(new, ast.If) and isinstance(new.test, ast.Constant):
        raises: list[ast.stmt] = [ast.Expr(RAISES)]
        body, orelse = (node.body, raises) if new.test.value else (raises, node.orelse)
        return with_node(tree, place, ast.If(node.test, body, orelse))
    if isinstance(node, ast.comprehension):
        return ""
    return with_node(tree, place, ast.Expr(RAISES) if isinstance(node, ast.stmt) else RAISES)


def branch_bomb(tree: ast.Module, place: "Place", new: ast.AST | None) -> str:
    """The mutant with a branch that raises, where the change is in its condition."""
    if place.condition is None:
        return ""
    body, place.condition.body = place.condition.body, [ast.fix_missing_locations(ast.Expr(RAISES))]
    text = with_node(tree, place, new)
    place.condition.body = body
    return text


def with_node(tree: ast.Module, place: "Place", node: ast.AST | None) -> str:
    """The source with another node at a place."""
    place.put(node)
    text = ast.unparse(tree)
    place.put(place.node)
    return text


def words(piece: ast.AST | None) -> str:
    """A piece of code in one line."""
    if piece is None:
        return ""
    lines = ast.unparse(ast.fix_missing_locations(piece)).strip().splitlines()
    return lines[0] + (" …" if len(lines) > 1 else "")


@dataclass(frozen=True)
class Place:
    """Where a node hangs in its tree."""

    node: Any
    parent: ast.AST
    field: str
    index: int | None
    function: str
    scope: tuple[Function, ...]
    condition: ast.If | None = None  # whose condition it is in

    def put(self, new: ast.AST | None) -> None:
        """Hang another node there; None stands for a statement that does nothing."""
        node = ast.fix_missing_locations(ast.Pass() if new is None else new)
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def places(tree: ast.Module, given: ast.Module, options: Options) -> Iterator[Place]:
    """Every statement and expression that the author of the answer writes, outer ones first."""

    def block(parent: ast.AST, field: str, twins: list[ast.stmt], name: str, scope: tuple[Function, ...]) -> Any:
        known = {ast.dump(twin) for twin in twins}
        for index, node in enumerate(getattr(parent, field)):
            if ast.dump(node) in known or text_alone(node):
                continue
            if isinstance(node, Function | ast.ClassDef):
                inner = (*scope, node) if isinstance(node, Function) else scope
                twin = [t for t in twins if isinstance(t, type(node)) and t.name == node.name]
                body = twin[0].body if twin else []
                yield from block(node, "body", body, f"{name}.{node.name}".lstrip("."), inner)
            else:
                yield from walk(node, parent, field, index, name, scope)

    def walk(
        node: ast.AST,
        parent: ast.AST,
        field: str,
        index: int | None,
        name: str,
        scope: tuple[Function, ...],
        condition: ast.If | None = None,
    ) -> Any:
        if isinstance(node, NOT_CODE) or text_alone(node) or (check_alone(node) and not options.checks):
            return
        if isinstance(node, Function | ast.ClassDef):
            yield from block(
                node, "body", [], f"{name}.{node.name}", (*scope, *([node] if isinstance(node, Function) else []))
            )
            return
        if isinstance(node, ast.stmt | ast.expr | ast.comprehension):
            yield Place(node, parent, field, index, name, scope, condition)
        for inner, value in ast.iter_fields(node):
            if inner in NOT_FIELDS and isinstance(node, ast.arg | ast.AnnAssign | ast.Lambda):
                continue
            for at, child in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(child, ast.AST):
                    within = node if isinstance(node, ast.If) and inner == "test" else condition
                    yield from walk(child, node, inner, at if isinstance(value, list) else None, name, scope, within)

    yield from block(tree, "body", given.body, "", ())


def text_alone(node: ast.AST) -> bool:
    """A docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def check_alone(node: ast.AST) -> bool:
    """An ``if`` that does nothing but raise."""
    return isinstance(node, ast.If) and not node.orelse and all(isinstance(inner, ast.Raise) for inner in node.body)


def bytecode(source: str) -> Any:
    """What Python makes of a source, less names of files and numbers of lines: equal for texts that do the same."""

    def plain(code: types.CodeType) -> Any:
        inner = tuple(
            plain(one) if isinstance(one, types.CodeType) else (type(one), repr(one)) for one in code.co_consts
        )
        names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
        return code.co_code, code.co_flags, code.co_argcount, code.co_exceptiontable, names, inner

    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, Function):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    return plain(compile(tree, "<mutant>", "exec", dont_inherit=True))
