"""What the exercises on recurrent cells share, and the first of them: one step of the simple network."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.recurrent import rnn_step
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special

#: (batch, inputs, hidden width), the smallest first.
SIZES = ((1, 1, 1), (1, 2, 3), (2, 3, 2), (3, 1, 4), (4, 3, 1), (5, 2, 3), (2, 4, 3), (3, 3, 3))
GIVES = ("x", "hidden", "weight_ih", "weight_hh", "bias_ih", "bias_hh")


def weights(rng: np.random.Generator, inputs: int, width: int, gates: int = 1) -> dict[str, Any]:
    """Weights and biases of a cell with that many gates."""
    shapes = {
        "weight_ih": (gates * width, inputs),
        "weight_hh": (gates * width, width),
        "bias_ih": (gates * width,),
        "bias_hh": (gates * width,),
    }
    return {name: 0.7 * rng.normal(size=shape) for name, shape in shapes.items()}


def step_arguments(rng: np.random.Generator, batch: int, inputs: int, width: int, gates: int = 1) -> dict[str, Any]:
    """What one step of a cell takes."""
    states = {"x": rng.normal(size=(batch, inputs)), "hidden": rng.normal(size=(batch, width))}
    return states | weights(rng, inputs, width, gates)


def step_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for size in SIZES:
        yield step_arguments(rng, *size)


def large_inputs(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Sums in the thousands, of both signs, beside ordinary ones."""
    case = step_arguments(rng, 3, 2, 2)
    yield case | {"x": np.array([[4000.0, 0.0], [-4000.0, 0.0], [0.5, -0.5]])}


RNN_STEP = Exercise(
    title="One step of a recurrent network, and its backward",
    functions=(rnn_step,),
    gives=GIVES,
    task=r"""
One step of Elman's recurrent network, for a batch at once:

$$h' = \tanh(x W_{ih}^\top + b_{ih} + h W_{hh}^\top + b_{hh})$$

`x` is $(B, \text{in})$, `hidden` $(B, H)$, `weight_ih` $(H, \text{in})$, `weight_hh` $(H, H)$, the biases $(H)$.
Return `(new, backward)`; `backward(d_new)` returns the gradients of all six arguments, in their order. No loops.""",
    hints=(
        "Call the sum inside the tanh $a$. Its gradient comes first; everything else is that of two linear maps which "
        "share it.",
        r"Equation (1) of the lesson (Elman 1990). $da = dh' \odot (1 - h'^2)$, then $dx = da\,W_{ih}$, "
        r"$dh = da\,W_{hh}$, $dW_{ih} = da^\top x$, $dW_{hh} = da^\top h$, and each bias gets $\sum_B da$.",
        "`d_sum = d_new * (1 - new**2)`; return `d_sum @ weight_ih, d_sum @ weight_hh, d_sum.T @ x, d_sum.T @ hidden`, "
        "and `d_sum.sum(axis=0)` twice.",
    ),
    why=r"""$\tanh' = 1 - \tanh^2$, and $\tanh(a)$ is already there: it is $h'$. In $a = x W^\top$ the element
$a_{bi} = \sum_j x_{bj} W_{ij}$, so $\partial L/\partial W_{ij} = \sum_b da_{bi}\, x_{bj}$, which is $da^\top x$,
and $\partial L/\partial x_{bj} = \sum_i da_{bi} W_{ij}$, which is $da\,W$ without a transpose. Every example of
the batch used the same bias, so its gradient is a sum over the batch. The common mistakes: a transpose of the
square $W_{hh}$ too many or too few (no shape complains), and $h'$ where $h$ belongs in $dW_{hh}$.""",
    difficulty=2,
    minutes=15,
    cases=step_cases,
    checks=(special("large values", large_inputs),),
    speed=lambda rng: step_arguments(rng, 4000, 20, 20),
    wrong=(
        Wrong("state ignored", {" + hidden @ weight_hh.T": ""}, "that ignores the state it is given"),
        Wrong("one bias", {" + bias_hh)": ")"}, "that leaves out b_hh"),
        Wrong(
            "recurrent weights not transposed",
            {"hidden @ weight_hh.T": "hidden @ weight_hh"},
            "that multiplies the state by W_hh, not by its transpose: the matrix is square, so no shape complains",
        ),
        Wrong("no tanh", {"np.tanh(x @ weight_ih.T": "(x @ weight_ih.T"}, "that leaves out the tanh"),
        Wrong(
            "tanh by exponentials",
            {
                "new = np.tanh(": "sums = (",
                "    def backward": "    e = np.exp(2 * sums)\n    new = (e - 1) / (e + 1)\n\n    def backward",
            },
            "whose tanh is made of exponentials that overflow",
        ),
        Wrong("tanh' forgotten", {" * (1.0 - new * new)": ""}, "whose backward leaves out the derivative of tanh"),
        Wrong("tanh' = 1 − tanh", {"(1.0 - new * new)": "(1.0 - new)"}, "that takes 1 − tanh for the derivative"),
        Wrong(
            "backward transposed",
            {"d_from_hidden @ weight_hh": "d_from_hidden @ weight_hh.T"},
            "whose gradient of hidden passes through W_hhᵀ in place of W_hh",
        ),
        Wrong(
            "new state in dW_hh",
            {"d_sum, d_sum, x, hidden,": "d_sum, d_sum, x, new,"},
            "whose gradient of weight_hh uses the new state: the weights met the old one",
        ),
        Wrong(
            "mean over the batch",
            {
                "d_from_x.sum(axis=0), d_from_hidden.sum(axis=0)": "d_from_x.mean(axis=0), d_from_hidden.mean(axis=0)",
            },
            "whose gradients of the biases are means over the batch, not sums",
        ),
        Wrong(
            "no gradient of the second bias",
            {"d_from_hidden.sum(axis=0)": "0 * d_from_hidden.sum(axis=0)"},
            "whose gradient of b_hh is 0",
        ),
        Wrong(
            "zero gradients",
            {"d_sum = d_new": "d_sum = 0 * d_new"},
            "whose gradients are 0",
        ),
    ),
    right=(
        Right(
            "one matrix for input and state",
            """
            import numpy as np

            def rnn_step(x, h, w_ih, w_hh, b_ih, b_hh):
                joined, table = np.hstack([x, h]), np.hstack([w_ih, w_hh])
                new = np.tanh(np.einsum("bi,hi->bh", joined, table) + (b_ih + b_hh))

                def backward(g):
                    da = g - g * new**2
                    d_joined, d_table = np.einsum("bh,hi->bi", da, table), np.einsum("bh,bi->hi", da, joined)
                    cut, bias = x.shape[1], np.einsum("bh->h", da)
                    return [d_joined[:, :cut], d_joined[:, cut:], d_table[:, :cut], d_table[:, cut:], bias, bias]

                return new, backward
            """,
        ),
        Right(
            "a class, columns",
            """
            import numpy as np

            class Cell:
                def __init__(self, *args):
                    self.x, self.h, self.U, self.W, b, c = args
                    self.new = np.tanh(self.U @ self.x.T + self.W @ self.h.T + (b + c)[:, None])

                def backward(self, upstream):
                    delta = upstream.T * (1 - self.new) * (1 + self.new)
                    bias = delta.sum(1)
                    return (self.U.T @ delta).T, (self.W.T @ delta).T, delta @ self.x, delta @ self.h, bias, bias

            def rnn_step(*args):
                cell = Cell(*args)
                return cell.new.T, cell.backward
            """,
        ),
    ),
)
