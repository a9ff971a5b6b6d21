"""What must be so in this lesson; ``groundup check self_attention`` proves it."""

import math

import numpy as np

from groundup.lesson import Fact
from groundup.lessons.self_attention.experiment import (
    WIDTHS,
    blocks_against_full,
    forward_and_backward,
    product_variance,
)
from groundup.lessons.self_attention.model import attend, attend_with_loops, self_attention
from groundup.ops.init import linear_params
from groundup.ops.positions import sinusoidal_positions

WORDS = ("cat", "chases", "mouse")


def loops_apart() -> float:
    """The largest difference of outputs and gradients between the loops and two matrix products."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for n in (1, 8, 32, 64):
        arrays = list(rng.normal(size=(4, n, 32)))
        results = (forward_and_backward(function, arrays) for function in (attend_with_loops, attend))
        worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(*results, strict=True)))
    return worst


def variance_apart() -> float:
    """How many standard errors the variance of q·k is from d, for the width where it is farthest."""
    rng = np.random.default_rng(1)
    found = ((d, *product_variance(rng, d, 20_000)) for d in WIDTHS)
    return max(abs(variance - d) / error for d, variance, error in found)


def blocks_apart() -> float:
    """The largest difference in float32 between the outputs of merged blocks and of full attention."""
    rng = np.random.default_rng(2)
    return max(blocks_against_full(rng, n, 64)["output"] for n in (256, 1000))


def word_order(rng: np.random.Generator, width: int = 8, heads: int = 2) -> tuple[float, float]:
    """Two sentences of the same words, the second backwards: how much each word's output changes.

    Returns the largest change without positions and with sinusoidal ones, of a layer with random weights.
    """
    params = {part: linear_params(rng, width, width, dtype=np.float64) for part in ("query", "key", "value", "out")}
    sentence = rng.normal(size=(len(WORDS), width))  # cat chases mouse
    changes = []
    for positions in (np.zeros_like(sentence), sinusoidal_positions(len(WORDS), width, np.float64)):
        forwards, _ = self_attention((sentence + positions)[None], params, heads)
        backwards, _ = self_attention((sentence[::-1] + positions)[None], params, heads)
        changes.append(float(np.abs(forwards - backwards[:, ::-1]).max()))
    return changes[0], changes[1]


def order_seen() -> float:
    """The largest change of a word's output, without positions, when the sentence is turned round."""
    return max(word_order(np.random.default_rng(seed))[0] for seed in range(5))


def order_unseen() -> float:
    """Zero if with positions every one of five layers gives turned sentences other vectors, else infinite."""
    return 0.0 if min(word_order(np.random.default_rng(seed))[1] for seed in range(5)) > 0.01 else math.inf


FACTS = (
    Fact("loops", "Two matrix products give the outputs and gradients of the loops", loops_apart, 1e-12),
    Fact("variance", "The variance of q·k is d, for d from 4 to 1024: within four standard errors", variance_apart, 4),
    Fact("blocks", "Four workers that merge blocks give the output of full attention in float32", blocks_apart, 1e-6),
    Fact(
        "order",
        "Without positions “cat chases mouse” gives the vectors of “mouse chases cat” in another order",
        order_seen,
        1e-12,
    ),
    Fact("positions", "With positions added the two sentences give different vectors", order_unseen),
)
