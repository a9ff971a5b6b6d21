"""Products of matrices: the affine map of a fully connected layer, and matmul for stacks of matrices."""

import math

from groundup.ops.broadcast import unbroadcast
from groundup.ops.types import Array, Backward


def linear(x: Array, weight: Array, bias: Array | None = None) -> tuple[Array, Backward]:
    """A linear layer, y = x Wᵀ + b (an affine map).

    Shapes: x (..., inputs), weight (outputs, inputs), bias (outputs,) or None; y (..., outputs).
    ``backward(dy)`` returns (dx, dweight, dbias), or (dx, dweight) without a bias.
    """
    # All axes but the last count as rows of one matrix: examples here, places of a text elsewhere.
    outputs, inputs = weight.shape
    rows = x.reshape(math.prod(x.shape[:-1]), inputs)  # (rows, inputs)
    y = rows @ weight.T  # (rows, outputs)
    if bias is not None:
        y += bias

    def backward(dy: Array) -> tuple[Array, ...]:
        # An input reaches the loss through every output, each time with the weight between the two.
        d_rows = dy.reshape(len(rows), outputs)  # (rows, outputs)
        dx = (d_rows @ weight).reshape(x.shape)  # ∂L/∂x = ∂L/∂y · W
        # One weight serves all rows, and one bias too, so what the rows ask of them adds up.
        dweight = d_rows.T @ rows  # ∂L/∂W = Σ_rows dyᵀ x
        if bias is None:
            return dx, dweight
        return dx, dweight, d_rows.sum(axis=0)  # ∂L/∂b = Σ_rows dy

    return y.reshape(*x.shape[:-1], outputs), backward


def matmul(a: Array, b: Array) -> tuple[Array, Backward]:
    """Matrix product C = A B of two stacks of matrices, whose leading axes broadcast.

    Shapes: a (..., rows, inner), b (..., inner, columns); C (..., rows, columns).
    Raises ValueError if either has fewer than two axes.
    """
    if a.ndim < 2 or b.ndim < 2:
        raise ValueError(f"matmul needs matrices, not arrays of shapes {a.shape} and {b.shape}")

    def backward(dc: Array) -> tuple[Array, Array]:
        da = dc @ b.swapaxes(-1, -2)  # ∂L/∂A = ∂L/∂C · Bᵀ
        db = a.swapaxes(-1, -2) @ dc  # ∂L/∂B = Aᵀ · ∂L/∂C
        return unbroadcast(da, a.shape), unbroadcast(db, b.shape)

    return a @ b, backward
