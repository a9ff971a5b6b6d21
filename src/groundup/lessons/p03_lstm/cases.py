"""Gradient cases of the peephole step and of the network of ReLUs."""

from typing import Any

from groundup.lessons.p03_lstm.model import peephole_step
from groundup.lessons.p03_lstm.relu import relu_rnn
from groundup.ops.cases.dense import normal
from groundup.ops.cases.recurrent import WEIGHTS
from groundup.ops.types import Case


def peephole_oracle(
    torch: Any, x: Any, hidden: Any, cell: Any, weight_ih: Any, weight_hh: Any, bias: Any, peepholes: Any
) -> Any:
    """torch has no peepholes: the formulas, one gate at a time, and autograd."""
    width = hidden.shape[-1]

    def sums(gate: int) -> Any:
        rows = slice(gate * width, (gate + 1) * width)
        return torch.nn.functional.linear(x, weight_ih[rows], bias[rows]) + hidden @ weight_hh[rows].T

    new = torch.sigmoid(sums(1) + cell * peepholes[1]) * cell
    new = new + torch.sigmoid(sums(0) + cell * peepholes[0]) * torch.tanh(sums(2))
    return torch.sigmoid(sums(3) + new * peepholes[2]) * torch.tanh(new), new


def relu_oracle(torch: Any, x: Any, hidden: Any, **weights: Any) -> Any:
    """torch.nn.RNN with ReLUs, batch first."""
    module = torch.nn.RNN(x.shape[-1], hidden.shape[-1], nonlinearity="relu", batch_first=True)
    named = {f"{name}_l0": weight for name, weight in weights.items()}
    outputs, last = torch.func.functional_call(module, named, (x, hidden[None]))
    return outputs, last[0]


CASES = [
    Case(
        "peephole_step",
        peephole_step,
        normal(
            x=(3, 2), hidden=(3, 4), cell=(3, 4), weight_ih=(16, 2), weight_hh=(16, 4), bias=(16,), peepholes=(3, 4)
        ),
        ("x", "hidden", "cell", "weight_ih", "weight_hh", "bias", "peepholes"),
        peephole_oracle,
    ),
    Case(
        "relu_rnn",
        relu_rnn,
        normal(x=(2, 5, 3), hidden=(2, 4), weight_ih=(4, 3), weight_hh=(4, 4), bias_ih=(4,), bias_hh=(4,)),
        ("x", "hidden", *WEIGHTS),
        relu_oracle,
    ),
]
