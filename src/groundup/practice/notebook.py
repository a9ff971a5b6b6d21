"""`check("softmax")` in a notebook: grades a function that was defined there, with the helpers that it uses."""

import ast
import contextlib
import inspect
import linecache
import sys
import textwrap
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from groundup.errors import UserError
from groundup.notebooks.source_modules import used_names

LARGEST = 10_000  # numbers of an array that goes along with a function
PLAIN = (bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset, type(None))


class Shown(str):
    """A text that a notebook shows as it is, without quotes."""

    def __repr__(self) -> str:
        return str(self)


def check(name: str, seed: int | None = None) -> Shown:
    """Grade your function of an exercise: what it says is the verdict. Raises UserError where there is none.

    The function is taken from the notebook (or module) that calls ``check``, together with the functions, constants
    and imports of it that the function uses; it then runs in a process of its own, on arguments drawn anew unless a
    ``seed`` is given. The attempt is kept where ``groundup practice`` keeps its own.
    """
    from groundup.practice import progress
    from groundup.practice.grading.grader import grade
    from groundup.practice.registry import find_exercise

    exercise = find_exercise(name)
    namespace = sys._getframe(1).f_globals
    missing = [needed for needed in exercise.names if needed not in namespace]
    if missing:
        raise UserError(f"Define {' and '.join(missing)} first: then check({exercise.name!r}) can grade it.")
    verdict = grade(exercise, source_from(namespace, exercise.names), seed)
    progress.record(exercise, verdict.status, verdict.check)
    return Shown(verdict.text())


def source_from(namespace: dict[str, Any], names: tuple[str, ...]) -> str:
    """The text of these functions and classes and of all that they use from the namespace, to stand alone.

    Raises UserError for a function whose text is not there.
    """
    home = namespace.get("__name__", "__main__")
    imports: list[str] = []
    pieces: dict[str, str] = {}
    for name in names:
        if not isinstance(namespace.get(name), types.FunctionType | type):
            raise UserError(
                f"Define {name} with `def {name}(…)`, so that its text can be graded: "
                f"it is a {type(namespace.get(name)).__name__} here."
            )
    todo = list(reversed(names))
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen or name not in namespace:
            continue  # a built-in, or a name that the answer will miss: it will be told
        seen.add(name)
        value = namespace[name]
        if isinstance(value, types.FunctionType | type) and value.__module__ == home:
            text = text_of(name, value, namespace.get("In", ()))
            pieces[name] = text
            todo += sorted(used_names(text))
        elif isinstance(value, types.ModuleType):
            plain = "." not in value.__name__ and value.__name__ == name
            imports.append(f"import {value.__name__}" + ("" if plain else f" as {name}"))
        elif isinstance(value, np.ndarray) and value.size > LARGEST:
            raise UserError(
                f"{name} has {value.size} numbers, too many to be graded with what uses it: make it in the function."
            )
        elif isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            pieces[name] = f"{name} = np.array({value.tolist()!r}, dtype='{value.dtype}')"
        elif is_plain(value):
            pieces[name] = f"{name} = {value!r}"
        elif hasattr(value, "__module__") and getattr(sys.modules.get(value.__module__), name, None) is value:
            imports.append(f"from {value.__module__} import {name}")
        elif origin := imported_as(value):
            imports.append(f"from {origin[0]} import {origin[1]} as {name}")
    # Annotations are not evaluated, so that aliases such as Array need not be there.
    lines = ["from __future__ import annotations", "import numpy as np", *dict.fromkeys(sorted(imports))]
    constants = [text for text in pieces.values() if not text.startswith(("def ", "class ", "@", "async "))]
    definitions = [text for text in reversed(pieces.values()) if text not in constants]
    return "\n".join(lines + constants) + "\n\n\n" + "\n\n\n".join(definitions) + "\n"


def text_of(name: str, value: Any, cells: Sequence[str] = ()) -> str:
    """A definition's text, under the name that it has in the notebook, whose ``cells`` know what Python forgets."""
    text = ""
    with contextlib.suppress(OSError, TypeError, SyntaxError):
        text = textwrap.dedent(inspect.getsource(value)) if isinstance(value, types.FunctionType) else ""
        ast.parse(text)
    if isinstance(value, type):
        codes = [member.__code__ for member in vars(value).values() if isinstance(member, types.FunctionType)]
        files = ["".join(linecache.getlines(code.co_filename)) for code in codes]
        text = next(filter(None, (class_in(source, name) for source in [*files, *reversed(cells)])), "")
    if not text:
        raise UserError(f"The text of {name} cannot be found: define it in a cell of its own.")
    if value.__name__ != name or not text.lstrip().startswith(("def ", "class ", "@", "async ")):
        raise UserError(f"Define {name} with `def {name}(…)`, so that its text can be graded.")
    return text


def class_in(source: str, name: str) -> str:
    """The text of a class in a cell; "" if it is not there."""
    try:
        found = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name]
    except SyntaxError:  # a cell with magics
        return ""
    if not found:
        return ""
    first = min([found[-1].lineno, *(decorator.lineno for decorator in found[-1].decorator_list)])
    return "\n".join(source.splitlines()[first - 1 : found[-1].end_lineno])


def is_plain(value: Any) -> bool:
    """Whether its repr is a literal that gives it back."""
    if not isinstance(value, PLAIN) or len(text := repr(value)) > 100_000:
        return False
    try:
        return bool(ast.literal_eval(text) == value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def imported_as(value: Any) -> tuple[str, str] | None:
    """Module and name of a thing that goes by another name here: ``from numpy import ndarray as Array``."""
    module, name = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if isinstance(module, str) and isinstance(name, str) and getattr(sys.modules.get(module), name, None) is value:
        return module, name
    return None
