"""What a run found, small enough to be kept beside its numbers, so that figures can be drawn from there later."""

import contextlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from groundup.lesson import Curves, Result

MOST_POINTS = 60  # of a curve
MOST_CHARACTERS = 15_000  # of one array, list or text, as JSON
MOST_TOGETHER = 80_000


def thinned(result: Result) -> dict[str, Any]:
    """Curves, arrays and metrics of a run as JSON, numbers with five significant digits, below 80,000 characters.

    Curves keep 60 points, evenly spread, first and last among them. Arrays and metrics are kept whole or left out:
    what is too large, what is no number, text or collection of these, and then the largest until all of it fits.
    ``thickened`` gives it back.
    """
    found: dict[str, Any] = {
        "curves": {name: thin_curve(curve) for name, curve in result.curves.items()},
        "arrays": packed(result.arrays) or {},
        "metrics": packed(result.metrics) or {},
    }
    while len(json.dumps(found)) > MOST_TOGETHER:
        sizes = {
            (part, name): len(json.dumps(found[part][name])) for part in ("arrays", "metrics") for name in found[part]
        }
        if not sizes:
            break
        part, name = max(sizes, key=lambda key: sizes[key])
        del found[part][name]
    return found


def thickened(found: Mapping[str, Any]) -> Result:
    """A Result with the curves, arrays and metrics of a ``thinned`` one; NaN stands for a number that there is not."""
    return Result(**{part: unpacked(found[part]) for part in ("curves", "arrays", "metrics")})


def thin_curve(curve: Curves) -> dict[str, Any]:
    """A curve with at most ``MOST_POINTS`` points, the same in each of its columns."""
    length = max(map(len, curve.values()), default=0)
    rows = np.unique(np.linspace(0, length - 1, min(length, MOST_POINTS)).round().astype(int))
    return {name: [packed(column[row]) for row in rows] for name, column in curve.items() if len(column) == length}


def packed(value: Any) -> Any:
    """A value as JSON; None for what is too large, or neither number nor text: such entries of a dict are left out."""
    if isinstance(value, Mapping):
        parts = {str(key): part for key, item in value.items() if (part := packed(item)) is not None}
        return parts if parts or not value else None
    if isinstance(value, np.ndarray | np.generic):
        small = value.dtype.kind in "biuf" and value.size <= MOST_CHARACTERS / 2
        return packed(value.tolist()) if small else None
    if isinstance(value, list | tuple):
        items = [packed(item) for item in value]
        whole = all(part is not None or is_missing(item) for part, item in zip(items, value, strict=True))
        return items if whole and len(json.dumps(items)) <= MOST_CHARACTERS else None
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value if isinstance(value, str) and len(value) <= MOST_CHARACTERS else None


def unpacked(value: Any) -> Any:
    """What was packed: lists of numbers, however deep, are arrays; keys that are numbers throughout are numbers."""
    if isinstance(value, Mapping):
        keys = list(value)
        for kind in (int, float):
            with contextlib.suppress(ValueError):
                keys = [kind(key) for key in value]
                break
        return {key: unpacked(item) for key, item in zip(keys, value.values(), strict=True)}
    if not isinstance(value, list):
        return value
    with contextlib.suppress(TypeError, ValueError):  # text, dicts, or rows of several lengths
        array = np.array(value if value else [], float if holds_none(value) else None)
        if array.dtype.kind in "biuf":
            return array
    return [unpacked(item) for item in value]


def holds_none(value: Any) -> bool:
    """Whether a list, however deep, lacks a number somewhere."""
    return value is None or (isinstance(value, list) and any(holds_none(item) for item in value))


def is_missing(item: Any) -> bool:
    """Whether an item is a number that there is not: NaN or infinite, null in JSON."""
    return isinstance(item, float | np.floating) and not math.isfinite(item)
