"""An example for each exercise: small arguments, and what the solution makes of them, computed when pages are built."""

from typing import Any

import numpy as np

from groundup.practice.exercise import Arguments, Exercise
from groundup.practice.grading.compare import show
from groundup.practice.grading.judge import named_gradients, upstream_of
from groundup.practice.grading.subject import Local
from groundup.practice.grading.trees import mapped
from groundup.practice.grading.wire import Code

Json = dict[str, Any]

LEAST = 6  # what an example weighs at least: one or two numbers say little
DECIMALS = 2
LONGEST = 400  # characters of a call that is offered to be tried


def example(exercise: Exercise) -> Json:
    """Arguments as texts by name, the value, and gradients where there are any; ``call`` is the same as code, if it can
    be written in a line."""
    cases = sorted(exercise.cases(np.random.default_rng([0, 0])), key=weight)
    case = next((one for one in cases if weight(one) >= LEAST), cases[-1])
    for arguments in (rounded(case), case):  # what has to add up to 1 does not after rounding
        try:
            return computed(exercise, arguments)
        except (ArithmeticError, ValueError, IndexError, KeyError, AssertionError):
            continue
    raise ValueError(f"exercise {exercise.name}: the solution fails on its own cases")


def weight(value: Any) -> int:
    """How much there is to read: numbers of arrays, letters of texts, the size of whole numbers."""
    if isinstance(value, dict):
        return sum(map(weight, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(weight, value)) + 1
    if isinstance(value, np.ndarray):
        return int(value.size)
    return len(value) if isinstance(value, str) else abs(value) if type(value) is int else 1


def computed(exercise: Exercise, arguments: Arguments) -> Json:
    """The example with these arguments."""
    rng = np.random.default_rng([0, 1])
    with np.errstate(all="ignore"):
        answer = Local(exercise)(**arguments)
        found: Json = {
            "arguments": {name: text(value) for name, value in arguments.items()},
            "value": text(answer.value),
            "upstream": "",
            "gradients": {},
            "call": call(exercise, arguments),
            "random": not exercise.exact,
        }
        if exercise.gives:
            upstream = rounded(upstream_of(exercise, answer.value, rng))
            gradients = named_gradients(exercise, answer.pull(*upstream))
            assert isinstance(gradients, dict), gradients
            found["upstream"] = text(upstream[0] if len(upstream) == 1 else upstream)
            found["gradients"] = {name: text(value) for name, value in gradients.items()}
    return found


def rounded(value: Any) -> Any:
    """Floats of a tree with a few decimals, so that they can be typed."""

    def short(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
            return np.round(leaf, DECIMALS) + 0.0  # no -0
        return round(leaf, DECIMALS) if type(leaf) is float else leaf

    return mapped(value, short)


def text(value: Any) -> str:
    """A value for people, with few digits."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple | list) and len(value) <= 24:
        inner = ", ".join(map(text, value))
        return f"({inner}{',' * (len(value) == 1)})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, np.ndarray) and value.size <= 60:
        if value.dtype.kind == "f":
            value = np.round(value, 4) + 0.0  # no -0
        return np.array2string(value, precision=4, separator=", ", max_line_width=60, suppress_small=True)
    if isinstance(value, np.random.Generator):
        return "a random generator"
    return f"{value:.6g}" if isinstance(value, float | np.floating) else show(value)


def call(exercise: Exercise, arguments: Arguments) -> str:
    """The call as a line of Python, or "" where it takes more than one or is too long."""
    if exercise.use or "." in exercise.functions[0].__qualname__:
        return ""
    try:
        given = [f"{name}={code(value, exercise.track)}" for name, value in arguments.items()]
    except TypeError:
        return ""
    line = f"{exercise.names[0]}({', '.join(given)})"
    return line if len(line) <= LONGEST else ""


def code(value: Any, track: str) -> str:
    """A value as Python. Raises TypeError for what has no such form."""
    if isinstance(value, Code):
        raise TypeError
    if isinstance(value, np.ndarray):
        make = "torch.tensor" if track == "torch" else "np.array"
        return f"{make}({value.tolist()!r})" if np.isfinite(value).all() and value.size else _odd(value, make)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {code(item, track)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        inner = ", ".join(code(item, track) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    raise TypeError


def _odd(value: np.ndarray, make: str) -> str:
    """Arrays with infinities, or without numbers."""
    if not value.size:
        raise TypeError
    words = repr(value.tolist()).replace("-inf", "-np.inf").replace(" inf", " np.inf").replace("[inf", "[np.inf")
    return f"{make}({words.replace('nan', 'np.nan')})"
