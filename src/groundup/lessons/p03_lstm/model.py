"""A recurrent network that reads numbers, keeps two of them in mind and says their sum; and peephole connections."""

from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.lessons.p03_lstm.relu import relu_rnn
from groundup.ops.activations import sigmoid
from groundup.ops.init import linear_params, recurrent_params
from groundup.ops.linear import linear
from groundup.ops.recurrent import gru, lstm, rnn
from groundup.ops.types import Array, Backward, Tree

#: kind → the network over a whole sequence, and how many states it hands on
NETWORKS: dict[str, tuple[Callable[..., Any], int]] = {
    "lstm": (lstm, 2),
    "gru": (gru, 1),
    "rnn": (rnn, 1),
    "relu_rnn": (relu_rnn, 1),
}
WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def init(
    rng: np.random.Generator,
    kind: str,
    hidden: int,
    start: tuple[float, float] | str | None = None,
    dtype: type = np.float32,
) -> Tree:
    """Parameters of a network of ``NETWORKS`` and of its readout; their flat names are those of the twin's state_dict.

    ``start`` None leaves them as PyTorch draws them. For an LSTM two numbers are the biases of the input gates and of
    the forget gates, with all other biases 0. For a plain network "identity" and "orthogonal" say how W_hh begins,
    with all biases 0.
    """
    gates = "rnn" if kind.endswith("rnn") else kind
    cell = recurrent_params(rng, gates, 2, hidden, dtype)  # type: ignore[arg-type]
    if start is not None:
        cell |= {name: np.zeros_like(cell[name]) for name in ("bias_ih", "bias_hh")}
    if isinstance(start, tuple):
        cell["bias_ih"][: 2 * hidden] = np.repeat(start, hidden)  # rows: i, f, g, o
    elif start is not None:
        eye = np.eye(hidden)
        turned = np.linalg.qr(rng.normal(size=(hidden, hidden)))[0]
        cell["weight_hh"] = (eye if start == "identity" else turned).astype(dtype)
    named = {f"{name}_l0": array for name, array in cell.items()}
    return {kind: named, "readout": linear_params(rng, hidden, 1, dtype=dtype)}


def kind_of(params: Tree) -> str:
    """Which network these parameters belong to."""
    return next(kind for kind in NETWORKS if kind in params)


def adder(params: Tree, x: Array) -> tuple[Array, Backward]:
    """Read a sequence and say one number: x (B, T, 2) -> (B, 1), a linear function of the last hidden state.

    ``backward(dy)`` returns the gradient tree of ``params``.
    """
    kind = kind_of(params)
    network, states = NETWORKS[kind]
    cell = params[kind]
    zeros = np.zeros((len(x), cell["weight_hh_l0"].shape[1]), x.dtype)
    (outputs, last, *_), through_time = network(x, *[zeros] * states, *[cell[name] for name in WEIGHTS])
    y, readout_backward = linear(last, params["readout"]["weight"], params["readout"]["bias"])  # (6)

    def backward(dy: Array) -> Tree:
        d_last, d_weight, d_bias = readout_backward(dy)
        # Nothing but the last hidden state has a loss: no other output, and not the last cell.
        gradients = through_time(np.zeros_like(outputs), d_last, *[np.zeros_like(last)] * (states - 1))
        d_cell = dict(zip(WEIGHTS, gradients[-4:], strict=True))
        return {kind: d_cell, "readout": {"weight": d_weight, "bias": d_bias}}

    return y, backward


def peephole_step(
    x: Array, hidden: Array, cell: Array, weight_ih: Array, weight_hh: Array, bias: Array, peepholes: Array
) -> tuple[tuple[Array, Array], Backward]:
    """One step of an LSTM whose gates see the cell: x (B, in), hidden and cell (B, H) -> (hidden, cell).

    peepholes (3, H): the input and the forget gate add theirs times the old cell to their sums, the output gate its
    own times the new one. ``backward(d_hidden, d_cell)`` returns the gradients of all seven arguments. Rows of the
    weights: i, f, g, o. Source: Gers & Schmidhuber 2000, "Recurrent nets that time and count".
    """
    to_i, to_f, to_o = peepholes
    before_i, before_f, before_g, before_o = np.split(x @ weight_ih.T + hidden @ weight_hh.T + bias, 4, axis=-1)
    i, i_backward = sigmoid(before_i + to_i * cell)  # (8)
    f, f_backward = sigmoid(before_f + to_f * cell)  # (8)
    g = np.tanh(before_g)
    new_cell = f * cell + i * g
    o, o_backward = sigmoid(before_o + to_o * new_cell)  # (8)
    tanh_cell = np.tanh(new_cell)

    def backward(d_hidden: Array, d_cell: Array) -> tuple[Array, ...]:
        d_o = o_backward(d_hidden * tanh_cell)
        d_new = d_cell + d_hidden * o * (1 - tanh_cell**2) + d_o * to_o  # the third way: through the output gate
        d_i, d_f = i_backward(d_new * g), f_backward(d_new * cell)
        d_g = d_new * i * (1 - g**2)
        d_sums = np.concatenate([d_i, d_f, d_g, d_o], axis=-1)  # (B, 4H)
        d_old = d_new * f + d_i * to_i + d_f * to_f
        d_peepholes = np.stack([(d_i * cell).sum(axis=0), (d_f * cell).sum(axis=0), (d_o * new_cell).sum(axis=0)])
        return (
            d_sums @ weight_ih,
            d_sums @ weight_hh,
            d_old,
            d_sums.T @ x,
            d_sums.T @ hidden,
            d_sums.sum(axis=0),
            d_peepholes,
        )

    return (o * tanh_cell, new_cell), backward
