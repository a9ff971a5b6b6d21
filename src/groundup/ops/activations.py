"""Elementwise nonlinearities, and the softmax."""

import math

import numpy as np

from groundup.ops.types import Array, Backward


def relu(x: Array) -> tuple[Array, Backward]:
    """Rectified linear unit y = max(x, 0), any shape. The derivative at 0 is taken to be 0."""
    y = np.maximum(x, 0)

    def backward(dy: Array) -> Array:
        return dy * (y > 0)  # ∂y/∂x = 1 where x > 0, and there y > 0; else 0

    return y, backward


def tanh(x: Array) -> tuple[Array, Backward]:
    """Hyperbolic tangent, any shape; values in (-1, 1)."""
    y = np.tanh(x)

    def backward(dy: Array) -> Array:
        return dy * (1 - y * y)  # ∂y/∂x = 1 - y²

    return y, backward


def sigmoid(x: Array) -> tuple[Array, Backward]:
    """Logistic function y = 1 / (1 + e⁻ˣ), any shape; values in (0, 1)."""
    with np.errstate(over="ignore"):  # e⁻ˣ = ∞ is no accident: 1/∞ = 0 is the right limit
        y = 1 / (1 + np.exp(-x))

    def backward(dy: Array) -> Array:
        return dy * y * (1 - y)  # ∂y/∂x = y (1 - y)

    return y, backward


def gelu(x: Array) -> tuple[Array, Backward]:
    """Gaussian error linear unit in its tanh form, any shape: y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Source: Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2; the form GPT-2 uses.
    """
    slope = math.sqrt(2 / math.pi)
    inner = np.clip(x, -10, 10)  # beyond, tanh u is ±1 in any precision, and x³ too large for float16
    t = np.tanh(slope * inner * (1 + 0.044715 * inner**2))  # t = tanh(u)
    y = 0.5 * x * (1 + t)

    def backward(dy: Array) -> Array:
        dt = (1 - t**2) * slope * (1 + 3 * 0.044715 * inner**2)  # tanh' = 1 - tanh², times du/dx
        return dy * (0.5 * (1 + t) + 0.5 * inner * dt)  # by the product rule; where inner is not x, dt is 0

    return y, backward


def subtract_maximum(x: Array, axis: int = -1) -> Array:
    """x - max(x) along ``axis``, what a softmax may shift by for free: then no exponential can overflow.

    Rows of nothing but -∞ stay as they are, because -∞ - (-∞) is not a number.
    """
    maximum = x.max(axis=axis, keepdims=True, initial=-np.inf)
    with np.errstate(over="ignore"):  # float16 may not hold the distance: -∞ has the same exponential, 0
        return x - np.where(maximum == -np.inf, 0, maximum)


def softmax(x: Array, axis: int = -1) -> tuple[Array, Backward]:
    """Softmax y_i = e^{x_i} / Σ_j e^{x_j} along ``axis``, any shape.

    Entries of -∞ get probability 0. A row of nothing but -∞ gives zeros and has zero gradient.
    """
    e = np.exp(subtract_maximum(x, axis))
    total = e.sum(axis=axis, keepdims=True)
    y = e / np.where(total == 0, 1, total)  # only a row of -∞ has no 1 in it

    def backward(dy: Array) -> Array:
        inner = (y * dy).sum(axis=axis, keepdims=True)
        return y * (dy - inner)  # ∂L/∂x_i = y_i (∂L/∂y_i - Σ_j y_j ∂L/∂y_j)

    return y, backward


def log_softmax(x: Array, axis: int = -1) -> tuple[Array, Backward]:
    """Logarithm of the softmax, y_i = x_i - log Σ_j e^{x_j} along ``axis``, without taking the log of 0.

    A row of nothing but -∞ stays -∞ and has zero gradient.
    """
    shifted = subtract_maximum(x, axis)
    total = np.exp(shifted).sum(axis=axis, keepdims=True)
    y = shifted - np.log(np.where(total == 0, 1, total))

    def backward(dy: Array) -> Array:
        dx = dy - np.exp(y) * dy.sum(axis=axis, keepdims=True)  # ∂L/∂x_i = ∂L/∂y_i - e^{y_i} Σ_j ∂L/∂y_j
        return np.where(total == 0, 0, dx)

    return y, backward
