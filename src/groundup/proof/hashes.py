"""A hash of the code that a measurement rests on."""

import ast
import hashlib
import importlib.util
import io
import tokenize
from collections.abc import Sequence
from pathlib import Path

from groundup.lesson import Lesson

#: Modules that show or carry a run but cannot change what it measures.
NOT_HASHED = {
    "groundup.cli",
    "groundup.errors",
    "groundup.plots",
    "groundup.training.run",
    "groundup.lesson",
    "groundup.proof.checks",
}


def code_hash(lesson: Lesson, modules: Sequence[str] = ("model", "experiment")) -> str:
    """A hash of the lesson's modules and of all of groundup that they import, comments and docstrings left out."""
    wanted = [f"{lesson.package}.{name}" for name in modules if (lesson.folder / f"{name}.py").exists()]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in seen or name in NOT_HASHED or name == lesson.package:
            continue
        seen.add(name)
        wanted += groundup_imports(module_file(name))
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(f"{name}\n{bare_source(module_file(name).read_text())}\n".encode())
    return digest.hexdigest()[:16]


def module_file(name: str) -> Path:
    """The source file of a module, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {name}", name=name)
    return Path(spec.origin)


def groundup_imports(path: Path) -> list[str]:
    """The groundup modules that a file imports, anywhere in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "groundup":
            found.append(node.module)
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                spec = importlib.util.find_spec(node.module)
                if spec and spec.submodule_search_locations and importlib.util.find_spec(full):
                    found.append(full)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "groundup"]
    return found


def bare_source(source: str) -> str:
    """The source without comments, docstrings, blank lines and trailing spaces; the same on every Python."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            for row in range(text.lineno - 1, text.end_lineno or text.lineno):
                lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
