"""Stand-alone source: the text of functions together with everything of this library that they need.

Definitions keep the order in which Python itself would have met them: modules after the modules that they
import, and the lines of a module from top to bottom. That order is right for every decorator, default value
and constant, without asking which of them run at once and which run later.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from groundup.notebooks.source_modules import (
    ADVICE,
    BUILTINS,
    SCOPES,
    Import,
    Library,
    Module,
    SourceError,
    imported_inside,
    parse,
)


@dataclass(frozen=True)
class Piece:
    """A statement that is written out: its text, the names that it binds, and the global names that it uses."""

    text: str
    names: tuple[str, ...]
    uses: frozenset[str]
    is_scope: bool = False


def collect(
    imports: str,
    already: Mapping[str, str] | None = None,
    library: Library | None = None,
    where: str = "<imports>",
) -> tuple[str, dict[str, str]]:
    """Write out what the lines ``from groundup.x import y [as z]`` bring, and all that it needs.

    Returns the new text ("" if nothing is missing) and the names after it; otherwise as ``gather``.
    """
    import_lines, pieces, names = gather(imports, already, library, where)
    return layout(import_lines, pieces), names


def gather(
    imports: str,
    already: Mapping[str, str] | None = None,
    library: Library | None = None,
    where: str = "<imports>",
) -> tuple[list[Import], list[Piece], dict[str, str]]:
    """What the lines ``from groundup.x import y [as z]`` bring, and all that it needs, statement by statement.

    ``already`` says what the names of the text so far stand for: ``"module:name"`` for definitions of the
    library, a dotted path for other imports. Returns the imports from elsewhere, the statements in their order
    (nothing if nothing is missing) and the names after them. Raises SourceError, naming file and line, for what
    cannot be written out.
    """
    library, already = library or Library(), already or {}
    start = parse(imports, "", where, library.package)
    if start.statements or start.effects:
        raise SourceError(f"{where}: only import lines can be replaced by source")
    names = dict(already)
    import_lines: list[Import] = []
    pieces: list[Piece] = []

    def bring(name: str, origin: str, module: Module) -> None:
        if name in BUILTINS:
            raise SourceError(f"{module.where}: `{name}` ({origin}) would hide Python's own `{name}`")
        if names.setdefault(name, origin) != origin:
            raise SourceError(f"{module.where}: `{name}` would stand for both {names[name]} and {origin}")

    for module, wanted in _reach(start, library):
        for found in (one for name, many in module.imports.items() if name in wanted for one in many):
            final = _resolve(found, library, f"{module.where}:{found.line}")
            if library.owns(final.module):
                if found.bound != final.name and found.bound not in names:
                    alias = f"{found.bound} = {final.name}"
                    pieces.append(Piece(alias, (found.bound,), frozenset({str(final.name)})))
                bring(found.bound, f"{final.module}:{final.name}", module)
            else:
                key = final.module if found.plain else found.bound  # `import a.b` may follow `import a`
                if key not in already:
                    import_lines.append(replace(final, bound=found.bound))
                bring(found.bound, final.origin, module)
                names.setdefault(key, final.origin)
        for statement in module.statements:
            if wanted.isdisjoint(statement.names):
                continue
            if not already.keys() >= set(statement.names):
                is_scope = isinstance(statement.node, SCOPES)
                pieces.append(Piece(statement.text, statement.names, statement.uses, is_scope))
            for name in statement.names:
                bring(name, f"{module.name}:{name}", module)
    return import_lines, pieces, names


def _reach(start: Module, library: Library) -> list[tuple[Module, set[str]]]:
    """The modules that are needed, imported ones first, each with the names that are needed from it."""
    needed: dict[str, set[str]] = {}
    modules = {start.name: start}
    earlier: dict[str, dict[str, int]] = {}  # a module, those that it imports from, and on which line
    todo = [(start, name, start.where) for name in start.imports]
    while todo:
        module, name, asked_by = todo.pop()
        if name in needed.setdefault(module.name, set()):
            continue
        if name in module.refused:
            raise SourceError(module.refused[name])
        statements = [s for s in module.statements if name in s.names]
        if not statements and name not in module.imports:
            if name in BUILTINS:
                continue
            star = " (it has a star import)" if "*" in module.imports else ""
            raise SourceError(f"{asked_by}: `{name}` is not defined in {module.where}{star}")
        needed[module.name].add(name)
        if statements and module.effects:
            raise SourceError(
                f"{module.where}:{module.effects[0]}: runs at import and would be lost: a module that is "
                "written out holds imports, definitions and assignments only"
            )
        for statement in statements:
            for line in imported_inside(statement.node, library.package):
                raise SourceError(f"{module.where}:{line}: an import of {library.package} inside a definition")
            at = f"{module.where}:{statement.node.lineno}"
            todo.extend((module, used, at) for used in sorted({*statement.uses, *statement.names}))
        for found in module.imports.get(name, []):
            if library.owns(found.module):
                at = f"{module.where}:{found.line}"
                _resolve(found, library, at)
                modules[found.module] = library.module(found.module, at)
                lines = earlier.setdefault(module.name, {})
                lines[found.module] = min(found.line, lines.get(found.module, found.line))
                todo.append((modules[found.module], str(found.name), at))
    order: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for other in sorted(earlier.get(name, {}), key=earlier.get(name, {}).__getitem__):
                visit(other)
            order.append(name)

    visit(start.name)
    return [(modules[name], needed.get(name, set())) for name in order]


def _resolve(found: Import, library: Library, asked_by: str) -> Import:
    """Follow an import through the library: to the module that defines the name, or out of the library."""
    while library.owns(found.module):
        module, name = library.module(found.module, asked_by), str(found.name)
        if any(name in statement.names for statement in module.statements):
            break
        if name in module.refused:
            raise SourceError(module.refused[name])
        if name not in module.imports:
            if library.path(f"{module.name}.{name}"):
                raise SourceError(f"{asked_by}: `from {module.name} import {name}` is a module: {ADVICE}")
            raise SourceError(f"{asked_by}: `{name}` is not defined in {module.where}")
        found = module.imports[name][0]
    return found


def layout(imports: Sequence[Import], pieces: Sequence[Piece]) -> str:
    """Imports first (standard library, then the rest), names from one module on one line; then the pieces."""
    plain: set[tuple[str, str]] = set()
    merged: dict[str, set[str]] = {}
    for found in imports:
        alias = "" if found.plain or found.bound == found.name else f" as {found.bound}"
        if found.name is None:
            plain.add((found.module, f"import {found.module}{alias}"))
        else:
            merged.setdefault(found.module, set()).add(found.name + alias)
    lines = sorted(plain) + [(m, f"from {m} import {', '.join(sorted(merged[m]))}") for m in sorted(merged)]
    blocks: tuple[list[str], list[str]] = ([], [])
    for module, line in lines:
        blocks[module.partition(".")[0] not in sys.stdlib_module_names].append(line)
    text = "\n\n".join("\n".join(block) for block in blocks if block)
    for index, piece in enumerate(pieces):
        if text:
            after_scope = index > 0 and pieces[index - 1].is_scope
            text += "\n\n\n" if piece.is_scope or after_scope else "\n" if index else "\n\n"
        text += piece.text
    return text
