"""What the top level of a module holds: definitions as text, imports, and what cannot be written out.

Modules are read as text and never imported, so that a PyTorch twin can be read where PyTorch is missing.
"""

import ast
import builtins
import symtable
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

#: Interactive sessions add ``_``; the others are every module's own.
BUILTINS = frozenset(dir(builtins)) - {"_", "__spec__", "__package__", "__loader__"}
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DEFINITIONS = (*SCOPES, ast.Assign, ast.AnnAssign, ast.AugAssign)
ADVICE = "import functions by name, `from module import function`, so that their source can be found"


class SourceError(Exception):
    """Code that cannot be written out to stand alone; the message names the file and the line."""


@dataclass(frozen=True)
class Statement:
    """A top-level statement: names it binds, global names it uses, its lines with the comment above."""

    node: ast.stmt
    names: tuple[str, ...]
    uses: frozenset[str]
    text: str


@dataclass(frozen=True)
class Import:
    """``import module`` (name None) or ``from module import name``, bound to ``bound``."""

    module: str
    name: str | None
    bound: str
    line: int

    @property
    def plain(self) -> bool:
        """``import a.b`` binds ``a`` to the package, not to ``a.b``."""
        return self.name is None and self.bound == self.module.partition(".")[0]

    @property
    def origin(self) -> str:
        """What the name stands for: ``import a.b as c`` and ``from a import b as c`` are the same thing."""
        if self.plain:
            return self.bound
        return self.module if self.name is None else f"{self.module}.{self.name}"


@dataclass
class Module:
    """What a module's top level holds. ``where`` is how messages call its file."""

    name: str
    where: str
    is_package: bool = False
    statements: list[Statement] = field(default_factory=list)
    imports: dict[str, list[Import]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    effects: list[int] = field(default_factory=list)


@dataclass
class Library:
    """The package whose code is written out, and its modules as far as they have been read.

    ``overrides`` gives the text of modules that must read differently where the package is missing.
    """

    package: str = "groundup"
    overrides: Mapping[str, str] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)

    def owns(self, module: str) -> bool:
        return module.partition(".")[0] == self.package

    def path(self, module: str) -> Path | None:
        """The module's file. Asks for the top package only: find_spec imports the parents of a module."""
        spec = find_spec(self.package)
        places = spec.submodule_search_locations if spec else None
        base = Path(places[0] if places else "no such package").joinpath(*module.split(".")[1:])
        files = (base / "__init__.py", base.with_suffix(".py"))
        return next((file for file in files if file.is_file()), None)

    def module(self, name: str, asked_by: str) -> Module:
        """The module of that name, read once."""
        if name not in self.modules:
            path = self.path(name)
            if path is None:
                raise SourceError(f"{asked_by}: there is no module {name}")
            text = self.overrides.get(name) or path.read_text(encoding="utf-8")
            self.modules[name] = parse(text, name, str(path), self.package, path.name == "__init__.py")
        return self.modules[name]


def parse(text: str, name: str, where: str, package: str, is_package: bool = False) -> Module:
    """Read the top level of a module (or of a notebook cell, which looks the same)."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SourceError(f"{where}:{error.lineno}: not plain Python: {error.msg}") from None
    module, lines = Module(name, where, is_package), text.splitlines()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _read_import(module, node, package)
        elif isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for bound in bound_names(node):
                module.refused[bound] = (
                    f"{where}:{node.lineno}: `{bound}` is bound only under TYPE_CHECKING, but a notebook "
                    "evaluates annotations: import it plainly, or quote the annotation"
                )
        elif isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            continue  # a script's entry point
        elif isinstance(node, DEFINITIONS) and (names := bound_names(node)):
            source = _text(node, lines)
            module.statements.append(Statement(node, names, used_names(source), source))
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            module.effects.append(node.lineno)
    return module


def _read_import(module: Module, node: ast.Import | ast.ImportFrom, package: str) -> None:
    for alias in node.names:
        if isinstance(node, ast.Import):
            bound = alias.asname or alias.name.partition(".")[0]
            found = Import(alias.name, None, bound, node.lineno)
            if alias.name.partition(".")[0] == package:
                module.refused[bound] = f"{module.where}:{node.lineno}: `{ast.unparse(node)}`: {ADVICE}"
        else:
            source = node.module or ""
            if node.level:  # relative: one dot is the package that the module is in
                parts = module.name.split(".")
                parts = parts[: len(parts) - node.level + module.is_package]
                source = ".".join([*parts, *filter(None, [node.module])])
            if source == "__future__":
                continue
            found = Import(source, alias.name, alias.asname or alias.name, node.lineno)
        module.imports.setdefault(found.bound, []).append(found)


def _text(node: ast.stmt, lines: list[str]) -> str:
    """The statement's lines, its decorators and the comment that stands directly above."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : node.end_lineno])


def bound_names(node: ast.AST) -> tuple[str, ...]:
    """The names that a statement binds in the scope it stands in, in order of appearance."""

    def walk(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, (*SCOPES, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name
        elif isinstance(node, ast.MatchMapping) and node.rest:
            yield node.rest
        if isinstance(node, (*SCOPES, ast.Lambda)):
            return  # their bodies are scopes of their own
        if isinstance(node, COMPREHENSIONS):  # so are these, but := inside reaches the scope around
            yield from (n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        else:
            for child in ast.iter_child_nodes(node):
                yield from walk(child)

    return tuple(dict.fromkeys(walk(node)))


def used_names(text: str) -> frozenset[str]:
    """The global names that a piece of code uses, in annotations, decorators, defaults, bases and bodies."""
    top = symtable.symtable(text, "<text>", "exec")
    used = {s.get_name() for s in top.get_symbols() if s.is_referenced() and not s.is_assigned()}
    scopes = list(top.get_children())
    while scopes:
        scope = scopes.pop()
        used.update(s.get_name() for s in scope.get_symbols() if s.is_global())
        scopes.extend(scope.get_children())
    return frozenset(used)


def imported_inside(node: ast.AST, package: str) -> Iterator[int]:
    """The lines in ``node`` on which something of ``package`` is imported."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            roots = {alias.name.partition(".")[0] for alias in inner.names}
        elif isinstance(inner, ast.ImportFrom):
            roots = {package if inner.level else str(inner.module).partition(".")[0]}
        else:
            continue
        if package in roots:
            yield inner.lineno
