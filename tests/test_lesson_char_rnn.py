"""What lesson 02 measures of its network beside bits: how far back a gradient reaches."""

import math
import re

import numpy as np
import pytest

from groundup.data.baselines import witten_bell
from groundup.data.text import novels
from groundup.lessons.p02_char_rnn import experiment
from groundup.lessons.p02_char_rnn.model import char_rnn, init, next_character_loss
from groundup.ops.activations import log_softmax
from groundup.training.optim import adam, clip_by_global_norm, cosine
from groundup.training.params import count
from groundup.training.streams import random_stream
from kept import kept_record


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
    assert experiment.mean_tracked({"place in line": (3, 0.5), "inside quotes": (1, 0.9)}, experiment.OTHERS) == 0.5


def test_features_of_a_text() -> None:
    text = 'She said\n"go on." He.\n\nNo "x'
    found = experiment.features(text)
    inside = [character for character, flag in zip(text, found["inside quotes"], strict=True) if flag]
    assert "".join(inside) == '"go on.' + '"x'
    letters = found["letters since space"]
    assert letters[:4].tolist() == pytest.approx([math.log1p(n) for n in (0, 1, 2, 0)])


def test_overwriting_a_cell_that_nothing_reads_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    vocabulary = "\ufffd abc"
    text = "".join(rng.choice(list("abc ")) for _ in range(400)) + "abcabc " * 20
    tokens = np.array([vocabulary.index(one) for one in text])
    params = init(rng, len(vocabulary), 3, 4, np.float64)
    found = {experiment.COUNTER: (2, 1.0)}
    assert experiment.overwriting(params, tokens, text, found, vocabulary, rng, others=2)[0] > 0
    params["rnn"]["weight_hh_l0"][:, 2] = 0  # no cell reads cell 2, and it is made anew at each character
    params["readout"]["weight"][:, 2] = 0
    assert experiment.overwriting(params, tokens, text, found, vocabulary, rng, others=2)[0] < 1e-12
    assert math.isnan(experiment.overwriting(params, tokens, text, found, "abc", rng)[0])


def test_what_the_text_says_of_the_measurements() -> None:
    record = kept_record("char_rnn")
    found = {one["name"]: one for one in record["findings"]}
    tables = record["drawn"]["metrics"]["n-grams"]
    bits = found["bits"]["values"][0]
    # "passes the tables that know up to three characters, and stays behind those that know four or more"
    assert tables["Witten-Bell 5"]["bits"] < bits < tables["Witten-Bell 4"]["bits"]
    assert record["drawn"]["metrics"]["best n-gram"]["order"] == 6  # "a 6-gram forgets …"
    assert record["drawn"]["metrics"]["numbers that the best n-gram keeps"] == 650_903
    assert record["drawn"]["metrics"]["numbers that the network keeps"] == 108_433
    assert (
        count(init(np.random.default_rng(0), 81, 64, 256)) == 81 * 64 + 256 * (64 + 256 + 2) + 81 * (256 + 1) == 108_433
    )
    assert tables["Witten-Bell 6"]["bits"] == min(one["bits"] for one in tables.values())
    seeds = found["bits"]["values"]  # "five seeds differ among themselves (from 2.00 to 2.08)"
    assert (round(min(seeds), 2), round(max(seeds), 2)) == (2.00, 2.08)
    assert (found["bits"]["verdict"], found["quotes"]["verdict"]) == ("not seen", "not seen")
    assert found["lag"]["verdict"] == found["cells"]["verdict"] == "holds"
    assert (found["overwriting"]["verdict"], found["overwriting"]["seeds_for"]) == ("mostly", 3)
    assert all(8 < lag < 16 for lag in found["lag"]["values"])  # "a dozen characters"
    assert 70 < record["drawn"]["metrics"]["letters of a quotation"] <= 80
    assert max(found["lag"]["values"]) == 11  # "is left 11 characters back"


def test_the_votes_of_witten_and_bell_on_paper() -> None:
    """ "`ri` was followed ten times, by three different characters, and six times by `c`"; the 2-gram says 0.1."""
    p = witten_bell([(np.array([6.0]), np.array([10.0]), np.array([3.0]))], 1, vocabulary=10)
    assert round(float(p[0]), 2) == 0.48
    assert p[0] == pytest.approx((6 + 3 * 0.1) / (10 + 3))


def test_how_long_quotations_are() -> None:
    """ "93 of 100 quotations in the novels are longer than that; half are longer than 75 characters"."""
    train, _, _ = experiment.parts(novels())
    lengths = [len(one) for paragraph in train.split("\n\n") for one in re.findall(r'"([^"]*)"', paragraph)]
    assert round(100 * np.mean(np.array(lengths) > 11)) == 93
    assert np.median(lengths) == 75


def test_every_gradient_is_clipped_and_none_explodes() -> None:
    """In the first steps of the lesson's own training: they have the longest gradients."""
    train, _, _ = experiment.parts(novels()[:1])
    vocabulary = experiment.build_vocabulary(train)
    tokens = experiment.encode(train, vocabulary)
    params = init(random_stream(0, "parameters"), len(vocabulary), 64, 256)
    optimiser, rate, hidden, lengths = adam(), cosine(4e-3, 1200, warmup=20), np.zeros((32, 256), np.float32), []
    memory = optimiser.init(params)
    for step in range(20):
        batch, _ = experiment.streams(tokens, 32, 64, step)
        (logits, hidden), backward = char_rnn(params, batch["tokens"], hidden)
        _, loss_backward = next_character_loss(logits, batch["targets"])
        gradients, length = clip_by_global_norm(backward(loss_backward(), np.zeros_like(hidden)), experiment.CLIP)
        optimiser.update(params, gradients, memory, rate(step))
        lengths.append(length)
    assert all(experiment.CLIP < length < 3 for length in lengths)


def test_a_matrix_three_times_as_large_meets_a_flatter_tanh() -> None:
    params = init(np.random.default_rng(0), 20, 16, 64, np.float64)
    tokens = np.random.default_rng(1).integers(20, size=2000)
    slope = np.mean(1 - experiment.hidden_states(params, tokens) ** 2)
    params["rnn"]["weight_hh_l0"] *= 3
    assert np.mean(1 - experiment.hidden_states(params, tokens) ** 2) < 0.8 * slope
