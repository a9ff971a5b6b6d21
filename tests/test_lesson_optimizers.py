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


def test_what_the_text_says_of_the_measurements():
    record = kept_record("optimizers")
    found, metrics = {one["name"]: one for one in record["findings"]}, record["drawn"]["metrics"]
    # "five draws of chance move Adam's from 0.20 to 0.25", and "five seeds cannot tell it from Adam"
    assert (round(min(found["adam"]["values"]), 2), round(max(found["adam"]["values"]), 2)) == (0.20, 0.25)
    low, high = found["adam"]["difference"]
    assert low < 0 < high
    # "more than twice as much as the worst choice of rule", "nearly three times", "Only with Adam it is a draw"
    prices, losses = metrics["price of a rate four times off"], metrics["test loss"].values()
    worst = max(losses) - min(losses)
    assert found["rate"]["values"][0] == pytest.approx(np.median(list(prices.values())), rel=1e-4)
    assert found["rate"]["rivals"][0] == pytest.approx(worst, rel=1e-3)
    assert 2 < np.median(list(prices.values())) / worst < 2.5
    assert 2.7 < found["rate"]["median"] / found["rate"]["rival_median"] < 3
    assert min(prices, key=prices.get) == "Adam"
    assert abs(prices["Adam"] - worst) < 0.003
    assert all(price > 1.5 * worst for name, price in prices.items() if name != "Adam")
    # "A rate twice off costs the middle rule only 0.02, half of what the worst rule costs"
    twice = []
    for one in record["drawn"]["arrays"]["race"].values():
        place = one["rates"].index(one["chosen"])
        assert one["rates"][place + 1] == 2 * one["chosen"]
        twice.append((one["losses"][place - 1] + one["losses"][place + 1]) / 2 - one["losses"][place])
    assert round(np.median(twice), 2) == 0.02
    assert 0.35 < np.median(twice) / worst < 0.55
    # a warm-up: "at the lowest rate it changes little", "lowers the best point as well, but by 0.01"
    without, warmed = (record["drawn"]["arrays"]["warm-up"][kind] for kind in ("without", "with"))
    assert abs(without[0] - warmed[0]) < 0.01
    assert round(min(without) - min(warmed), 2) == 0.01
    assert without[-1] - warmed[-1] > 0.3
    # decay: "the penalty is as easy to tune as AdamW and ends as low"; "the lowest of the three, by a little"
    best, regret = metrics["test loss with the best decay"], metrics["regret of one decay"]
    penalty, library, paper = experiment.DECAYS
    assert found["decay"]["seeds_for"] == 0
    assert abs(best[penalty] - best[library]) < 0.002
    assert best[library] - 0.03 < best[paper] < best[library]
    assert regret[paper] > 5 * max(regret[penalty], regret[library])
    assert experiment.FEW_STEPS * experiment.SIZE["batch"] / experiment.FEW == 16  # epochs


def test_what_adam_remembers_of_one_huge_gradient():
    """The step is 3.2 times the rate, however large it is, and a thirtieth of its pace a hundred steps later."""
    w, optimiser = {"w": np.zeros(1)}, adam()
    state, places = optimiser.init(w), []
    for step in range(20_101):
        optimiser.update(w, {"w": np.array([1000.0 if step == 20_000 else 1.0])}, state, 1.0)
        places.append(float(w["w"][0]))
    steps = -np.diff(places)
    assert steps[19_999] == pytest.approx(0.1 / math.sqrt(0.001), rel=0.02)
    assert round(0.1 / math.sqrt(0.001), 1) == 3.2
    assert 28 < 1 / steps[-1] < 32


def test_looking_ahead_is_a_change_of_place():
    """(9), from the place that looks ahead, is the ball that measures its slope at x − ηβv."""
    curvature, rate, beta = np.array([3.0]), 0.1, 0.8
    path = model.walk(sgd(momentum=beta, nesterov=True), curvature, np.array([1.0]), rate, 10)
    x, v = np.array([1.0]), np.zeros(1)
    for place in path:
        assert x - rate * beta * v == pytest.approx(place)
        v = beta * v + curvature * (x - rate * beta * v)
        x = x - rate * v
