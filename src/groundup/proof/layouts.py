"""The same numbers, lying otherwise in memory: what a function may be given that arrays made in order never show."""

from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.training.params import map_tree


def rearranged(value: Any, layout: Callable[[np.ndarray], np.ndarray]) -> Any:
    """The same numbers, every array of the tree in another layout; what is no array as it is."""
    if isinstance(value, dict | list):
        return map_tree(lambda leaf: rearranged(leaf, layout), value)
    return layout(value) if isinstance(value, np.ndarray) and value.ndim else value


def strided(array: np.ndarray) -> np.ndarray:
    """A view with gaps: every second element, along every axis, of an array twice as long."""
    room = np.zeros([2 * length for length in array.shape], array.dtype)
    view = room[(slice(None, None, 2),) * array.ndim]
    view[...] = array
    return view


def reversed_axes(array: np.ndarray) -> np.ndarray:
    """A view that runs backwards through memory along every axis."""
    backwards = (slice(None, None, -1),) * array.ndim
    return array[backwards].copy()[backwards]
