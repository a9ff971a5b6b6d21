"""Gradient cases of the small operations in model.py."""

from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.lessons.p00_numpy_and_pytorch.model import (
    add,
    divide,
    exp,
    log,
    multiply,
    power,
    reshape,
    subtract,
    take,
    total,
    transpose,
)
from groundup.ops.types import Case


def broadcasting(name: str, function: Callable[..., Any], oracle: Callable[[Any, Any], Any]) -> list[Case]:
    """An operation of two arrays whose shapes are equal, stretched on both sides, or short of an axis."""
    shapes = {"same shape": ((3, 4), (3, 4)), "both stretched": ((3, 1), (1, 4)), "an axis added": ((4,), (2, 3, 4))}

    def arguments(a: tuple[int, ...], b: tuple[int, ...]) -> Callable[[np.random.Generator], dict[str, Any]]:
        # The second is a divisor: no element of it is near 0.
        return lambda rng: {
            "a": rng.normal(size=a),
            "b": rng.uniform(0.5, 2, size=b) * rng.choice([-1, 1], size=b),
        }

    return [
        Case(f"{name}, {kind}", function, arguments(*pair), ("a", "b"), lambda torch, a, b: oracle(a, b))
        for kind, pair in shapes.items()
    ]


def of_one(name: str, function: Callable[..., Any], oracle: Callable[..., Any], **options: Any) -> Case:
    """An operation of one array of positive numbers, and options."""
    return Case(
        name,
        function,
        lambda rng: {"x": rng.uniform(0.5, 2, size=(2, 3, 4)), **options},
        ("x",),
        lambda torch, x, **_: oracle(torch, x),
    )


REPEATED = np.array([0, 1, 1])

CASES = [
    *broadcasting("add", add, lambda a, b: a + b),
    *broadcasting("subtract", subtract, lambda a, b: a - b),
    *broadcasting("multiply", multiply, lambda a, b: a * b),
    *broadcasting("divide", divide, lambda a, b: a / b),
    of_one("power, square", power, lambda torch, x: x**2, exponent=2),
    of_one("power, root", power, lambda torch, x: x.sqrt(), exponent=0.5),
    of_one("exp", exp, lambda torch, x: x.exp()),
    of_one("log", log, lambda torch, x: x.log()),
    of_one("total", total, lambda torch, x: x.sum()),
    of_one("total, one axis", total, lambda torch, x: x.sum(dim=1), axis=1),
    of_one("total, two axes kept", total, lambda torch, x: x.sum(dim=(0, 2), keepdim=True), axis=(0, 2), keepdims=True),
    of_one("reshape", reshape, lambda torch, x: x.reshape(6, 4), shape=(6, 4)),
    of_one("transpose", transpose, lambda torch, x: x.permute(2, 1, 0)),
    of_one("transpose, given axes", transpose, lambda torch, x: x.permute(1, 2, 0), axes=(1, 2, 0)),
    of_one("take, slice", take, lambda torch, x: x[:, 1:], index=(slice(None), slice(1, None))),
    of_one("take, repeated", take, lambda torch, x: x[REPEATED], index=REPEATED),
]
