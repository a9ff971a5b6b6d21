"""Exercises of the primer: the softmax and its logarithm."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.activations import log_softmax, softmax
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def softmax_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(2,), (1, 3), (2, 3), (3, 2), (4, 1), (2, 3, 4), (3, 1, 2), (2, 2, 3, 2)]:
        yield {"x": 2 * rng.normal(size=shape)}
    yield {"x": rng.normal(size=(2, 3)), "axis": 0}
    yield {"x": rng.normal(size=(2, 3, 4)), "axis": 1}
    yield {"x": rng.normal(size=(3, 2, 4)), "axis": -3}
    yield {"x": np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]])}
    same = rng.normal(size=(2, 3))
    yield {"x": same}  # the same numbers, along the other axis
    yield {"x": same, "axis": 0}


def wide_rows(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Rows in which the largest score is far from the mean, the first and the smallest."""
    yield {"x": np.array([[0.0, 1000.0], [1000.0, 0.0]])}
    yield {"x": np.array([[-1000.0, 0.0, 1000.0, -np.inf], [3000.0, 3001.0, -3000.0, -3000.0]])}


SOFTMAX = Exercise(
    title="Softmax and its backward",
    functions=(softmax,),
    gives=("x",),
    task=r"""
Turn scores into probabilities along one axis:

$$y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}$$

Return `(y, backward)`; `backward(dy)` returns the gradient of $x$ for the upstream gradient `dy` of the shape of $y$.
Scores of any size must do, 1000 and more, and an entry of $-\infty$ gets probability 0. A row of nothing but $-\infty$
gives zeros. No loops.""",
    hints=(
        "A softmax does not change when the same number is taken from all scores of a row. Which number keeps every "
        "exponential at 1 or below? For the backward: each output depends on every input of its row.",
        r"$\partial y_i / \partial x_j = y_i (\delta_{ij} - y_j)$, so "
        r"$\partial L/\partial x_i = y_i \left(\partial L/\partial y_i - \sum_j y_j\, \partial L/\partial y_j\right)$.",
        "`e = np.exp(x - m)` with `m` the maximum along the axis (0 where that is -inf), `y = e / sum`; then "
        "`dx = y * (dy - (y * dy).sum(axis, keepdims=True))`.",
    ),
    why=r"""The quotient rule gives $\partial y_i/\partial x_j = y_i(\delta_{ij} - y_j)$; multiplied by the upstream
gradient and summed over $i$, the Jacobian never has to be built. Leaving out the sum (treating softmax like an
elementwise function) is the common mistake, and with an upstream gradient of ones nobody sees it, for then the true
gradient is 0.""",
    difficulty=2,
    minutes=15,
    cases=softmax_cases,
    checks=(
        special("large values", lambda rng: [{"x": np.array([[1000.0, 1001.0], [-1000.0, -1001.0]])}]),
        special("wide rows", wide_rows),
        special(
            "entries of -∞",
            lambda rng: [{"x": np.array([[0.0, -np.inf, 1.0]])}, {"x": np.array([[-np.inf, -np.inf], [0.0, 1.0]])}],
        ),
    ),
    speed=lambda rng: {"x": rng.normal(size=(20_000, 16))},
    factor=10.0,
    equivalent={
        "subtract_maximum: x.max(axis=axis, keepdims=True, initial=-np.inf) → x.max(axis=axis, keepdims=True)": (
            "The initial value serves rows without entries, which the task does not ask for."
        ),
        "subtract_maximum: 0 → 1": "A row's maximum is -∞ only where all of it is, and -∞ less any number is -∞.",
        "softmax: 1 → 2": "Only a row without any weight is divided by it: 0 / 2 is 0, too.",
    },
    wrong=(
        Wrong(
            "no maximum taken off",
            {"np.exp(subtract_maximum(x, axis))": "np.exp(x)"},
            "that does not take the maximum off: its exponentials overflow",
        ),
        Wrong(
            "last axis always",
            {"    e = np.exp(": "    axis = -1\n    e = np.exp("},
            "that ignores `axis`",
        ),
        Wrong(
            "maximum of the whole array",
            {"x.max(axis=axis, keepdims=True, initial=-np.inf)": "np.full((1,) * x.ndim, x.max())"},
            "that takes the maximum of the whole array off every row, so that small rows vanish",
        ),
        Wrong(
            "backward without the sum",
            {"y * (dy - inner)": "y * dy"},
            "whose backward leaves out the sum: as if each output depended on its own input only",
        ),
        Wrong(
            "elementwise derivative",
            {"y * (dy - inner)": "y * dy * (1 - y)"},
            "with the derivative y (1 - y) of the logistic function: the other inputs of the row are forgotten",
        ),
        Wrong("zero gradient", {"y * (dy - inner)": "0 * dy"}, "whose gradient is 0"),
    ),
    right=(
        Right(
            "Jacobian by einsum",
            """
            import numpy as np

            def softmax(x, axis=-1):
                rows = np.moveaxis(x, axis, -1)
                top = rows.max(-1, keepdims=True)
                e = np.exp(rows - np.where(np.isfinite(top), top, 0))
                total = e.sum(-1, keepdims=True)
                p = np.divide(e, total, out=np.zeros_like(e), where=total > 0)

                def pull(dy):
                    g = np.moveaxis(dy, axis, -1)
                    jacobian = np.einsum("...i,ij->...ij", p, np.eye(p.shape[-1], dtype=p.dtype))
                    jacobian = jacobian - np.einsum("...i,...j->...ij", p, p)
                    return [np.moveaxis(np.einsum("...ij,...i->...j", jacobian, g), -1, axis)]

                return [np.moveaxis(p, -1, axis), pull]
            """,
        ),
        Right(
            "a class, a lambda and a walrus",
            '''
            from dataclasses import dataclass

            import numpy as np


            @dataclass
            class Softmax:
                """Keeps what the derivative needs."""

                axis: int

                def __call__(self, x: np.ndarray) -> np.ndarray:
                    shift = np.nan_to_num(x.max(self.axis, keepdims=True), neginf=0.0)
                    weights = np.exp(x - shift)
                    self.y = weights / ((total := weights.sum(self.axis, keepdims=True)) + (total == 0))
                    return self.y.copy()

                def pull(self, dy: np.ndarray) -> np.ndarray:
                    product = self.y * dy
                    return product - self.y * product.sum(self.axis, keepdims=True)


            def softmax(x, axis=-1):
                layer = Softmax(axis)
                return layer(x), lambda dy: layer.pull(dy)
            ''',
        ),
    ),
)


def log_softmax_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(2,), (1, 3), (2, 3), (3, 2), (4, 1), (2, 3, 4), (3, 1, 2), (2, 2, 3, 2)]:
        yield {"x": 2 * rng.normal(size=shape)}
    yield {"x": rng.normal(size=(3, 2)), "axis": 0}
    yield {"x": rng.normal(size=(2, 3, 4)), "axis": 1}
    yield {"x": rng.normal(size=(3, 2, 4)), "axis": -3}


LOG_SOFTMAX = Exercise(
    title="The logarithm of the softmax, and its backward",
    functions=(log_softmax,),
    gives=("x",),
    task=r"""
Take logarithms of probabilities without ever forming a probability that is too small to be represented:

$$y_i = \log\left(\frac{e^{x_i}}{\sum_j e^{x_j}}\right) = x_i - \log \sum_j e^{x_j}$$

along `axis`. Return `(y, backward)`; `backward(dy)` returns the gradient of $x$. Scores that lie 1000 apart must give
the true value, about $-1000$, and not $-\infty$. An entry of $-\infty$ stays $-\infty$; a row of nothing but $-\infty$
stays as it is and has gradient 0. No loops.""",
    hints=(
        "Take the maximum of the row off first: that changes nothing, and one term of the sum is then exactly 1. "
        "Subtract the logarithm of the sum; do not take the logarithm of a quotient.",
        r"$\partial y_i / \partial x_j = \delta_{ij} - p_j$ with $p_j = e^{y_j}$, so "
        r"$\partial L/\partial x_j = \partial L/\partial y_j - p_j \sum_i \partial L/\partial y_i$.",
        "`z = x - m` with `m` the maximum (0 where that is -inf), "
        "`y = z - np.log(np.exp(z).sum(axis, keepdims=True))`; "
        "then `dx = dy - np.exp(y) * dy.sum(axis, keepdims=True)`. Give a row of -inf a sum of 1, and gradient 0.",
    ),
    why=r"""With $m = \max_j x_j$ the sum $\sum_j e^{x_j - m}$ lies between 1 and the length of the row, so its
logarithm is always harmless, and what is small stays in the linear term $x_i - m$, where nothing is lost. The
logarithm of a softmax that is computed first fails: $e^{-1000}$ is 0 in floating point. In the backward, every output
contains the same $\log\sum$, whose derivative with respect to $x_j$ is $p_j$: hence the sum of all upstream gradients,
not $\sum_i p_i\, \partial L/\partial y_i$ as for the softmax itself.""",
    difficulty=2,
    minutes=15,
    cases=log_softmax_cases,
    checks=(
        special("scores far apart", lambda rng: [{"x": np.array([[1000.0, 0.0, 999.0], [-1e4, -2e4, -1e4]])}]),
        special(
            "entries of -∞",
            lambda rng: [{"x": np.array([[0.0, -np.inf, 1.0]])}, {"x": np.array([[-np.inf, -np.inf], [0.0, 1.0]])}],
        ),
    ),
    speed=lambda rng: {"x": rng.normal(size=(20_000, 16))},
    equivalent={
        "subtract_maximum: x.max(axis=axis, keepdims=True, initial=-np.inf) → x.max(axis=axis, keepdims=True)": (
            "The initial value serves rows without entries, which the task does not ask for."
        ),
        "subtract_maximum: 0 → 1": "A row's maximum is -∞ only where all of it is, and -∞ less any number is -∞.",
        "log_softmax: 1 → 2": "Only a row of nothing but -∞ has a sum of 0, and -∞ less any logarithm is -∞.",
    },
    wrong=(
        Wrong(
            "no maximum taken off",
            {"shifted = subtract_maximum(x, axis)": "shifted = x"},
            "that does not take the maximum off: its exponentials overflow",
        ),
        Wrong(
            "logarithm of the softmax",
            {
                "shifted - np.log(np.where(total == 0, 1, total))": "np.log("
                "np.exp(shifted) / np.where(total == 0, 1, total))"
            },
            "that computes the softmax and then its logarithm: probabilities that are too small become log 0",
        ),
        Wrong(
            "a small number inside the logarithm",
            {
                "shifted - np.log(np.where(total == 0, 1, total))": "np.log("
                "np.exp(shifted) / np.where(total == 0, 1, total) + 1e-12)"
            },
            "that adds 1e-12 to the probabilities: their logarithm never falls below -27.6",
        ),
        Wrong(
            "last axis always",
            {"    shifted = ": "    axis = -1\n    shifted = "},
            "that ignores `axis`",
        ),
        Wrong(
            "maximum of the whole array",
            {"x.max(axis=axis, keepdims=True, initial=-np.inf)": "np.full((1,) * x.ndim, x.max())"},
            "that takes the maximum of the whole array off every row: the sums of low rows become 0",
        ),
        Wrong(
            "softmax's backward",
            {"* dy.sum(axis=axis": "* (np.exp(y) * dy).sum(axis=axis"},
            "whose backward weights the upstream gradients by the probabilities before it sums them, "
            "as the backward of the softmax does",
        ),
        Wrong(
            "backward without the sum",
            {"dy.sum(axis=axis, keepdims=True)": "dy"},
            "with the derivative 1 - p: the outputs of the other inputs are forgotten",
        ),
        Wrong(
            "y for p",
            {"np.exp(y)": "y"},
            "whose backward uses y where the probability e^y is meant",
        ),
        Wrong(
            "upstream passed on",
            {"dy - np.exp(y) * dy.sum(axis=axis, keepdims=True)": "dy"},
            "whose backward passes dy on unchanged: the logarithm of the sum is forgotten",
        ),
    ),
    right=(
        Right(
            "logaddexp along the axis",
            """
            import numpy as np

            def log_softmax(x, axis=-1):
                total = np.logaddexp.reduce(x, axis=axis, keepdims=True)
                dead = np.isneginf(total)
                y = x - np.where(dead, 0, total)

                def backward(g):
                    everything = g.sum(axis, keepdims=True)
                    return np.where(dead, 0, g - everything * np.exp(y)).astype(x.dtype)

                return y, backward
            """,
        ),
        Right(
            "Jacobian by einsum",
            """
            import numpy as np

            class Rows:
                def __init__(self, x):
                    top = np.max(x, axis=-1, keepdims=True)
                    self.shifted = x - np.where(np.isinf(top), 0, top)
                    self.total = np.exp(self.shifted).sum(axis=-1, keepdims=True)
                    self.safe = np.where(self.total > 0, self.total, 1)

                def value(self):
                    return self.shifted - np.log(self.safe)

                def jacobian(self):
                    p = np.exp(self.shifted) / self.safe
                    eye = np.eye(p.shape[-1], dtype=p.dtype)
                    return (eye - p[..., None, :]) * (self.total > 0)[..., None]

            def log_softmax(x, axis=-1):
                rows = Rows(np.swapaxes(x, axis, -1))

                def backward(dy):
                    d_rows = np.einsum("...i,...ij->...j", np.swapaxes(dy, axis, -1), rows.jacobian())
                    return np.swapaxes(d_rows, axis, -1)

                return np.swapaxes(rows.value(), axis, -1), backward
            """,
        ),
    ),
)
