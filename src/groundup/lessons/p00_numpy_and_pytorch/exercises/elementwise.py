"""Exercises of the primer: a smooth nonlinearity, and a layer that draws."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.activations import gelu
from groundup.ops.dropout import dropout
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Subject, compare, special


def gelu_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(2,), (1, 3), (3, 1), (2, 3), (2, 3, 4), (3, 1, 2, 2)]:
        yield {"x": 2 * rng.normal(size=shape)}
    yield {"x": np.linspace(-3, 3, 7)}


GELU = Exercise(
    title="GELU and its backward",
    functions=(gelu,),
    gives=("x",),
    task=r"""
The Gaussian error linear unit in its tanh form, the one of GPT-2, element by element:

$$y = \tfrac12\, x \left(1 + \tanh u\right), \qquad u = \sqrt{2/\pi}\, \left(x + 0.044715\, x^3\right)$$

Return `(y, backward)`; `backward(dy)` returns the gradient of `x`, of any shape. The derivative has to be that of this
formula, not of the exact GELU. Arrays in float32 give float32. No loops.""",
    hints=(
        "A product of two functions of x: the derivative has two terms, and the second needs the derivative of u.",
        r"$\tanh' = 1 - \tanh^2$, so with $t = \tanh u$: $y' = \frac12 (1 + t) + \frac12 x (1 - t^2)\, u'$, "
        r"$u' = \sqrt{2/\pi}\,(1 + 3 \cdot 0.044715\, x^2)$ (the form: Hendrycks & Gimpel 2016, section 2).",
        "`c = math.sqrt(2 / math.pi)`, `t = np.tanh(c * (x + 0.044715 * x**3))`, `y = 0.5 * x * (1 + t)`; keep `t` for "
        "`dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2))`.",
    ),
    why=r"""GELU weights $x$ by the probability $\Phi(x)$ that a standard normal number lies below it; $\frac12(1 +
\tanh u)$ stands in for $\Phi$, wrong by less than 0.001. The product rule gives the two terms, the chain rule
the factor $(1 - t^2) u'$. The usual mistakes are to forget $u'$ or its $x^2$ term, and to mix forms: a model trained
with one form should be run, and differentiated, with the same.""",
    difficulty=2,
    minutes=12,
    cases=gelu_cases,
    checks=(special("large values", lambda rng: [{"x": np.array([-1000.0, -30.0, -8.0, 0.0, 8.0, 30.0, 1000.0])}]),),
    speed=lambda rng: {"x": rng.normal(size=(500, 200))},
    equivalent={
        "gelu: -10 → -11": (
            "From about 6 on tanh u is ±1 in float64, too, and 1 - tanh² is 0: where it is cut off beyond does "
            "not matter."
        ),
        "gelu: 10 → 11": (
            "From about 6 on tanh u is ±1 in float64, too, and 1 - tanh² is 0: where it is cut off beyond does "
            "not matter."
        ),
        "gelu: 10 → 9": (
            "From about 6 on tanh u is ±1 in float64, too, and 1 - tanh² is 0: where it is cut off beyond does "
            "not matter."
        ),
    },
    wrong=(
        Wrong(
            "the exact form",
            """
            import math

            import numpy as np

            def gelu(x):
                phi = 0.5 * (1 + np.vectorize(math.erf, otypes=[x.dtype])(x / math.sqrt(2)))
                density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
                return x * phi, lambda dy: dy * (phi + x * density)
            """,
            "in the exact form, with erf: what is asked for is the tanh form",
        ),
        Wrong(
            "the logistic form",
            """
            import numpy as np

            def gelu(x):
                s = 1 / (1 + np.exp(-1.702 * x))
                return x * s, lambda dy: dy * (s + 1.702 * x * s * (1 - s))
            """,
            "in the form x σ(1.702 x), a coarser one",
        ),
        Wrong("no half", {"y = 0.5 * x * (1 + t)": "y = x * (1 + t)"}, "without the factor ½"),
        Wrong("no cube", {" * (1 + 0.044715 * inner**2)": ""}, "that leaves the cube out"),
        Wrong(
            "square for cube",
            {"inner * (1 + 0.044715 * inner**2)": "(inner + 0.044715 * inner**2)"},
            "with x² in place of x³",
        ),
        Wrong("no root", {"math.sqrt(2 / math.pi)": "2 / math.pi"}, "with 2/π where its root belongs"),
        Wrong(
            "root of the whole number",
            {"math.sqrt(2 / math.pi)": "math.sqrt(2) / math.pi"},
            "with √2/π where √(2/π) belongs",
        ),
        Wrong(
            "weight held constant",
            {" + 0.5 * inner * dt": ""},
            "whose backward holds the weight ½ (1 + tanh u) constant: it depends on x too",
        ),
        Wrong("tanh only", {"0.5 * (1 + t) + 0.5": "0.5"}, "whose backward lacks the first term of the product rule"),
        Wrong(
            "inner derivative forgotten",
            {" * slope * (1 + 3 * 0.044715 * inner**2)": ""},
            "whose backward forgets the inner derivative du/dx",
        ),
        Wrong(
            "no cube in backward", {"slope * (1 + 3 * 0.044715 * inner**2)": "slope"}, "whose backward forgets the cube"
        ),
        Wrong("3 forgotten", {"1 + 3 * 0.044715": "1 + 0.044715"}, "whose derivative of x³ is x², without the 3"),
        Wrong(
            "promotes float32",
            {"math.sqrt(2 / math.pi)": "np.sqrt(2 / np.pi)"},
            "with the constant `np.sqrt(2 / np.pi)`: that is a NumPy float64, which turns float32 arrays into float64, "
            "while the plain number of `math.sqrt` leaves them alone",
        ),
        Wrong("1 - tanh", {"1 - t**2": "1 - t"}, "with 1 - tanh for the derivative of tanh"),
    ),
    right=(
        Right(
            "by the logistic function",
            """
            import numpy as np

            class Gelu:
                a, b = np.sqrt(8 / np.pi).item(), 0.044715

                def __init__(self, x):
                    # (1 + tanh u) / 2 = σ(2u)
                    self.x, self.gate = x, np.reciprocal(1 + np.exp(-self.a * (x + self.b * x * x * x)))

                def __call__(self, dy):
                    inner = self.a * (1 + 3 * self.b * np.square(self.x))
                    return (dy * self.gate * (1 + self.x * (1 - self.gate) * inner),)

            def gelu(x):
                node = Gelu(x)
                return x * node.gate, node
            """,
        ),
    ),
)


def dropout_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape, rate in [
        ((3,), 0.5),
        ((2, 3), 0.25),
        ((1, 4), 0.5),
        ((2, 3, 4), 0.1),
        ((4, 5), 0.9),
        ((3, 1), 0.5),
        ((2, 2), 0.0),
    ]:
        yield {"x": 1 + rng.random(size=shape), "rate": rate, "rng": np.random.default_rng(rng.integers(2**32))}
    yield {"x": np.array([[0.0, 1.0, 2.0]]), "rate": 0.5, "rng": np.random.default_rng(rng.integers(2**32))}


def keeps_or_drops(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """Every value is 0 or x / (1 − rate), and as many are kept as should be: in all, in each row, in each column."""
    for rate in (0.5, 0.2, 0.9, 0.0, 0.37):
        x = rng.normal(size=(500, 200))
        arguments = {"x": x, "rate": rate, "rng": np.random.default_rng(rng.integers(2**32))}
        y = answer(**arguments).value
        kept = y != 0
        if compare(x[kept] / (1 - rate), y[kept]):
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


def every_axis(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """Of three axes, too, none shares its fate: a batch of sequences does not get one mask."""
    for shape in [(200, 4, 5), (4, 200, 5), (4, 5, 200)]:
        arguments = {"x": np.ones(shape), "rate": 0.5, "rng": np.random.default_rng(rng.integers(2**32))}
        kept = answer(**arguments).value != 0
        axis = shape.index(200)
        if np.abs(kept.mean(axis=axis) - 0.5).max() > 8 * 0.5 / np.sqrt(200):
            message = f"Every element is to be drawn by itself, but what differs in axis {axis} only shares its fate."
            return Finding("independent draws", message, arguments)
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
    checks=(
        Check("kept elements", keeps_or_drops),
        Check("every axis", every_axis),
        Check("draws", draws_from_rng),
    ),
    speed=lambda rng: {"x": rng.normal(size=(1000, 500)), "rate": 0.5, "rng": np.random.default_rng(0)},
    equivalent={
        "dropout: if rate == 0: … → if False: …": (
            "At rate 0 every draw from [0, 1) keeps, and what is kept is divided by 1."
        ),
        "dropout: 0 → 1": "A rate of 1 is not asked for, and at rate 0 the general formula changes nothing.",
        "dropout: rng.random(x.shape, dtype=np.float32) → rng.random(x.shape)": (
            "Draws are uniform in either precision; how one draws is left open."
        ),
    },
    wrong=(
        Wrong("keeps with probability rate", {">= rate": "< rate"}, "that keeps with probability `rate`"),
        Wrong(
            "not divided",
            {"x * keep / (1 - rate)": "x * keep", "dy * keep / (1 - rate)": "dy * keep"},
            "that does not divide by 1 − rate",
        ),
        Wrong(
            "divided by the rate",
            {"x * keep / (1 - rate)": "x * keep / rate", "dy * keep / (1 - rate)": "dy * keep / rate"},
            "that divides by `rate`",
        ),
        Wrong(
            "a new mask in backward",
            {"dy * keep / ": "dy * (rng.random(x.shape) >= rate) / "},
            "whose backward draws a mask of its own",
        ),
        Wrong(
            "backward not scaled",
            {"dy * keep / (1 - rate)": "dy * keep"},
            "whose backward forgets the division by 1 − rate",
        ),
        Wrong("whole rows", {"rng.random(x.shape,": "rng.random(x.shape[-1:],"}, "that draws one mask for all rows"),
        Wrong("its own draws", {"= rng.random": "= np.random.default_rng(0).random"}, "that does not draw from `rng`"),
        Wrong("gradient everywhere", {"dy * keep / ": "dy / "}, "whose backward forgets the mask"),
        Wrong(
            "float64",
            {"x * keep / (1 - rate)": "x * keep / np.float64(1 - rate)"},
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
