"""A table of vectors, one for each token."""

import numpy as np

from groundup.ops.types import Array, Backward


def embedding(indices: Array, weight: Array) -> tuple[Array, Backward]:
    """Look up rows of a table: y[...] = weight[indices[...]].

    Shapes: indices (...) integers in [0, count), weight (count, width); y (..., width).
    ``backward(dy)`` returns dweight alone: indices have no gradient.
    Raises TypeError if the indices are not integers, IndexError if one is negative or too large.
    """
    if not np.issubdtype(indices.dtype, np.integer):
        raise TypeError(f"embedding indices must be integers, not {indices.dtype}")
    count = len(weight)
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        raise IndexError(f"embedding indices must be in [0, {count}), but lie in [{indices.min()}, {indices.max()}]")

    def backward(dy: Array) -> Array:
        dweight = np.zeros_like(weight)
        np.add.at(dweight, indices, dy)  # ∂L/∂weight[k] = Σ of dy over the places where k was looked up
        return dweight

    return weight[indices], backward
