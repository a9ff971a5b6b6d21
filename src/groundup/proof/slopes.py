"""A gradient check that fits into a lesson: slopes along random directions (as HIPS/autograd checks its own)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from groundup.ops.types import Tree
from groundup.training.params import leaves, map_tree


def compare_slopes(
    loss: Callable[[Tree], tuple[Any, Tree]],
    params: Tree,
    rng: np.random.Generator,
    trials: int = 3,
    width: float = 1e-5,
) -> Iterator[tuple[float, float]]:
    """Along each random direction: the slope measured by two forward passes, and the one the gradient predicts.

    ``loss(params)`` returns the loss and its gradient tree; use float64. A wrong gradient differs in almost
    every direction, so a few are enough to see it.
    """
    _, gradients = loss(params)
    for _ in range(trials):
        direction = map_tree(lambda leaf: rng.normal(size=leaf.shape), params)
        above = loss(map_tree(lambda p, d: p + width * d, params, direction))[0]
        below = loss(map_tree(lambda p, d: p - width * d, params, direction))[0]
        predicted = sum(leaves(map_tree(np.vdot, gradients, direction)))
        yield float(above - below) / (2 * width), float(predicted)


def show_slopes(
    loss: Callable[[Tree], tuple[Any, Tree]],
    params: Tree,
    rng: np.random.Generator,
    trials: int = 3,
    width: float = 1e-5,
) -> float:
    """Print what ``compare_slopes`` finds along each direction. Returns the largest relative error."""
    worst = 0.0
    for measured, predicted in compare_slopes(loss, params, rng, trials, width):
        error = abs(measured - predicted) / max(abs(measured), abs(predicted), 1e-12)
        print(f"slope measured {measured:+.9f}, predicted {predicted:+.9f}, relative error {error:.1e}")
        worst = max(worst, error)
    return worst
