"""Small operations with their gradients, a two-layer network made of such operations, and a numerical check."""

from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.ops.activations import relu
from groundup.ops.broadcast import unbroadcast
from groundup.ops.init import linear_params
from groundup.ops.linear import linear
from groundup.ops.types import Array, Backward, Tree

Axis = int | tuple[int, ...] | None


def add(a: Array, b: Array) -> tuple[Array, Backward]:
    """a + b, element by element; the shapes broadcast. ``backward(dy)`` returns (da, db)."""

    def backward(dy: Array) -> tuple[Array, Array]:
        return unbroadcast(dy, a.shape), unbroadcast(dy, b.shape)  # (3) ∂y/∂a = ∂y/∂b = 1

    return a + b, backward


def multiply(a: Array, b: Array) -> tuple[Array, Backward]:
    """a · b, element by element; the shapes broadcast. ``backward(dy)`` returns (da, db)."""

    def backward(dy: Array) -> tuple[Array, Array]:
        return unbroadcast(dy * b, a.shape), unbroadcast(dy * a, b.shape)  # ∂y/∂a = b, ∂y/∂b = a

    return a * b, backward


def subtract(a: Array, b: Array) -> tuple[Array, Backward]:
    """a − b, element by element; the shapes broadcast. ``backward(dy)`` returns (da, db)."""

    def backward(dy: Array) -> tuple[Array, Array]:
        return unbroadcast(dy, a.shape), unbroadcast(-dy, b.shape)

    return a - b, backward


def divide(a: Array, b: Array) -> tuple[Array, Backward]:
    """a / b, element by element; the shapes broadcast. ``backward(dy)`` returns (da, db)."""
    y = a / b

    def backward(dy: Array) -> tuple[Array, Array]:
        da = dy / b  # ∂y/∂a = 1/b
        return unbroadcast(da, a.shape), unbroadcast(-da * y, b.shape)  # ∂y/∂b = −a/b² = −y/b

    return y, backward


def power(x: Array, exponent: float) -> tuple[Array, Backward]:
    """x to a fixed power, element by element. ``backward(dy)`` returns dx."""

    def backward(dy: Array) -> Array:
        if exponent == 0:
            return np.zeros_like(dy)  # a constant, also at x = 0 where 0⁻¹ is no number
        return dy * (exponent * x ** (exponent - 1))  # ∂y/∂x = n xⁿ⁻¹

    return x**exponent, backward


def exp(x: Array) -> tuple[Array, Backward]:
    """eˣ, element by element. ``backward(dy)`` returns dx."""
    y = np.exp(x)
    return y, lambda dy: dy * y  # ∂y/∂x = eˣ


def log(x: Array) -> tuple[Array, Backward]:
    """The natural logarithm, element by element. ``backward(dy)`` returns dx."""
    return np.log(x), lambda dy: dy / x  # ∂y/∂x = 1/x


def total(x: Array, axis: Axis = None, keepdims: bool = False) -> tuple[Array, Backward]:
    """The sum over ``axis`` (all of them if None). ``backward(dy)`` returns dx."""

    def backward(dy: Array) -> Array:
        if axis is not None and not keepdims:
            dy = np.expand_dims(dy, axis)
        return np.broadcast_to(dy, x.shape).copy()  # every summand gets the same: a sum's backward is a broadcast

    return x.sum(axis=axis, keepdims=keepdims), backward


def reshape(x: Array, shape: tuple[int, ...]) -> tuple[Array, Backward]:
    """The same numbers, in the same order, in another shape. ``backward(dy)`` returns dx."""
    return x.reshape(shape), lambda dy: dy.reshape(x.shape)


def transpose(x: Array, axes: tuple[int, ...] | None = None) -> tuple[Array, Backward]:
    """The axes in another order: reversed, if none is given. ``backward(dy)`` returns dx."""
    back = None if axes is None else tuple(int(place) for place in np.argsort(axes))
    return x.transpose(axes), lambda dy: dy.transpose(back)


def take(x: Array, index: Any) -> tuple[Array, Backward]:
    """x[index], for any index that NumPy knows. ``backward(dy)`` returns dx."""

    def backward(dy: Array) -> Array:
        dx = np.zeros_like(x)
        np.add.at(dx, index, dy)  # what was taken twice gets both gradients; dx[index] += dy would keep one
        return dx

    return x[index], backward


def init(
    rng: np.random.Generator, inputs: int = 64, hidden: int = 64, classes: int = 10, dtype: type = np.float32
) -> Tree:
    """Parameters of the network; their flat names are those of PyTorch's ``state_dict``."""
    return {
        "hidden": linear_params(rng, inputs, hidden, dtype=dtype),
        "readout": linear_params(rng, hidden, classes, dtype=dtype),
    }


def mlp(
    params: Tree, images: Array, activation: Callable[[Array], tuple[Array, Backward]] = relu
) -> tuple[Array, Backward]:
    """A multi-layer perceptron: linear, ReLU (or another activation), linear.

    images (N, ...), flattened to (N, inputs). Returns the logits (N, classes).
    ``backward(d_logits)`` returns the gradient tree of ``params``.
    """
    pixels = images.reshape(len(images), -1)  # (N, inputs)
    before, hidden_backward = linear(pixels, params["hidden"]["weight"], params["hidden"]["bias"])  # (N, hidden)
    active, activation_backward = activation(before)
    logits, readout_backward = linear(active, params["readout"]["weight"], params["readout"]["bias"])  # (N, classes)

    def backward(d_logits: Array) -> Tree:
        d_active, d_readout_weight, d_readout_bias = readout_backward(d_logits)
        d_before = activation_backward(d_active)
        _, d_hidden_weight, d_hidden_bias = hidden_backward(d_before)
        return {
            "hidden": {"weight": d_hidden_weight, "bias": d_hidden_bias},
            "readout": {"weight": d_readout_weight, "bias": d_readout_bias},
        }

    return logits, backward


def numerical_gradient(function: Callable[[Array], Any], x: Array, step: float = 1e-5) -> Array:
    """The gradient of a function from an array to one number, by nudging one element at a time.

    Central differences, (f(x + h) − f(x − h)) / 2h: two calls for every element, so only for small arrays.
    """
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[index] = step
        gradient[index] = (function(x + nudge) - function(x - nudge)) / (2 * step)  # both ways
    return gradient
