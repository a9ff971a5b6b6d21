"""Instruments that lessons measure with: growth exponents, peak memory, time side by side, and leaks of the future."""

import timeit
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from groundup.ops.types import Array


def growth(sizes: Sequence[float] | Array, amounts: Sequence[float] | Array) -> float:
    """The exponent e of the least-squares fit amount ∝ size^e: 1 is linear, 2 the square. All must be positive."""
    return float(np.polyfit(np.log(sizes), np.log(amounts), 1)[0])


def peak_mib(function: Callable[[], Any]) -> float:
    """The most memory, in MiB, that a call holds at a time beyond what was there before it, by Python's own count.

    Rounded to a KiB: Python's own small objects are not always made anew.
    """
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        function()
        return round((tracemalloc.get_traced_memory()[1] - before) / 2**20, 3)
    finally:
        tracemalloc.stop()


def seconds(function: Callable[[], Any], repeats: int) -> float:
    """The shortest time of a few calls: what disturbs a call can only make it longer."""
    return min(timeit.repeat(function, number=1, repeat=repeats))


def side_by_side(functions: Sequence[Callable[[], Any]], repeats: int) -> Array:
    """(functions, repeats) seconds, called in turn, so that a machine whose speed drifts drifts for all of them.

    What is to be told is the median of the quotients of two rows.
    """
    taken = np.empty((len(functions), repeats))
    for turn in range(repeats):
        for row, function in enumerate(functions):
            taken[row, turn] = timeit.timeit(function, number=1)
    return taken


def leaks(outputs: Callable[[Array], Array], tokens: Array) -> Array:
    """(T - 1,): for every t >= 1 the largest change of any output before t when token t is changed.

    ``outputs`` maps tokens (B, T) to logits (B, T, V). A causal model gives zeros.
    """
    before = outputs(tokens)
    found = np.zeros(tokens.shape[1] - 1)
    for t in range(1, tokens.shape[1]):
        changed = tokens.copy()
        changed[:, t] = (changed[:, t] + 1) % before.shape[-1]
        found[t - 1] = np.abs(outputs(changed)[:, :t] - before[:, :t]).max()
    return found
