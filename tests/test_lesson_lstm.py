"""What lesson 03 measures of its networks: gradients by lag, memories that move, and the sentences on both."""

import math

import numpy as np
import pytest

from groundup.lessons.p03_lstm import experiment
from groundup.lessons.p03_lstm.experiment import SIZE, adding, gradient_by_lag, moved_memory, solved_at
from groundup.lessons.p03_lstm.model import NETWORKS, WEIGHTS, adder, init
from groundup.ops.types import Tree
from groundup.training.params import count, map_tree
from kept import kept_record


def double(params: Tree) -> Tree:
    return map_tree(lambda array: array.astype(np.float64), params)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_gradient_by_lag_against_nudges(kind: str) -> None:
    """‖∂L/∂state‖ of one list, from the error after each number of the state is nudged."""
    params = double(init(np.random.default_rng(0), kind, 3))
    examples = {name: part.astype(np.float64) for name, part in adding(np.random.default_rng(1), 1, 5).items()}
    network, states = NETWORKS[kind]
    weights = [params[kind][name] for name in WEIGHTS]

    def error(state: np.ndarray, start: int) -> float:
        split = [part[None] for part in np.split(state, states)]
        last = split[0] if start == 5 else network(examples["x"][:, start:], *split, *weights)[0][1]
        y = last @ params["readout"]["weight"].T + params["readout"]["bias"]
        return float((y - examples["wanted"])[0, 0] ** 2)

    norms = []
    for lag in range(5):
        at = 5 - lag
        state = np.concatenate(network(examples["x"][:, :at], *[np.zeros((1, 3))] * states, *weights)[0][1:], axis=1)[0]
        nudges = 1e-6 * np.eye(3 * states)
        norms.append(math.hypot(*((error(state + n, at) - error(state - n, at)) / 2e-6 for n in nudges)))
    np.testing.assert_allclose(gradient_by_lag(params, examples), np.array(norms) / norms[0], rtol=1e-4)


def test_a_memory_that_is_in_the_cell_moves_with_the_cell() -> None:
    """An LSTM set by hand: its one cell takes in what is marked, keeps it, and is read at the end."""
    params = double(init(np.random.default_rng(0), "lstm", 2))
    for array in params["lstm"].values():
        array[...] = 0
    cell, small = params["lstm"], 1e-3
    cell["weight_ih_l0"][0, 1], cell["bias_ih_l0"][0] = 60, -30  # i opens at a mark
    cell["bias_ih_l0"][2] = 30  # f never closes
    cell["weight_ih_l0"][4, 0] = small  # g is the number, small enough for tanh to be straight
    cell["bias_ih_l0"][6] = 30  # o is open
    params["readout"]["weight"][...] = [[1 / small, 0]]
    params["readout"]["bias"][...] = 0
    examples = {name: part.astype(np.float64) for name, part in adding(np.random.default_rng(1), 50, 12).items()}
    np.testing.assert_allclose(adder(params, examples["x"])[0], examples["wanted"], atol=1e-4)
    assert moved_memory(params, examples, "cell") == pytest.approx(1, abs=1e-4)
    assert moved_memory(params, examples, "hidden") == pytest.approx(0, abs=1e-4)
    assert moved_memory(params, examples, "cell", np.array([0])) == pytest.approx(1, abs=1e-4)
    assert moved_memory(params, examples, "cell", np.array([1])) == pytest.approx(0, abs=1e-4)


def test_each_half_of_a_list_has_one_mark() -> None:
    examples = adding(np.random.default_rng(0), 200, 50)
    marks = examples["x"][..., 1]
    assert (marks[:, :25].sum(axis=1) == 1).all()
    assert (marks[:, 25:].sum(axis=1) == 1).all()
    np.testing.assert_allclose((examples["x"][..., 0] * marks).sum(axis=1)[:, None], examples["wanted"], rtol=1e-6)
    assert 49 - np.arange(25).mean() == 37  # "on average, 37 steps before the end"


def test_solved_is_the_first_look_below_the_bar() -> None:
    assert solved_at({"step": [0, 25, 50, 75], "held out": [0.2, 0.1, 0.01, 0.03]}, 75) == 50
    assert solved_at({"step": [0, 25], "held out": [0.2, 0.1]}, 25) == math.inf


def test_the_rivals_have_as_many_parameters() -> None:
    lstm = count(init(np.random.default_rng(0), "lstm", SIZE["hidden"]))
    assert (lstm, count(init(np.random.default_rng(0), "rnn", 66))) == (4641, 4687)  # as the text says
    for kind, hidden, _, _ in experiment.RIVALS.values():
        assert count(init(np.random.default_rng(0), kind, hidden)) == pytest.approx(lstm, rel=0.02)


def test_what_the_text_says_of_the_measurements() -> None:
    record = kept_record("lstm")
    drawn = record["drawn"]
    reach, seeds = drawn["arrays"]["reach"], drawn["seeds"]
    # "as much arrives at the beginning of the list as has left its end"
    assert reach["LSTM"][49] == pytest.approx(1, abs=0.1)
    # "by about the forget gates' σ(3) = 0.953 a step"
    fading = (reach["untrained"][44] / reach["untrained"][12]) ** (1 / 32)
    assert fading == pytest.approx(1 / (1 + math.exp(-3)), abs=0.01)
    # "The ReLU network's grows by half"
    assert reach["ReLU, identity"][44] == pytest.approx(1.5, abs=0.1)
    # "little more than a hundredth is left after a dozen steps at best, and less than a thousandth half-way"
    tanh = [reach[name] for name in ("tanh", "tanh, orthogonal")]
    assert 0.01 < max(one[12] for one in tanh) < 0.02
    assert max(one[25] for one in tanh) < 0.001
    # "Neither door alone will do … in all five trainings"; PyTorch's own start "comes through in one of the five"
    for name in ("forget bias 3", "input bias -3"):
        assert seeds[f"steps of {name}"] == [None] * 5
    assert None not in seeds["steps of LSTM"]
    assert sum(steps is not None for steps in seeds["steps of as PyTorch begins"]) == 1
    # "The cell that cannot forget is quicker than ours, in every one of the five"
    pairs = list(zip(seeds["steps of never forgets"], seeds["steps of LSTM"], strict=True))
    assert len(pairs) == 5
    assert all(quick < ours for quick, ours in pairs)
    # "One cell. It carries the whole number, the 31 others nothing"; "in the two others it is two that share"
    alone = drawn["metrics"]["moved by single cells"]
    assert alone[0] > 0.95
    assert max(map(abs, alone[1:])) < 0.05
    shares = list(zip(seeds["moved by the best cell"], seeds["moved by the next cell"], strict=True))
    assert sum(best > 0.95 and next_best < 0.05 for best, next_best in shares) == 3
    assert sum(best < 0.75 and next_best > 0.35 for best, next_best in shares) == 2
    # "the GRU was the quickest of all", and "Only the tanh network learns nothing"
    solved = drawn["metrics"]["steps until solved"]
    assert solved["GRU"] == min(steps for steps in solved.values() if steps is not None)
    assert solved.get("tanh") is None
    assert solved["ReLU, identity"] is not None
    # "about 1, whatever was read"
    assert all(abs(plain - 1) < 0.1 for _, _, _, plain, _ in drawn["metrics"]["answers"])
