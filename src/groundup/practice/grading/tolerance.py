"""How far an answer may be from the reference: computed, so that half the precision is too little for an answer, and
any order of summation is enough.

With ε the rounding of the floats that come in or go out, and ε½ that of floats of half as many bits, an array may
differ by √(ε ε½) of its own largest number, which lies between the two, as factors go; and by a few dozen roundings of
the largest number around, for what should cancel to 0. Where a case magnifies the rounding of its arguments (a
variance of numbers far from zero), the answer may be as far off as the reference is for arguments that differ by as
much.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from groundup.practice.grading.trees import mapped_arrays

ROUNDINGS = 64.0  # of the largest number around: sums of a few dozen products, each a gradient of such
TIMES = 8  # that arguments are changed to see what that does
MOST = 1e4  # times the tolerance: where the change of an argument makes another winner, nothing is learned

DOUBLE = np.dtype(np.float64)
HALF: dict[np.dtype, np.dtype] = {DOUBLE: np.dtype(np.float32), np.dtype(np.float32): np.dtype(np.float16)}
ROUNDING = {dtype: float(np.finfo(dtype.name).eps) for dtype in (*HALF, *HALF.values())}


def coarsest(value: Any) -> np.dtype:
    """The coarsest floats among the arrays of a tree: float32 if there is one, else float64."""
    if isinstance(value, Mapping):
        return coarsest(tuple(value.values()))
    if isinstance(value, tuple | list):
        return min(map(coarsest, value), key=lambda one: one.itemsize, default=DOUBLE)
    if isinstance(value, np.ndarray | np.generic) and value.dtype in HALF:
        return value.dtype
    return DOUBLE


def relative(dtype: np.dtype) -> float:
    """√(ε ε½): the error of an array as a share of its largest number."""
    return math.sqrt(ROUNDING[dtype] * ROUNDING[HALF[dtype]])


def around_zero(dtype: np.dtype) -> float:
    """The error as a share of the largest number around, for what cancels."""
    return ROUNDINGS * ROUNDING[dtype]


def nudged(value: Any, rng: np.random.Generator) -> Any:
    """A tree with the floats of its arrays changed by the tolerance at most, each by itself."""

    def change(array: np.ndarray) -> np.ndarray:
        if array.dtype not in HALF:
            return array
        return (array * (1 + relative(array.dtype) * rng.uniform(-1, 1, array.shape))).astype(array.dtype)

    return mapped_arrays(value, change)


def magnified(expected: Any, again: Callable[[np.random.Generator], Any]) -> dict[str, float]:
    """By how much each array of ``expected`` moves where ``again`` computes it from nudged arguments, by its path."""
    rng = np.random.default_rng(0)
    before = dict(paths(expected))
    moved = dict.fromkeys(before, 0.0)
    with np.errstate(all="ignore"):
        for _ in range(TIMES):
            for path, after in paths(again(rng)):
                if path in before and np.shape(after) == np.shape(before[path]):
                    change = np.abs(np.asarray(after, np.float64) - before[path])
                    moved[path] = max(moved[path], float(np.max(change[np.isfinite(change)], initial=0.0)))
    return moved


def paths(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The real numbers and arrays of a tree, each with its path: keys and places, with dots."""
    pairs: Any = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, tuple | list) else ()
    )
    for key, item in pairs:
        yield from paths(item, f"{path}.{key}" if path else str(key))
    if isinstance(value, float | np.ndarray | np.generic) and np.asarray(value).dtype.kind == "f":
        yield path, value


def finite(value: Any) -> bool:
    """Whether all numbers of a tree are."""
    return all(bool(np.isfinite(leaf).all()) for _, leaf in paths(value))
