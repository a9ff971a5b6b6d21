"""Exercises of the primer: a function with its derivative, a numerical gradient, and a layer that draws."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p00_numpy_and_pytorch.model import numerical_gradient
from groundup.ops.activations import softmax
from groundup.ops.dropout import dropout
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.judge import Finding
from groundup.practice.properties import Check, special
from groundup.practice.subject import Subject
from groundup.practice.wire import Code


def softmax_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(2,), (1, 3), (2, 3), (3, 2), (4, 1), (2, 3, 4), (3, 1, 2), (2, 2, 3, 2)]:
        yield {"x": 2 * rng.normal(size=shape)}
    yield {"x": rng.normal(size=(2, 3)), "axis": 0}
    yield {"x": rng.normal(size=(2, 3, 4)), "axis": 1}
    yield {"x": rng.normal(size=(3, 2, 4)), "axis": -3}
    yield {"x": np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]])}


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
        special(
            "entries of -∞",
            lambda rng: [{"x": np.array([[0.0, -np.inf, 1.0]])}, {"x": np.array([[-np.inf, -np.inf], [0.0, 1.0]])}],
        ),
    ),
    speed=lambda rng: {"x": rng.normal(size=(20_000, 16))},
    wrong=(
        Wrong(
            "no maximum taken off",
            {"y = subtract_maximum(x, axis)": "y = x.copy()"},
            "that does not take the maximum off: its exponentials overflow",
        ),
        Wrong(
            "last axis always",
            {"y = subtract_maximum(x, axis)": "axis = -1\n    y = subtract_maximum(x, axis)"},
            "that ignores `axis`",
        ),
        Wrong(
            "maximum of the whole array",
            {"x.max(axis=axis, keepdims=True)": "np.full((1,) * x.ndim, x.max())"},
            "that takes the maximum of the whole array off every row, so that small rows vanish",
        ),
        Wrong(
            "backward without the sum",
            {"dx = dy - np.expand_dims(inner, axis)": "dx = dy.copy()"},
            "whose backward leaves out the sum: as if each output depended on its own input only",
        ),
        Wrong(
            "elementwise derivative",
            {"dx = dy - np.expand_dims(inner, axis)": "dx = dy * (1 - y)"},
            "with the derivative y (1 - y) of the logistic function: the other inputs of the row are forgotten",
        ),
        Wrong("zero gradient", {"dx *= y\n": "dx *= 0\n"}, "whose gradient is 0"),
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


def numerical_gradient_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(1,), (2, 3), (4,), (3, 1), (2, 1, 3), ()]:
        weights = rng.normal(size=shape)
        x = np.asarray(rng.normal(size=shape))
        yield {"function": Code("lambda x: (w * np.sin(x)).sum()", w=weights), "x": x}
    yield {"function": Code("lambda x: float(x[0] * x[1] - x[1] ** 2)"), "x": rng.normal(size=2)}
    yield {"function": Code("lambda x: np.exp(x).prod()"), "x": rng.normal(size=(2, 2)), "step": 1e-4}
    # A cubic shows which differences were taken, and with which step: (f(x + h) − f(x − h)) / 2h = 3x² + h².
    yield {"function": Code("lambda x: (x**3).sum()"), "x": rng.normal(size=3), "step": 0.5}


NUMERICAL_GRADIENT = Exercise(
    title="A gradient by nudging",
    functions=(numerical_gradient,),
    task=r"""
Measure the gradient of a function from an array to one number, one element at a time, by central differences:

$$\frac{\partial f}{\partial x_i} \approx \frac{f(x + h e_i) - f(x - h e_i)}{2h}$$

`function(x)` takes an array of the shape of `x` (any shape) and returns a number; `step` is $h$. Return an array of
the shape of `x`. `x` itself must stay as it is. A loop over the elements is what is wanted here.""",
    hints=(
        "One element is nudged up, then down, all others stay; how much did the value change per unit of nudge?",
        r"Central differences: the error of $(f(x+h) - f(x-h))/2h$ is "
        r"$h^2 f^{(3)}(x)/6$; one-sided, it is $h f^{(2)}(x)/2$.",
        "`for index in np.ndindex(x.shape):` make `nudge = np.zeros_like(x)` with `nudge[index] = step`, and call the "
        "function with `x + nudge` and `x - nudge`.",
    ),
    why=r"""In $f(x \pm h) = f \pm h f' + \tfrac{h^2}{2} f^{(2)} \pm \dots$ the even terms cancel in the difference of
the two sides, so the error falls with $h^2$; one-sided differences keep $\tfrac{h}{2} f^{(2)}$. The usual mistakes are
to divide by $h$ instead of $2h$, and to nudge `x` in place and not to put back exactly what was there.""",
    difficulty=1,
    minutes=10,
    cases=numerical_gradient_cases,
    floats32=False,
    tolerance=1e-6,
    loops="Over the elements: two calls for each.",
    wrong=(
        Wrong(
            "one-sided",
            {"(function(x + nudge) - function(x - nudge)) / (2 * step)": "(function(x + nudge) - function(x)) / step"},
            "that takes one-sided differences: their error is of the order of the step, not of its square",
        ),
        Wrong(
            "divided by the step",
            {"/ (2 * step)": "/ step"},
            "that divides by the step, where the two points are two steps apart",
        ),
        Wrong(
            "nudges pile up",
            {
                "    for index": "    nudge = np.zeros_like(x)\n    for index",
                "        nudge = np.zeros_like(x)\n": "",
            },
            "that leaves earlier elements nudged while it measures the next",
        ),
        Wrong("everything at once", {"nudge[index] = step": "nudge[...] = step"}, "that nudges all elements at once"),
        Wrong(
            "a step of its own",
            {"    gradient = np.zeros_like(x)\n": "    step = 1e-5\n    gradient = np.zeros_like(x)\n"},
            "that does not use the `step` it is given",
        ),
        Wrong(
            "nudges x itself",
            """
            import numpy as np

            def numerical_gradient(function, x, step=1e-5):
                gradient = np.zeros_like(x)
                for index in np.ndindex(x.shape):
                    x[index] += step
                    above = function(x)
                    x[index] -= 2 * step
                    gradient[index] = (above - function(x)) / (2 * step)
                return gradient
            """,
            "that leaves x changed",
        ),
        Wrong("flat", {"    return gradient\n": "    return gradient.reshape(-1)\n"}, "that returns a flat array"),
    ),
    right=(
        Right(
            "rows of an identity matrix",
            """
            import numpy as np

            def numerical_gradient(f, at, step=1e-5):
                flat = at.ravel()
                slopes = [
                    (f((flat + row).reshape(at.shape)) - f((flat - row).reshape(at.shape))) / step / 2
                    for row in step * np.eye(flat.size)
                ]
                return np.asarray(slopes).reshape(at.shape)
            """,
        ),
        Right(
            "nudged in place, in a copy",
            """
            import numpy as np

            def numerical_gradient(function, x, step=1e-5):
                work, out = np.array(x), np.empty(x.shape)
                for i in range(work.size):
                    kept = work.flat[i]
                    work.flat[i] = kept + step
                    up = function(work)
                    work.flat[i] = kept - step
                    out.flat[i] = (up - function(work)) / (2 * step)
                    work.flat[i] = kept
                return out
            """,
        ),
    ),
)


def dropout_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape, rate in [((3,), 0.5), ((2, 3), 0.25), ((1, 4), 0.5), ((2, 3, 4), 0.1), ((4, 5), 0.9), ((2, 2), 0.0)]:
        yield {"x": 1 + rng.random(size=shape), "rate": rate, "rng": np.random.default_rng(rng.integers(2**32))}


def keeps_or_drops(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """Every value is 0 or x / (1 − rate), and as many are kept as should be: in all, in each row, in each column."""
    for rate in (0.5, 0.2, 0.9, 0.0):
        x = rng.normal(size=(200, 100))
        arguments = {"x": x, "rate": rate, "rng": np.random.default_rng(rng.integers(2**32))}
        y = answer(**arguments).value
        kept = y != 0
        if not np.allclose(y[kept], x[kept] / (1 - rate), rtol=1e-6):
            return Finding("kept values", f"At rate {rate} a kept element should be x / (1 − rate).", arguments)
        share, spread = float(kept.mean()), float(np.sqrt(rate * (1 - rate)))
        if abs(share - (1 - rate)) > 6 * spread / np.sqrt(kept.size):
            message = f"At rate {rate} the share of elements that are kept should be near 1 − rate."
            return Finding("share kept", message, arguments, (), f"{1 - rate:.2f}", f"{share:.2f}")
        for axis, lines in enumerate(("columns", "rows")):
            if np.abs(kept.mean(axis=axis) - (1 - rate)).max() > 8 * spread / np.sqrt(kept.shape[axis]):
                message = f"Every element is to be drawn by itself, but whole {lines} share their fate."
                return Finding("independent draws", message, arguments)
            if 0 < rate < 0.9 and np.unique(kept, axis=axis).shape != kept.shape:
                return Finding("independent draws", "Every element is to be drawn by itself: lines repeat.", arguments)
    return None


def draws_from_rng(answer: Subject, reference: Subject, rng: np.random.Generator) -> str | None:
    """The draws come from ``rng``: equal states give equal draws, other states others."""
    x = np.ones((10, 10))
    first, again, other = (answer(x=x, rate=0.5, rng=np.random.default_rng(seed)).value for seed in (1, 1, 2))
    if not np.array_equal(first, again):
        return "Two generators in the same state should give the same result: draw from `rng` alone."
    if np.array_equal(first, other):
        return "Two generators in different states gave the same result: draw from `rng`."
    return None


DROPOUT = Exercise(
    title="Dropout and its backward",
    functions=(dropout,),
    gives=("x",),
    exact=False,
    task=r"""
Inverted dropout: every element of $x$ is kept with probability $1 - r$, independently, and divided by $1 - r$; the
others become 0.

$$y = \frac{x \odot m}{1 - r}, \qquad m_i \sim \text{Bernoulli}(1 - r)$$

Return `(y, backward)`; `backward(dy)` returns the gradient of $x$. All draws come from `rng`, a
`numpy.random.Generator`; how you draw is up to you. At rate 0 nothing changes. The dtype of `x` is kept. No loops.""",
    hints=(
        "The mask is drawn once, in the forward pass. What does the backward pass have to know of it?",
        r"$\partial y_i/\partial x_i = m_i/(1 - r)$: "
        "Srivastava et al. 2014, section 4, with the division of section 10.",
        "`keep = rng.random(x.shape) >= rate`, `y = x * keep / (1 - rate)`, and the backward multiplies by the same.",
    ),
    why=r"""$E[y] = x\,(1-r)/(1-r) = x$, so nothing has to be rescaled when the network is used. For a given mask,
dropout multiplies by constants, so the backward multiplies by the same constants. Common mistakes: a new mask in the
backward, and keeping with probability $r$.""",
    difficulty=1,
    minutes=10,
    cases=dropout_cases,
    checks=(Check("kept elements", keeps_or_drops), Check("draws", draws_from_rng)),
    speed=lambda rng: {"x": rng.normal(size=(1000, 500)), "rate": 0.5, "rng": np.random.default_rng(0)},
    wrong=(
        Wrong("keeps with probability rate", {">= rate": "< rate"}, "that keeps with probability `rate`"),
        Wrong("not divided", {"scale = 1 / (1 - rate)": "scale = 1.0"}, "that does not divide by 1 − rate"),
        Wrong("divided by the rate", {"scale = 1 / (1 - rate)": "scale = 1 / rate"}, "that divides by `rate`"),
        Wrong(
            "a new mask in backward",
            {"dx = dy * keep ": "dx = dy * (rng.random(x.shape) >= rate) "},
            "whose backward draws a mask of its own",
        ),
        Wrong("backward not scaled", {"        dx *= scale\n": ""}, "whose backward forgets the division by 1 − rate"),
        Wrong("whole rows", {"rng.random(x.shape,": "rng.random(x.shape[-1:],"}, "that draws one mask for all rows"),
        Wrong("its own draws", {"= rng.random": "= np.random.default_rng(0).random"}, "that does not draw from `rng`"),
        Wrong("gradient everywhere", {"dx = dy * keep ": "dx = dy * 1 "}, "whose backward forgets the mask"),
        Wrong(
            "float64",
            {"scale = 1 / (1 - rate)": "scale = np.float64(1 / (1 - rate))", "    y *= scale\n": "    y = y * scale\n"},
            "that promotes float32",
        ),
    ),
    right=(
        Right(
            "binomial draws",
            """
            import numpy as np

            def dropout(x, rate, rng):
                factor = (rng.binomial(1, 1 - rate, x.shape) / (1 - rate)).astype(x.dtype)
                return factor * x, lambda dy: (factor * dy,)
            """,
        ),
        Right(
            "np.where and a choice",
            """
            import numpy as np
            from numpy.random import Generator

            def dropout(x: np.ndarray, rate: float, rng: Generator):
                dropped = rng.choice([True, False], size=x.shape, p=[rate, 1 - rate])

                def backward(upstream):
                    return np.where(dropped, x.dtype.type(0), upstream / (1 - rate))

                return backward(x), backward
            """,
        ),
    ),
)

EXERCISES = (SOFTMAX, NUMERICAL_GRADIENT, DROPOUT)
