"""What a run found, small enough to be kept beside its numbers, so that figures can be drawn from there later."""

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
    ``groundup.data.measured`` gives them to lessons.
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


def is_missing(item: Any) -> bool:
    """Whether an item is a number that there is not: NaN or infinite, null in JSON."""
    return isinstance(item, float | np.floating) and not math.isfinite(item)
