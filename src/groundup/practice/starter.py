"""Starter and solution of an exercise, made from the library's own source: they cannot drift from it."""

import ast
import inspect
import sys
from collections.abc import Callable, Sequence
from functools import cache

from groundup.notebooks.source import collect
from groundup.notebooks.source_modules import SCOPES, Library
from groundup.practice.exercise import Exercise, Right, Wrong

TODO = "...  # your code"


@cache
def solution(exercise: Exercise) -> str:
    """The solution as text that stands alone."""
    return (exercise.solution.strip() or collect(imports(exercise))[0]) + "\n"


@cache
def starter(exercise: Exercise) -> str:
    """The same with the bodies taken out: imports, types, given helpers, signatures and docstrings."""
    text = solution(exercise)
    if exercise.solution:
        kept = set(exercise.names) | {name.rpartition(":")[2] for name in map(dotted, exercise.given)}
        tree = ast.parse(text)
        surplus = [node for node in tree.body if isinstance(node, SCOPES) and node.name not in kept]
        text = without(text, surplus)
        for function in exercise.functions:
            text = blank(text, function.__qualname__, exercise)
        return text.strip() + "\n"
    library = Library()
    originals = {
        function.__module__: inspect.getsource(sys.modules[function.__module__]) for function in exercise.functions
    }
    for function in exercise.functions:
        module = function.__module__
        originals[module] = blank(originals[module], function.__qualname__, exercise)
    text = collect(imports(exercise), library=Library(overrides=originals))[0]
    everything = collect(imports(exercise), library=library)[0]
    return with_imports(text, everything) + "\n"


def imports(exercise: Exercise) -> str:
    """Import lines for the exercise's functions and what is given."""
    names = [f"{function.__module__}:{function.__qualname__.partition('.')[0]}" for function in exercise.functions]
    names += map(dotted, exercise.given)
    pairs = [name.split(":") for name in dict.fromkeys(names)]
    return "\n".join(f"from {module} import {name}" for module, name in pairs)


def dotted(thing: Callable[..., object] | str) -> str:
    """ "module:name" of a function, class or constant of the library."""
    return thing if isinstance(thing, str) else f"{thing.__module__}:{thing.__qualname__}"


def with_imports(text: str, other: str) -> str:
    """The text with the import lines of ``other``, which are more, and NumPy's in any case."""
    lines = [ast.unparse(node) for node in ast.parse(other).body if isinstance(node, ast.Import | ast.ImportFrom)]
    if "import numpy as np" not in lines:
        lines.append("import numpy as np")
    standard = [line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    others = [line for line in lines if line not in standard]
    tree = ast.parse(text)
    rest = without(text, [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]).strip()
    blocks = ["\n".join(block) for block in (standard, others) if block]
    gap = "\n\n" if rest.startswith(("def ", "class ", "@")) else "\n"
    return "\n\n".join(blocks) + "\n" + gap + rest


def without(text: str, nodes: Sequence[ast.stmt]) -> str:
    """The text less the lines of some of its statements."""
    lines = text.splitlines()
    for node in reversed(nodes):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        del lines[first - 1 : node.end_lineno]
    squeezed: list[str] = []
    for line in lines:
        if line.strip() or squeezed[-2:] != ["", ""]:
            squeezed.append(line)
    return "\n".join(squeezed)


def blank(text: str, name: str, exercise: Exercise) -> str:
    """The module's text with the body of a function (``f`` or ``Class.method``) to be written."""
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        node = next(n for n in ast.iter_child_nodes(node) if isinstance(n, SCOPES) and n.name == part)
    assert isinstance(node, ast.FunctionDef)
    if exercise.keep == "forward":
        node = next(n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "backward")
    lines = text.splitlines()
    body = node.body
    if ast.get_docstring(node) is not None:
        body = body[1:]
    indent = " " * body[0].col_offset
    first = body[0].lineno - 1
    if body is not node.body:
        first = node.body[0].end_lineno or first
    while lines[first - 1].strip().startswith("#"):
        first -= 1
    skeleton = [f'raise NotImplementedError("{node.name} is not written yet")']
    if exercise.gives and exercise.keep == "signature" and exercise.track == "numpy":
        skeleton = skeleton_of(node) or skeleton
    lines[first : node.end_lineno] = [indent + line if line else "" for line in skeleton]
    return "\n".join(lines) + "\n"


def skeleton_of(node: ast.FunctionDef) -> list[str]:
    """What is left of a function with a derivative: its value and its backward still to be written."""
    inner = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "backward"]
    results = [n for n in node.body if isinstance(n, ast.Return)]
    header = "def backward(*upstream):"
    if inner:
        header = ast.unparse(ast.FunctionDef(**{**vars(inner[0]), "body": [ast.Pass()]})).rpartition("\n")[0]
    value = results[-1].value if results else None
    if not inner and not isinstance(value, ast.Tuple):
        return []  # returns no backward itself: `use` makes one of it
    names = ["y"]
    form = "y"
    if isinstance(value, ast.Tuple) and value.elts:
        parts = value.elts[0].elts if isinstance(value.elts[0], ast.Tuple) else [value.elts[0]]
        if all(isinstance(part, ast.Name) for part in parts):
            names = [part.id for part in parts if isinstance(part, ast.Name)]
            form = ast.unparse(value.elts[0])
    return [
        *(f"{name} = {TODO}" for name in names),
        "",
        *header.splitlines(),
        '    raise NotImplementedError("backward is not written yet")',
        "",
        f"return {form}, backward",
    ]


def changed(exercise: Exercise, variant: Wrong | Right) -> str:
    """The source of a wrong or right variant. Raises ValueError if what it replaces does not occur exactly once."""
    if isinstance(variant.change, str):
        return inspect.cleandoc("\n" + variant.change) + "\n"
    text = solution(exercise)
    for old, new in variant.change.items():
        if text.count(old) != 1:
            raise ValueError(
                f"{exercise.name}, {variant.name!r}: {old!r} occurs {text.count(old)} times in the solution"
            )
        text = text.replace(old, new)
    return text
