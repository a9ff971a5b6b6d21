"""What lesson 02 measures of its network beside bits: how far back a gradient reaches."""

import math

import numpy as np
import pytest

from groundup.lessons.p02_char_rnn import experiment
from groundup.lessons.p02_char_rnn.model import init
from groundup.ops.activations import log_softmax


def test_the_gradient_by_lag_against_nudges(monkeypatch: pytest.MonkeyPatch) -> None:
    """‖∂L_t/∂h_{t−k}‖ at one place, from the loss after each element of h_{t−k} is nudged."""
    monkeypatch.setattr(experiment, "FARTHEST", 4)
    params = init(np.random.default_rng(0), 5, 3, 4, np.float64)
    tokens = np.array([0, 3, 1, 4, 2, 2, 0])  # one place alone has four steps behind it and a character to come
    cell = params["rnn"]
    states = experiment.hidden_states(params, tokens)

    def loss(hidden: np.ndarray, start: int) -> float:
        for token in tokens[start + 1 : 6]:
            x = params["embedding"]["weight"][token]
            before = cell["weight_ih_l0"] @ x + cell["bias_ih_l0"] + cell["weight_hh_l0"] @ hidden + cell["bias_hh_l0"]
            hidden = np.tanh(before)
        logits = params["readout"]["weight"] @ hidden + params["readout"]["bias"]
        return -float(log_softmax(logits)[0][tokens[6]])

    norms = []
    for lag in range(5):
        at = 5 - lag
        nudges = 1e-6 * np.eye(4)
        slopes = [(loss(states[at] + n, at) - loss(states[at] - n, at)) / 2e-6 for n in nudges]
        norms.append(float(np.linalg.norm(slopes)))

    class Last:
        def integers(self, low: int, high: int, size: int) -> np.ndarray:
            return np.full(size, 5)

    found = experiment.gradient_by_lag(params, tokens, Last(), 1)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, np.array(norms) / norms[0], rtol=1e-5)


def test_the_lag_where_a_gradient_is_gone() -> None:
    assert experiment.lag_left(np.array([1.0, 0.5, 0.009, 0.001])) == 2
    assert experiment.lag_left(np.array([1.0, 0.9])) == 1


def test_a_text_without_the_features_has_no_number() -> None:
    assert math.isnan(experiment.mean_tracked({}, experiment.OTHERS))
    assert experiment.mean_tracked({"indentation": (3, 0.5), "inside quotes": (1, 0.9)}, experiment.OTHERS) == 0.5
