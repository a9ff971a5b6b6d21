"""Gradient case of the ravine."""

import numpy as np

from groundup.lessons.optimizers.model import ravine
from groundup.ops.types import Case

CASES = [
    Case(
        "ravine",
        ravine,
        lambda rng: {"w": rng.normal(size=3), "curvature": np.array([0.5, 2.0, 20.0])},
        ("w",),
        lambda torch, w, curvature: 0.5 * (curvature * w**2).sum(),
    )
]
