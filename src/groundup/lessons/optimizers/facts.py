"""What must be so in this lesson; ``groundup check optimizers`` proves it."""

import math

import numpy as np

from groundup.lesson import Fact
from groundup.lessons.optimizers.experiment import RACE, SIZE, batch, learner
from groundup.lessons.optimizers.model import ravine, walk, with_l2
from groundup.ops.activations import relu
from groundup.training.optim import adam, constant, sgd

CONDITIONS = (4.0, 25.0, 100.0, 1000.0)


def descent_apart() -> float:
    """How far the shrinking of gradient descent at its best rate is from (κ − 1)/(κ + 1) a step."""
    errors = []
    for kappa in CONDITIONS:
        places = walk(sgd(), np.array([1.0, kappa]), np.array([1.0, 1.0]), 2 / (1 + kappa), 30)
        shrunk = np.linalg.norm(places[1:], axis=1) / np.linalg.norm(places[:-1], axis=1)
        errors.append(np.abs(shrunk - (kappa - 1) / (kappa + 1)).max())
    return float(max(errors))


def momentum_apart() -> float:
    """How far the largest eigenvalue of a step with the best momentum is from (√κ − 1)/(√κ + 1)."""
    errors = []
    for kappa in CONDITIONS:
        root = (math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)
        beta, rate = root**2, (2 / (1 + math.sqrt(kappa))) ** 2
        for c in np.linspace(1, kappa, 7)[1:-1]:
            step = np.array([[1 + beta - rate * c, -beta], [1.0, 0.0]])
            errors.append(abs(np.abs(np.linalg.eigvals(step)).max() - root))
    return float(max(errors))


def scale_apart() -> float:
    """How far Adam's path moves when the loss is multiplied by 1024, without an ε."""
    start, curvature = np.array([10.0, 1.0]), np.array([1.0, 25.0])
    paths = [walk(adam(epsilon=0.0), curvature, start, 0.1, 50, scale) for scale in (1.0, 1024.0)]
    return float(np.abs(paths[0] - paths[1]).max())


def first_step_apart() -> float:
    """How far Adam's first step is from the rate's length, in every weight, for gradients from 0.001 to 1000."""
    w, gradient = {"w": np.zeros(7)}, {"w": 10.0 ** np.arange(-3, 4)}
    optimiser = adam()
    optimiser.update(w, gradient, optimiser.init(w), 0.1)
    return float(np.abs(w["w"] / -0.1 - 1).max())


def half_apart() -> float:
    """How far the mean square of ReLUs is from half of that of their inputs, where these come with either sign."""
    z = np.random.default_rng(0).normal(size=1000)
    z = np.concatenate([z, -z])
    return float(abs(np.mean(relu(z)[0] ** 2) / np.mean(z**2) - 0.5))


def penalty_apart() -> float:
    """How far descent on a loss with an L2 penalty is from descent that shrinks the weights by rate · λ first."""
    start, curvature, rate, penalty = np.array([10.0, 1.0]), np.array([1.0, 25.0]), 0.03, 0.2
    path, w = walk(with_l2(sgd(), penalty), curvature, start, rate, 40), start.copy()
    errors = []
    for place in path[1:]:
        w = (1 - rate * penalty) * w - rate * ravine(w, curvature)[1]()
        errors.append(np.abs(place - w).max())
    return float(max(errors))


def tracks_apart() -> float:
    """The largest difference of the losses, in nats, of both tracks in 30 steps in float64, over all optimisers."""
    apart = []
    for optimiser, settings, rates in RACE.values():
        options = {
            **SIZE,
            "widths": (16,),
            "optimiser": optimiser,
            "settings": settings,
            "schedule": constant(rates[4]),
        }
        models = [learner(track, np.random.default_rng(0), np.float64, **options) for track in ("numpy", "torch")]
        rng = np.random.default_rng(1)
        for _ in range(30):
            drawn = batch(rng, **SIZE)
            drawn["images"] = drawn["images"].astype(np.float64)
            one, other = (model.step(drawn, rng) for model in models)
            apart.append(abs(one - other))
    return max(apart)


FACTS = (
    Fact(
        "descent",
        "At its best rate a step of gradient descent shrinks the distance in a ravine by (κ − 1)/(κ + 1)",
        descent_apart,
        1e-12,
    ),
    Fact(
        "momentum",
        "With the best momentum every direction of a ravine shrinks by (√κ − 1)/(√κ + 1) a step",
        momentum_apart,
        1e-7,
    ),
    Fact("scale", "Adam without ε takes the same path, bit for bit, when the loss is 1024 times as large", scale_apart),
    Fact("first step", "Adam's first step has the length of the rate in every weight", first_step_apart, 1e-4),
    Fact("half", "Numbers with either sign lose half of their mean square in a ReLU", half_apart, 1e-15),
    Fact("penalty", "For plain gradient descent an L2 penalty and weight decay are one thing", penalty_apart, 1e-12),
    Fact(
        "tracks",
        "From one start, 30 steps of each optimiser in float64 give the same losses by hand and by torch.optim",
        tracks_apart,
        1e-9,
        torch=True,
    ),
)
