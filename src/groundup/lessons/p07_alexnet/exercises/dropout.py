"""Exercise of AlexNet: a layer that draws."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.dropout import dropout
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Subject, compare


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
