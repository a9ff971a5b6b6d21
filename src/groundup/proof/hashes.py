"""A hash of the definitions that a measurement rests on, and of the data files that they read.

A definition is a function, a class or a constant at the top of a module, taken without comments and docstrings.
Followed are all global names that it uses, through this whole package; the version of another library does not
count, its name does. What stands beside a definition in the same file does not count unless it is used.
"""

import ast
import hashlib
import inspect
import io
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from groundup.lesson import Lesson, Model
from groundup.notebooks.source_modules import BUILTINS, Library, Module, SourceError, used_names
from groundup.ops.fast import FAST

#: Records, messages and figures: they cannot change what a run measures.
NOT_FOLLOWED = ("groundup.errors", "groundup.lesson", "groundup.plots")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
#: Where ``package_data`` stands, which reads the data files beside it.
DATA = "data.files"


def experiment_hash(lesson: Lesson, library: Library | None = None) -> str:
    """The hash of all that a lesson's ``run`` reaches; the record around it, and the lesson's text, do not count."""
    return definitions_hash([lesson.experiment], library)


def model_hash(model: Model, size: Mapping[str, Any], library: Library | None = None) -> str:
    """The hash of what a model's benchmark runs: learner and batch with all that they reach, and the size."""
    return definitions_hash([model.learner, model.batch], library, repr(sorted(size.items())))


def definitions_hash(starts: Sequence[Callable[..., Any]], library: Library | None = None, also: str = "") -> str:
    """The hash of the definitions of ``starts``, of all that they reach in this package, and of the text ``also``.

    Where a function has a fast form, that counts as well: it is what runs.
    Raises SourceError, naming file and line, where a name cannot be followed.
    """
    found = reach(starts, library)
    for form in fast_among(found):
        found.follow_object(form)
    digest = hashlib.sha256(also.encode())
    for key in sorted(found.texts):
        digest.update(f"\n{key}\n{found.texts[key]}".encode())
    return digest.hexdigest()[:16]


def reach(starts: Sequence[Callable[..., Any]], library: Library | None = None) -> "Reach":
    """The definitions of ``starts`` and all that they reach."""
    found = Reach(library or Library())
    for start in starts:
        found.follow_object(start)
    return found


def fast_among(found: "Reach") -> list[Callable[..., Any]]:
    """The fast forms of the functions that have been reached."""
    return [fast for plain, fast in FAST.items() if f"{plain.__module__}:{plain.__name__}" in found.texts]


@dataclass
class Reach:
    """What has been reached so far: by ``module:name`` (or ``data:file``) the bare text (or the file's hash)."""

    library: Library
    texts: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def follow_object(self, start: Any) -> None:
        """Follow a function, a class, or a function with some arguments given (those count by their text)."""
        while isinstance(start, partial):
            self.texts[f"partial:{len(self.texts)}"] = repr((start.args, sorted(start.keywords.items())))
            start = start.func
        start = inspect.unwrap(start)
        self.follow(start.__module__, start.__qualname__.partition(".")[0], "<start>")

    def follow(self, module_name: str, name: str, asked_by: str) -> None:
        """Take in a name of a module, and all that it reaches."""
        todo = [(module_name, name, asked_by)]
        while todo:
            module_name, name, asked_by = todo.pop()
            if (module_name, name) in self.seen or module_name in NOT_FOLLOWED:
                continue
            self.seen.add((module_name, name))
            todo += self._take(self.library.module(module_name, asked_by), name, asked_by)

    def _take(self, module: Module, name: str, asked_by: str) -> Iterator[tuple[str, str, str]]:
        """Keep the text behind one name; gives the names that it uses, as (module, name, who asked)."""
        if module.name and module.effects and (module.name, "") not in self.seen:  # they run whoever is imported
            self.seen.add((module.name, ""))
            for text in effects(module):
                self.texts[f"{module.name}:at import"] = self.texts.get(f"{module.name}:at import", "") + bare_source(
                    text
                )
                yield from ((module.name, used, module.where) for used in used_names(text))
        statements = [statement for statement in module.statements if name in statement.names]
        if statements:
            self.texts[f"{module.name}:{name}"] = "\n".join(bare_source(statement.text) for statement in statements)
        for statement in statements:
            at = f"{module.where}:{statement.node.lineno}"
            yield from ((module.name, used, at) for used in {*statement.uses, *statement.names})
            yield from self._imported_inside(module, statement.node, at)
            self._take_data(module, statement.node, at)
        for found in module.imports.get(name, []):
            at = f"{module.where}:{found.line}"
            if not self.library.owns(found.module):
                self.texts[f"{module.name}:{name}"] = f"import {found.origin}"
            elif name in module.refused:
                raise SourceError(module.refused[name])
            else:
                yield from self._imported(found.module, str(found.name), at)
        known = statements or name in module.imports or name in module.refused or name in BUILTINS
        if not known and not name.startswith("__") and name not in made_at_import(module):
            raise SourceError(f"{asked_by}: `{name}` is not defined in {module.where}")

    def _imported(self, module: str, name: str, at: str) -> Iterator[tuple[str, str, str]]:
        """``from module import name``: the name, or everything in the module of that name."""
        if self.library.path(f"{module}.{name}") is None or module in NOT_FOLLOWED:
            yield module, name, at
        elif (whole := f"{module}.{name}") not in NOT_FOLLOWED:
            inner = self.library.module(whole, at)
            yield from ((whole, one, at) for statement in inner.statements for one in statement.names)

    def _imported_inside(self, module: Module, node: ast.AST, at: str) -> Iterator[tuple[str, str, str]]:
        """The names of this package that a definition imports when it runs."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.ImportFrom) and self.library.owns(inner.module or "") and not inner.level:
                for alias in inner.names:
                    yield from self._imported(str(inner.module), alias.name, at)
            elif (isinstance(inner, ast.ImportFrom) and inner.level) or (
                isinstance(inner, ast.Import) and any(self.library.owns(alias.name) for alias in inner.names)
            ):
                raise SourceError(f"{at}: import functions by name, `from {module.name} import function`")

    def _take_data(self, module: Module, node: ast.AST, at: str) -> None:
        """Keep the hash of every data file that a definition asks ``package_data`` for."""
        bound = {
            name
            for name, many in module.imports.items()
            if any(one.module == f"{self.library.package}.{DATA}" for one in many)
        }
        for call in ast.walk(node):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) not in bound | {"package_data"}:
                continue
            if not (call.args and isinstance(call.args[0], ast.Constant)):
                raise SourceError(f"{at}: `{ast.unparse(call)}`: a data file must be named in plain text")
            file = str(call.args[0].value)
            folder = self.library.path(f"{self.library.package}.{DATA}")
            if folder is None or not (path := folder.with_name(file)).is_file():
                raise SourceError(f"{at}: there is no data file {file}")
            self.texts[f"data:{file}"] = hashlib.sha256(path.read_bytes()).hexdigest()


def effects(module: Module) -> list[str]:
    """The top-level statements of a module that are no definitions and run when it is imported."""
    source = "" if not module.effects else read(module)
    nodes = [node for node in ast.parse(source).body if node.lineno in module.effects]
    return ["\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno]) for node in nodes]


def made_at_import(module: Module) -> set[str]:
    """The names that such statements bind, as in ``try: import x``."""
    trees = [ast.parse(text) for text in effects(module)]
    names = {n.id for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    aliases = {alias for tree in trees for alias in ast.walk(tree) if isinstance(alias, ast.alias)}
    return names | {alias.asname or alias.name.partition(".")[0] for alias in aliases}


def read(module: Module) -> str:
    """The text of a module's file."""
    with open(module.where, encoding="utf-8") as file:
        return file.read()


def bare_source(source: str) -> str:
    """The source without comments, docstrings, blank lines and trailing spaces; texts in it stay as they are.

    The same on every version of Python.
    """
    lines = [line.encode() for line in source.splitlines()]
    tree = ast.parse(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = token.line[:column].encode()
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            text = node.body[0].value  # type: ignore[attr-defined]
            docstrings.add(text)
            first, last = text.lineno - 1, text.end_lineno - 1
            rest = lines[last][text.end_col_offset :]
            lines[first] = lines[first][: text.col_offset]
            lines[first + 1 : last + 1] = [b""] * (last - first)
            lines[last] += rest
    verbatim = {  # the rows that end inside a text
        row
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in docstrings
        for row in range(node.lineno - 1, (node.end_lineno or node.lineno) - 1)
    }
    kept = [line if row in verbatim else line.rstrip() for row, line in enumerate(lines)]
    return b"\n".join(line for row, line in enumerate(kept) if line or row in verbatim).decode()
