"""What must be so in this lesson; ``groundup check 03`` proves it."""

import numpy as np

from groundup.lesson import Fact
from groundup.lessons.p03_lstm.experiment import NEVER
from groundup.lessons.p03_lstm.model import init, peephole_step
from groundup.ops.recurrent import gru_step, lstm_step


def carousel_apart() -> float:
    """With f = 1 and i = 0 for 1,000 steps: how far a cell and its gradient are then from what they were."""
    rng = np.random.default_rng(0)
    hidden, cell = rng.normal(size=(2, 3, 4))
    bias = np.concatenate([np.full(4, -1000.0), np.full(4, 1000.0), np.zeros(8)])
    weights = (np.zeros((16, 2)), np.zeros((16, 4)), bias, np.zeros(16))
    start, upstream = cell, rng.normal(size=(3, 4))
    backwards = []
    for _ in range(1000):
        (hidden, cell), backward = lstm_step(rng.normal(size=(3, 2)), hidden, cell, *weights)
        backwards.append(backward)
    d_cell = upstream
    for backward in reversed(backwards):
        d_cell = backward(np.zeros((3, 4)), d_cell)[2]
    return float(max(np.abs(cell - start).max(), np.abs(d_cell - upstream).max()))


def never_forgets() -> float:
    """How far a forget gate with the bias ``NEVER`` is from 1 in float32, whatever its weights add at first."""
    params = init(np.random.default_rng(0), "lstm", 32, (0.0, NEVER))["lstm"]
    most = np.abs(params["weight_ih_l0"]).sum(axis=1) + np.abs(params["weight_hh_l0"]).sum(axis=1)
    least = (params["bias_ih_l0"] - most)[32:64]
    return float(np.abs(0.5 * (1 + np.tanh(0.5 * least)) - 1).max())


def peepholes_of_nothing() -> float:
    """How far an LSTM whose peepholes are 0 is from one that has none."""
    rng = np.random.default_rng(0)
    x, hidden, cell = rng.normal(size=(3, 2)), *rng.normal(size=(2, 3, 4))
    weight_ih, weight_hh, bias = rng.normal(size=(16, 2)), rng.normal(size=(16, 4)), rng.normal(size=16)
    with_them, _ = peephole_step(x, hidden, cell, weight_ih, weight_hh, bias, np.zeros((3, 4)))
    without, _ = lstm_step(x, hidden, cell, weight_ih, weight_hh, bias, np.zeros(16))
    return float(np.abs(np.stack(with_them) - np.stack(without)).max())


def copied_by_gru() -> float:
    """How far a GRU whose update gate is 1 is from what it was, after 1,000 steps."""
    rng = np.random.default_rng(0)
    hidden = start = rng.normal(size=(3, 4))
    bias = np.concatenate([np.zeros(4), np.full(4, 1000.0), np.zeros(4)])
    for _ in range(1000):
        hidden, _ = gru_step(rng.normal(size=(3, 2)), hidden, np.zeros((12, 2)), np.zeros((12, 4)), bias, np.zeros(12))
    return float(np.abs(hidden - start).max())


FACTS = (
    Fact("carousel", "With f = 1 and i = 0 a cell and its gradient pass 1,000 steps unchanged", carousel_apart),
    Fact("never", f"With a bias of {NEVER:.0f} a forget gate is 1 in float32", never_forgets),
    Fact("peepholes", "With peepholes of 0 it is the LSTM without them", peepholes_of_nothing, 1e-12),
    Fact("copied", "With an update gate of 1 a GRU keeps its state for 1,000 steps", copied_by_gru),
)
