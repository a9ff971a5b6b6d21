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
    count, width = weight.shape
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        raise IndexError(f"embedding indices must be in [0, {count}), but lie in [{indices.min()}, {indices.max()}]")

    def backward(dy: Array) -> Array:
        # dL/dweight[k] = Σ of dy over the places where k was looked up. Sorting brings these together, so
        # that each sum is over one run of rows; np.add.at does the same row by row and is much slower.
        flat = indices.reshape(-1)
        order = np.argsort(flat, kind="stable")
        ordered = flat[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))  # where a new index begins
        dweight = np.zeros_like(weight)
        dweight[ordered[starts]] = np.add.reduceat(dy.reshape(-1, width)[order], starts, axis=0)
        return dweight

    return weight.take(indices, axis=0), backward
