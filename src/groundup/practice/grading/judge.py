"""Compares what an answer says with what the reference says, on one call: values, then gradients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from groundup.practice.exercise import Arguments, Exercise
from groundup.practice.grading.compare import Near, compare, describe, largest
from groundup.practice.grading.subject import Answer, Local, NoBackward, Subject
from groundup.practice.grading.tolerance import coarsest, magnified, nudged

STEP = 1e-5  # of measured slopes
SLOPE_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Finding:
    """What is wrong, where. ``raw`` is what the answer gave, for comparison with known mistakes."""

    check: str
    message: str
    arguments: Arguments | None = None
    upstream: tuple[Any, ...] = ()
    expected: str = ""
    got: str = ""
    error: float | None = None
    measured: str = ""
    raw: Any = None
    kind: str = ""  # "value" or "gradient" where raw is one


def size(value: Any) -> int:
    """How many numbers a tree holds."""
    if isinstance(value, Mapping):
        return sum(map(size, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(size, value))
    return int(np.size(value)) if isinstance(value, np.ndarray) else 1


def shapes(arguments: Arguments) -> str:
    """The shapes of the arrays among the arguments: " for x of shape (2, 3)"."""
    found = [f"{name} of shape {value.shape}" for name, value in arguments.items() if isinstance(value, np.ndarray)]
    return f" for {', '.join(found)}" if found else ""


def upstream_of(exercise: Exercise, value: Any, rng: np.random.Generator) -> tuple[Any, ...]:
    """A random upstream gradient for every output that takes one. Never ones: a sum hides what cancels in it."""

    def draw(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: draw(item) for key, item in part.items()}
        if isinstance(part, list):
            return [draw(item) for item in part]
        if isinstance(part, np.ndarray):
            return np.asarray(rng.normal(size=part.shape), part.dtype)
        return part.dtype.type(rng.normal()) if isinstance(part, np.generic) else float(rng.normal())

    parts = value if isinstance(value, tuple) else (value,)
    return tuple(draw(part) for part in parts[: exercise.upstream or None])


def values_finding(
    exercise: Exercise, check: str, arguments: Arguments, expected: Any, got: Any, single: bool, exact: bool = True
) -> Finding | None:
    """Whether the value is right; without ``exact``, whether it is of the right kind."""
    around = min(largest(list(arguments.values())), 1.0)
    near = Near(coarsest(arguments), around, exact=exact and exercise.exact)
    found = compare(expected, got, near)
    if found and found.kind == "values" and near.exact:  # where a case magnifies rounding, more may differ
        near = replace(near, magnified=magnified(expected, lambda rng: Local(exercise)(**nudged(arguments, rng)).value))
        found = compare(expected, got, near)
    if found is None:
        return None
    piece = f"output {found.part} of" if found.part else "the value of"
    call = f"{piece} `{exercise.functions[0].__name__}`{shapes(arguments)}"
    message = f"{found.message[:1].upper()}{found.message[1:]}: {call}." if found.message else f"Wrong: {call}."
    if found.kind == "dtype" and single:
        check = "float32"
        message += " Arguments in float32 give results in float32."
    return Finding(
        found.kind if found.kind in ("shape", "dtype") and not single else check,
        message,
        arguments,
        expected=found.expected,
        got=found.got,
        error=found.error,
        raw=got,
        kind="value",
    )


def named_gradients(exercise: Exercise, raw: Any) -> dict[str, Any] | str:
    """Gradients by argument; in words what is wrong if they are not one for each. Lists do as well as tuples."""
    gives = exercise.gives
    wanted = f"`backward` should return the gradient{'s' if len(gives) > 1 else ''} of {', '.join(gives)}"
    if len(gives) == 1:
        if isinstance(raw, tuple | list) and len(raw) == 1:
            raw = raw[0]
        return f"{wanted}, not None." if raw is None else {gives[0]: raw}
    if not isinstance(raw, tuple | list):
        return f"{wanted}: a tuple of {len(gives)}, not {describe(raw)}."
    if len(raw) != len(gives):
        return f"{wanted}: {len(gives)}, not {len(raw)}."
    return dict(zip(gives, raw, strict=True))


def gradients_finding(
    exercise: Exercise,
    arguments: Arguments,
    upstream: tuple[Any, ...],
    expected: Any,
    raw: Any,
    single: bool,
    exact: bool = True,
) -> Finding | None:
    """Whether the gradients are the reference's, argument by argument; without ``exact``, of their kind."""
    got, wanted = named_gradients(exercise, raw), named_gradients(exercise, expected)
    assert isinstance(wanted, dict), f"the reference of {exercise.name}: {wanted}"
    if isinstance(got, str):
        return Finding("gradients", got, arguments, upstream)
    around = max(largest(wanted), largest(list(upstream)) * max(largest(list(arguments.values())), 1.0))
    near = Near(coarsest(arguments), around, exact=exact and exercise.exact)

    def again(rng: np.random.Generator, name: str) -> Any:
        pulled = Local(exercise)(**nudged(arguments, rng)).pull(*nudged(upstream, rng))
        moved = named_gradients(exercise, pulled)
        assert isinstance(moved, dict)
        return moved[name]

    for name in exercise.gives:
        found = compare(wanted[name], got[name], near)
        if found and found.kind == "values" and near.exact:
            moved = magnified(wanted[name], partial(again, name=name))
            found = compare(wanted[name], got[name], replace(near, magnified=moved))
        if found is None:
            continue
        full = f"{name}.{found.part}" if found.part else name
        message = f"The gradient of {full} is wrong"
        if got[name] is None:
            message = f"The gradient of {full} is missing (None)"
        elif found.message:
            message += f": {found.message}"
        return Finding(
            f"gradient of {full}" + (" in float32" if single else ""),
            f"{message}{'' if found.kind != 'values' else shapes(arguments)}.",
            arguments,
            upstream,
            found.expected,
            found.got,
            found.error,
            evidence(exercise, arguments, upstream, name, wanted[name], got[name]) if found.kind == "values" else "",
            raw,
            "gradient",
        )
    return None


def slope(
    subject: Subject, arguments: Arguments, name: str, place: tuple[int, ...], upstream: tuple[Any, ...]
) -> float:
    """The slope of Σ upstream·value along one element of an argument, from two calls."""
    sums = []
    for sign in (1, -1):
        nudged = arguments[name].copy()
        nudged[place] += sign * STEP
        value = subject(**{**arguments, name: nudged}).value
        parts = value if isinstance(value, tuple | list) else (value,)
        total = 0.0
        for part, weight in zip(parts, upstream, strict=False):
            part = np.asarray(part, dtype=np.float64)
            total += float(np.sum(np.where(np.isfinite(part), part * weight, 0.0)))
        sums.append(total)
    return (sums[0] - sums[1]) / (2 * STEP)


def evidence(
    exercise: Exercise, arguments: Arguments, upstream: tuple[Any, ...], name: str, expected: Any, got: Any
) -> str:
    """That the expected gradient is the true one: the slope measured where the error is largest."""
    array = arguments.get(name)
    flat = all(isinstance(part, np.ndarray | np.generic | float) for part in upstream)
    if not isinstance(array, np.ndarray) or array.dtype != np.float64 or not flat or np.shape(got) != array.shape:
        return ""
    error = np.abs(np.asarray(got) - expected)
    error = np.where(np.isnan(error), np.inf, error)
    place = tuple(int(index) for index in np.unravel_index(int(np.argmax(error)), error.shape))
    try:
        measured = slope(Local(exercise), arguments, name, place, upstream)
    except (TypeError, ValueError, NoBackward):
        return ""
    true, wrong = np.asarray(expected)[place], np.asarray(got)[place]
    if not abs(measured - true) <= SLOPE_TOLERANCE * max(largest(expected), 1e-3):
        return ""  # at a kink, such as a tie, there is no slope to measure
    return f"nudging {name}{list(place)} by ±{STEP:g} gives a slope of {measured:.6g}; your backward says {wrong:.6g}"


def slopes_finding(
    exercise: Exercise, subject: Subject, arguments: Arguments, answer: Answer, rng: np.random.Generator
) -> Finding | None:
    """Whether gradients agree with slopes measured on the answer itself: where no reference says the values."""
    upstream = upstream_of(exercise, answer.value, rng)
    raw = answer.pull(*upstream)
    got = named_gradients(exercise, raw)
    if isinstance(got, str):
        return Finding("gradients", got, arguments, upstream)
    for name in exercise.gives:
        array = arguments[name]
        shaped = compare(np.zeros_like(array), got[name], Near(exact=False))
        if shaped:
            return Finding(f"gradient of {name}", f"The gradient of {name}: {shaped.message}.", arguments, upstream)
        places = list(np.ndindex(array.shape))
        if len(places) > 12:
            places = [places[index] for index in rng.choice(len(places), 12, replace=False)]
        scale = max(largest(got[name]), 1e-3 * largest(list(upstream)))
        for place in places:
            measured, said = slope(subject, arguments, name, place, upstream), float(got[name][place])
            scale = max(scale, abs(measured))
            if not abs(measured - said) <= SLOPE_TOLERANCE * scale:
                return Finding(
                    f"gradient of {name}",
                    f"The gradient of {name} at {list(place)} is not the slope that your own function has there"
                    f"{shapes(arguments)}.",
                    arguments,
                    upstream,
                    f"{measured:.6g}",
                    f"{said:.6g}",
                    abs(measured - said),
                    raw=raw,
                    kind="gradient",
                )
    return None


Property = Callable[[Subject, Subject, np.random.Generator], Finding | str | None]
