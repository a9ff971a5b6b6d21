"""Elementwise nonlinearities, and the softmax. Arrays have at least one axis."""

import math

import numpy as np

from groundup.ops.types import Array, Backward


def relu(x: Array) -> tuple[Array, Backward]:
    """Rectified linear unit y = max(x, 0), any shape. The derivative at 0 is taken to be 0."""
    # A row of zeros rather than the number 0: NumPy's fast loop for the maximum needs two arrays.
    y = np.maximum(x, np.zeros(x.shape[-1:], x.dtype))

    def backward(dy: Array) -> Array:
        return dy * (y > 0)  # dy/dx = 1 where x > 0, else 0

    return y, backward


def tanh(x: Array) -> tuple[Array, Backward]:
    """Hyperbolic tangent, any shape; values in (-1, 1)."""
    y = np.tanh(x)

    def backward(dy: Array) -> Array:
        dx = y * y  # dy/dx = 1 - y²
        np.subtract(1, dx, out=dx)
        dx *= dy
        return dx

    return y, backward


def sigmoid(x: Array) -> tuple[Array, Backward]:
    """Logistic function y = 1 / (1 + e⁻ˣ), any shape; values in (0, 1)."""
    y = np.negative(x)
    with np.errstate(over="ignore"):  # e⁻ˣ = ∞ is no accident: 1/∞ = 0 is the right limit
        np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)

    def backward(dy: Array) -> Array:
        dx = 1 - y  # dy/dx = y (1 - y)
        dx *= y
        dx *= dy
        return dx

    return y, backward


def gelu(x: Array) -> tuple[Array, Backward]:
    """Gaussian error linear unit in its tanh form, any shape: y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Source: Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2; the form GPT-2 uses.
    """
    slope = math.sqrt(2 / math.pi)
    cubic = 0.044715 * slope
    t = x * x
    t *= cubic
    t += slope
    t *= x
    np.tanh(t, out=t)  # t = tanh(u), u = slope·x + cubic·x³
    y = t + 1
    y *= x
    y *= 0.5

    def backward(dy: Array) -> Array:
        # dy/dx = ½ (1 + t) + ½ x (1 - t²) du/dx,  du/dx = slope + 3·cubic·x²
        dx = x * x
        dx *= 3 * cubic
        dx += slope
        dx *= x
        one_minus_t2 = t * t
        np.subtract(1, one_minus_t2, out=one_minus_t2)
        dx *= one_minus_t2
        dx += t
        dx += 1
        dx *= 0.5
        dx *= dy
        return dx

    return y, backward


def subtract_maximum(x: Array, axis: int = -1) -> Array:
    """x - max(x) along ``axis``, what a softmax may shift by for free: then no exponential can overflow.

    Rows of nothing but -∞ stay as they are, because -∞ - (-∞) is not a number.
    """
    maximum = x.max(axis=axis, keepdims=True)
    maximum[maximum == -np.inf] = 0
    return x - maximum


def softmax(x: Array, axis: int = -1) -> tuple[Array, Backward]:
    """Softmax y_i = e^{x_i} / Σ_j e^{x_j} along ``axis``, any shape with at least one axis.

    Entries of -∞ get probability 0. A row of nothing but -∞ gives zeros and has zero gradient.
    """
    y = subtract_maximum(x, axis)
    np.exp(y, out=y)
    sums = y.sum(axis=axis, keepdims=True)
    sums[sums == 0] = 1  # only a row of -∞ has no 1 in it
    y /= sums

    def backward(dy: Array) -> Array:
        # dL/dx_i = y_i (dL/dy_i - Σ_j y_j dL/dy_j)
        inner = np.vecdot(y, dy, axis=axis)  # type: ignore[call-overload]  # the stubs forget axis
        dx = dy - np.expand_dims(inner, axis)
        dx *= y
        return dx

    return y, backward


def log_softmax(x: Array, axis: int = -1) -> tuple[Array, Backward]:
    """Logarithm of the softmax, y_i = x_i - log Σ_j e^{x_j} along ``axis``, without taking the log of 0.

    A row of nothing but -∞ stays -∞ and has zero gradient.
    """
    y = subtract_maximum(x, axis)
    sums = np.exp(y).sum(axis=axis, keepdims=True)
    alive = sums > 0
    sums[~alive] = 1
    y -= np.log(sums)

    def backward(dy: Array) -> Array:
        # dL/dx_i = dL/dy_i - e^{y_i} Σ_j dL/dy_j
        dx = np.exp(y)
        dx *= dy.sum(axis=axis, keepdims=True)
        np.subtract(dy, dx, out=dx)
        dx *= alive
        return dx

    return y, backward
