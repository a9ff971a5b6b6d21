"""Lesson optimizers: optimisers against independent arithmetic, starts against their theory, what must be caught."""

import math

import numpy as np
import pytest
import torch

from groundup.data.mnist import load_mnist, split_mnist
from groundup.lessons.optimizers import LESSON, experiment, facts, model
from groundup.ops.activations import relu, tanh
from groundup.ops.losses import cross_entropy
from groundup.training.optim import Optimiser, adagrad, adam, rmsprop, sgd
from groundup.training.run import Run
from kept import kept_record


def test_a_walk_is_what_the_formulas_say():
    path = model.walk(sgd(momentum=0.5), np.array([2.0]), np.array([1.0]), 0.1, 3)
    w, v, expected = 1.0, 0.0, [1.0]
    for _ in range(3):
        v = 0.5 * v + 2 * w
        w -= 0.1 * v
        expected.append(w)
    assert path[:, 0] == pytest.approx(expected, rel=1e-15)


def test_a_louder_loss_changes_descent_and_not_adam():
    start, curvature = np.array([10.0, 1.0]), np.array([1.0, 25.0])
    for optimiser, same in (
        (adam(epsilon=0.0), True),
        (rmsprop(epsilon=0.0), True),
        (adagrad(0.0), True),
        (sgd(), False),
    ):
        quiet, loud = (model.walk(optimiser, curvature, start, 0.01, 20, scale) for scale in (1.0, 4.0))
        assert np.array_equal(quiet, loud) == same


def test_the_penalty_is_that_of_torch():
    rng = np.random.default_rng(0)
    params = {"a": rng.normal(size=(3, 2))}
    tensor = torch.tensor(params["a"].copy(), requires_grad=True)
    ours, theirs = model.with_l2(adam(), 0.3), torch.optim.Adam([tensor], lr=0.1, weight_decay=0.3)
    state = ours.init(params)
    for _ in range(25):
        gradient = rng.normal(size=(3, 2))
        tensor.grad = torch.tensor(gradient)
        theirs.step()
        ours.update(params, {"a": gradient}, state, 0.1)
    np.testing.assert_allclose(params["a"], tensor.detach().numpy(), rtol=1e-12)


def test_the_penalty_on_either_track():
    options = {**experiment.TINY, "optimiser": "adam"}
    found = []
    for track in ("numpy", "torch"):
        learner = experiment.penalised(experiment.learner(track, np.random.default_rng(0), np.float64, **options), 0.2)
        rng = np.random.default_rng(1)
        for _ in range(10):
            batch = experiment.batch(rng, **experiment.TINY)
            learner.step({**batch, "images": batch["images"].astype(np.float64)}, rng)
        found.append(learner.parameters()["layers"][0]["weight"])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-10)


def test_facts_would_notice(monkeypatch: pytest.MonkeyPatch):
    """Each fact about a ravine is broken by the mistake that it is there for."""
    limits = {fact.name: fact.limit for fact in facts.FACTS}
    assert facts.scale_apart() <= limits["scale"]
    monkeypatch.setattr(facts, "adam", lambda epsilon=0.0: adam(epsilon=1e-3))
    assert facts.scale_apart() > limits["scale"]

    def uphill(momentum: float = 0.0) -> Optimiser:
        right = sgd(momentum)
        return Optimiser(
            right.init, lambda params, gradients, state, rate: right.update(params, gradients, state, -rate)
        )

    assert facts.penalty_apart() <= limits["penalty"]
    monkeypatch.setattr(facts, "sgd", uphill)
    assert facts.descent_apart() > limits["descent"]
    assert facts.penalty_apart() > limits["penalty"]


@pytest.mark.parametrize(("start", "factor"), [("he", 1.0), ("xavier", 0.5)])
def test_starts_do_to_the_mean_square_what_the_text_derives(start: str, factor: float):
    rng = np.random.default_rng(0)
    x, layers = rng.normal(size=(200, 1500)), 4
    params = model.init(rng, (1500,) * (layers + 2), start, np.float64)
    forward, backward = experiment.spreads(params, x, np.zeros(200, int), relu)
    assert len(forward) == len(backward) == layers
    for sizes in (forward, backward[::-1]):
        ratios = (np.array(sizes[1:]) / np.array(sizes[:-1])) ** 2
        assert np.allclose(ratios, factor, rtol=0.12)


def test_spreads_are_of_the_network_itself():
    rng = np.random.default_rng(1)
    params, x, labels = model.init(rng, (5, 4, 3, 2), "he", np.float64), rng.normal(size=(6, 5)), np.array([0, 1] * 3)
    forward, _ = experiment.spreads(params, x, labels, tanh)
    first = np.tanh(x @ params["layers"][0]["weight"].T)
    assert forward[0] == pytest.approx(math.sqrt(np.mean(first**2)))
    logits, _ = model.mlp(params, x, tanh)
    second = np.tanh(first @ params["layers"][1]["weight"].T)
    assert np.allclose(logits, second @ params["layers"][2]["weight"].T)
    assert cross_entropy(logits, labels)[0] > 0


def test_what_blows_up_costs_what_saying_nothing_costs():
    data = split_mnist(load_mnist())
    run = Run(LESSON, budget="smoke", quiet=True)
    learner, _ = experiment.trained(run, data.train, 5, optimiser="sgd", schedule=lambda step: 1e4)
    loss, _ = experiment.held_out(learner, data.validation)
    assert loss == math.log(10)


def test_grids_hold_the_best_rate_inside():
    """A best rate at the edge of its grid would be no best rate; two more must lie on either side."""
    drawn = kept_record("optimizers")["drawn"]
    for name, best in drawn["metrics"]["best rates"].items():
        place = experiment.RACE[name][2].index(best)
        assert 2 <= place < len(experiment.RACE[name][2]) - 2, name
