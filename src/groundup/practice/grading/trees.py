"""Arguments and values of exercises as trees: dicts, tuples (named ones too) and lists, all else being leaves."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A tree of the same form with ``change`` made to every leaf, in their order."""
    if isinstance(value, Mapping):
        return {key: mapped(item, change) for key, item in value.items()}
    if isinstance(value, tuple | list):
        items = [mapped(item, change) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return change(value)


def mapped_arrays(value: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A tree of the same form with ``change`` made to every array; all else as it is."""
    return mapped(value, lambda leaf: np.asarray(change(leaf)) if isinstance(leaf, np.ndarray) else leaf)


def as_float32(value: Any) -> Any:
    """float64 arrays of a tree in float32."""
    return mapped_arrays(value, lambda a: a.astype(np.float32) if a.dtype == np.float64 else a)


def as_whole_numbers(value: Any) -> Any:
    """The floats in the arrays of a tree rounded: zeros and equal numbers come of it."""
    return mapped_arrays(value, lambda a: np.round(a) + 0.0 if a.dtype.kind == "f" else a)  # no −0
