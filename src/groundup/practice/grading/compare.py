"""Whether an answer's value is the reference's: the same shape, the same dtype, the same numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from groundup.practice.grading.tolerance import DOUBLE, MOST, around_zero, coarsest, relative
from groundup.practice.grading.wire import Function, Other

SHOWN = 60  # numbers of an array that are printed whole


@dataclass(frozen=True)
class Mismatch:
    """Where two values differ. ``part`` names the piece of a tuple or tree, "" for the whole."""

    kind: str  # "kind", "shape", "dtype" or "values"
    part: str
    message: str
    expected: str = ""
    got: str = ""
    error: float | None = None


@dataclass(frozen=True)
class Near:
    """What counts as equal.

    dtype      the coarsest floats that the computation began with: those of the arguments
    around     the largest number around, where that is none of the expected ones
    magnified  by how much the reference moves with its arguments, by path (``tolerance.magnified``)
    exact      False where only kinds, shapes and dtypes count
    """

    dtype: np.dtype = DOUBLE
    around: float = 0.0
    magnified: Mapping[str, float] = field(default_factory=dict)
    exact: bool = True


def compare(expected: Any, got: Any, near: Near = Near()) -> Mismatch | None:
    """The first difference, or None. Floats may differ by what ``tolerance.py`` computes, all else by nothing."""
    return _compare(expected, got, replace(near, around=max(largest(expected), near.around)), "")


def _compare(expected: Any, got: Any, near: Near, part: str) -> Mismatch | None:
    if isinstance(expected, tuple | list):
        if not isinstance(got, tuple | list):
            return Mismatch("kind", part, f"{a_tuple(expected)} is wanted, not {describe(got)}")
        if len(got) != len(expected):
            return Mismatch("kind", part, f"{a_tuple(expected)} is wanted, not one of {len(got)}")
        items = [(str(index), *pair) for index, pair in enumerate(zip(expected, got, strict=True))]
    elif isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            return Mismatch("kind", part, f"a dict is wanted, not {describe(got)}")
        if got.keys() != expected.keys():
            missing = [str(key) for key in expected if key not in got]
            surplus = [str(key) for key in got if key not in expected]
            words = " and ".join(
                f"{word} {', '.join(keys)}" for word, keys in (("lacks", missing), ("should not have", surplus)) if keys
            )
            return Mismatch("kind", part, f"the dict {words}")
        items = [(str(key), expected[key], got[key]) for key in expected]
    else:
        return compare_leaf(expected, got, near, part)
    for name, a, b in items:
        found = _compare(a, b, near, f"{part}.{name}" if part else name)
        if found:
            return found
    return None


def compare_leaf(expected: Any, got: Any, near: Near, part: str) -> Mismatch | None:
    """One array, number, text or other plain value."""
    got = as_meant(expected, got)
    if not is_numeric(expected):
        if type(got) is type(expected) and (got == expected or not near.exact):
            return None
        return Mismatch("values", part, "", show(expected), show(got))
    if not is_numeric(got):
        return Mismatch("kind", part, f"{describe(expected)} is wanted, not {describe(got)}", show(expected), show(got))
    a, b = np.asarray(expected), np.asarray(got)
    if a.shape != b.shape:
        return Mismatch("shape", part, f"shape {a.shape} is wanted, not {b.shape}", show(expected), show(got))
    # A plain Python number has no dtype of its own, whichever side it is on.
    plain = not isinstance(expected, np.ndarray | np.generic) or not isinstance(got, np.ndarray | np.generic)
    same = a.dtype.kind == b.dtype.kind and (a.dtype.kind in "iu" or plain or a.dtype == b.dtype)
    numbers = plain and a.dtype.kind in "iuf" and b.dtype.kind in "iuf" and isinstance(expected, float)
    signs = a.dtype.kind in "iu" and b.dtype.kind in "iu"
    if not (same or numbers or signs):
        return Mismatch("dtype", part, f"dtype {a.dtype} is wanted, not {b.dtype}", show(expected), show(got))
    if not near.exact:
        return None
    error, place = largest_error(a, b)
    if error <= allowed(a, near, part):
        return None
    where = f"the largest difference is at {list(place)}: {a[place]:.6g} is wanted, not {b[place]:.6g}" if place else ""
    return Mismatch("values", part, where, show(expected, place), show(got, place), error)


def as_meant(expected: Any, got: Any) -> Any:
    """Rows of whole numbers or truths as lists are the array that is wanted. (Lists of floats have no dtype: they stay
    what they are.)"""
    if not isinstance(expected, np.ndarray) or expected.dtype.kind not in "biu" or not isinstance(got, list):
        return got
    try:
        array = np.array(got)
    except (ValueError, OverflowError):  # rows of several lengths, numbers of any size
        return got
    return array.astype(expected.dtype) if array.dtype.kind == expected.dtype.kind or not array.size else got


def allowed(expected: np.ndarray, near: Near, part: str) -> float:
    """The largest error that an array may have; whole numbers are right or wrong."""
    if expected.dtype.kind not in "fc":
        return 0.0
    dtype = coarsest((expected, np.empty(0, near.dtype)))
    share = relative(dtype)
    own = share * largest(expected) + around_zero(dtype) * near.around
    return own + min(near.magnified.get(part, 0.0), MOST * share * near.around)


def largest_error(a: np.ndarray, b: np.ndarray) -> tuple[float, tuple[int, ...]]:
    """The largest difference of two arrays of one shape, and where; infinite where only one is finite or a number."""
    if a.size == 0:
        return 0.0, ()
    if a.dtype.kind not in "fc":
        differs = (a != b).astype(float)
        if a.dtype.kind in "iu":
            differs = np.abs(a.astype(float) - b.astype(float)) + differs  # + 1: neighbours may be one float
    else:
        with np.errstate(invalid="ignore", over="ignore"):
            differs = np.abs(a.astype(np.result_type(a.dtype, np.float64)) - b)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        differs = np.where(same, 0.0, np.where(np.isfinite(a) & np.isfinite(b), differs, np.inf))
        differs = np.where(np.isnan(differs), np.inf, differs)
    place = np.unravel_index(int(np.argmax(differs)), differs.shape)
    return float(differs[place]), tuple(int(index) for index in place)


def largest(value: Any) -> float:
    """The largest finite number of a tree, by size."""
    if isinstance(value, tuple | list):
        return max(map(largest, value), default=0.0)
    if isinstance(value, Mapping):
        return max(map(largest, value.values()), default=0.0)
    if not is_numeric(value):
        return 0.0
    array = np.abs(np.asarray(value, dtype=np.complex128 if np.iscomplexobj(value) else np.float64))
    finite = array[np.isfinite(array)]
    return float(finite.max()) if finite.size else 0.0


def same_bits(a: Any, b: Any) -> bool:
    """Whether two trees are exactly equal, NaN being equal to NaN."""
    if is_numeric(a) and is_numeric(b):
        a, b = np.asarray(a), np.asarray(b)
        return bool(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same_bits, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same_bits(a[key], b[key]) for key in a)
    return type(a) is type(b) and (isinstance(a, Function | Other) or bool(a == b))


def is_numeric(value: Any) -> bool:
    """Whether it is a number or an array of numbers or truths."""
    return isinstance(value, bool | int | float | complex | np.ndarray | np.generic)


def a_tuple(value: Any) -> str:
    """ "a tuple of 3"."""
    return f"a {type(value).__name__} of {len(value)}"


def describe(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, Other | Function):
        return repr(value)
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    names = {"int": "an integer", "float": "a number", "str": "a text"}
    kind = type(value).__name__
    return names.get(kind, f"a {kind}")


def show(value: Any, place: tuple[int, ...] = ()) -> str:
    """A value for people: small arrays whole, of larger ones the numbers around ``place``."""
    if isinstance(value, np.ndarray):
        if value.size <= SHOWN:
            return np.array2string(value, precision=6, separator=", ", max_line_width=100, suppress_small=True)
        if place:
            row = value[place[:-1]]
            start = max(0, place[-1] - 3)
            shown = np.array2string(row[start : start + 6], precision=6, separator=", ", max_line_width=100)
            index = "".join(f"{i}, " for i in place[:-1])
            return f"array of shape {value.shape}; at [{index}{start}:{start + len(row[start : start + 6])}]: {shown}"
        return f"array of shape {value.shape}"
    if isinstance(value, np.generic):
        return f"{value.item()!r} ({value.dtype})" if value.dtype.kind not in "fc" else f"{value:.9g} ({value.dtype})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {show(item)}" for key, item in list(value.items())[:12]) + "}"
    if isinstance(value, tuple | list):
        inner = ", ".join(show(item) for item in value[:12]) + (", …" if len(value) > 12 else "")
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, np.random.Generator):
        return "a random generator"
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "…"
