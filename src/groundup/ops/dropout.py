"""Dropout: switch off random units while training."""

import numpy as np

from groundup.ops.types import Array, Backward


def dropout(x: Array, rate: float, rng: np.random.Generator) -> tuple[Array, Backward]:
    """Inverted dropout: y = x · keep / (1 - rate), each element kept with probability 1 - rate.

    Dividing while training keeps the expectation of y at x, so that nothing is rescaled afterwards.
    At rate 0, y is x itself and nothing is drawn. Any shape.
    Raises ValueError unless 0 ≤ rate < 1.

    Source: Srivastava et al. 2014 (JMLR 15), section 4; the division is the alternative of section 10.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"the dropout rate must be in [0, 1), not {rate}")
    if rate == 0:
        return x, lambda dy: dy
    keep = rng.random(x.shape, dtype=np.float32) >= rate  # one byte for each element is all that is kept

    def backward(dy: Array) -> Array:
        return dy * keep / (1 - rate)  # ∂y/∂x = keep / (1 - rate)

    return x * keep / (1 - rate), backward
