"""Exercise in PyTorch: an LSTM over sequences of different lengths."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p02_char_rnn.exercises.recurrent import weights
from groundup.ops import recurrent
from groundup.ops.types import Array
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def lstm_padded(
    x: Array, real: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[Array, Array]:
    """The hidden state and the cell of every sequence at its own last step."""
    hidden, cell = np.zeros((2, len(x), weight_hh.shape[1]), x.dtype)
    for t in range(x.shape[1]):
        (new_hidden, new_cell), _ = recurrent.lstm_step(x[:, t], hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh)
        going = real[:, t, None]
        hidden, cell = np.where(going, new_hidden, hidden), np.where(going, new_cell, cell)
    return hidden, cell


def padded_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for lengths, steps, inputs, width in (
        ((1,), 1, 1, 1),
        ((2,), 2, 2, 3),
        ((1, 2), 2, 1, 2),
        ((3, 1), 3, 2, 1),
        ((2, 4, 1), 4, 3, 2),
        ((0, 2), 3, 2, 2),
        ((5, 5, 2, 3), 5, 2, 3),
        ((1, 1), 4, 2, 3),
        ((2, 3, 3), 3, 2, 5),
    ):
        x = rng.normal(size=(len(lengths), steps, inputs))
        real = np.arange(steps) < np.array(lengths)[:, None]
        yield {"x": x, "real": real} | weights(rng, inputs, width, 4)
    scattered = rng.random((3, 6)) < 0.5  # what is not real may stand anywhere
    yield {"x": rng.normal(size=(3, 6, 2)), "real": scattered} | weights(rng, 2, 3, 4)


def wide_open_gates(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Sums in the thousands, of both signs, among what is real and in the padding."""
    x = rng.normal(size=(2, 4, 2))
    x[0, 1, 0], x[0, 3, 1], x[1, 2, 0] = 4000, 5000, -4000
    real = np.array([[True, True, True, False], [True, True, True, True]])
    yield {"x": x, "real": real} | weights(rng, 2, 3, 4)


LSTM_PADDED_TORCH = Exercise(
    name="lstm_padded_torch",
    title="An LSTM over a padded batch in PyTorch",
    functions=(lstm_padded,),
    track="torch",
    forbids=(
        "torch.nn.LSTM",
        "torch.nn.LSTMCell",
        "torch.lstm",
        "torch.lstm_cell",
        "torch.nn.utils.rnn.pack_padded_sequence",
    ),
    task=r"""
A batch holds sequences of different lengths, filled up: `x` is $(B, T, \text{in})$, and `real` $(B, T)$ is True
where a step is real and False where it is padding. Run an LSTM over it, from a state of zeros, and return `(hidden,
cell)`, both $(B, H)$: the state of every sequence after its last real step, whatever stands in the padding. A
sequence without a real step keeps its zeros.

$$i, f, o = \sigma(\cdot), \quad g = \tanh(\cdot) \quad\text{of}\quad x_t W_{ih}^\top + b_{ih} + h W_{hh}^\top + b_{hh},
\qquad c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh(c')$$

Rows of the weights: $i$, $f$, $g$, $o$, as in `nn.LSTM`. One loop over time is right; autograd goes through it.""",
    hints=(
        "Take the step for all sequences, and then keep the old state of those for which it is not real.",
        "What `nn.utils.rnn.pack_padded_sequence` spares you, as a mask: `real[:, t]` is True or False for each "
        "sequence, and needs an axis of length 1 to stand beside (B, H).",
        "`going = real[:, t].unsqueeze(1)`; after the step `hidden = torch.where(going, new_hidden, hidden)` and the "
        "same for the cell.",
    ),
    why=r"""`torch.where` takes the new state where the step is real and the old one where it is not, and sends
the gradient to whichever it took: padding gets none. To multiply the new state by the mask would set an ended
sequence to zero; to read `outputs[:, -1]` gives the state after the padding. Packed sequences do the same thing by
taking ended sequences out of the batch, which saves their computation, too.""",
    difficulty=3,
    minutes=20,
    cases=padded_cases,
    checks=(special("large values", wide_open_gates),),
    loops="One loop over time is fine.",
    solution='''
import torch
from torch import Tensor


def lstm_padded(
    x: Tensor, real: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """The hidden state and the cell of every sequence at its own last step."""
    hidden = cell = x.new_zeros(x.shape[0], weight_hh.shape[1])
    for t in range(x.shape[1]):
        before = x[:, t] @ weight_ih.T + bias_ih + hidden @ weight_hh.T + bias_hh
        i, f, g, o = before.chunk(4, dim=1)
        new_cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        new_hidden = torch.sigmoid(o) * torch.tanh(new_cell)
        going = real[:, t].unsqueeze(1)
        hidden, cell = torch.where(going, new_hidden, hidden), torch.where(going, new_cell, cell)
    return hidden, cell
''',
    wrong=(
        Wrong(
            "after the padding",
            {
                "hidden, cell = torch.where(going, new_hidden, hidden), torch.where(going, new_cell, cell)": (
                    "hidden, cell = new_hidden, new_cell"
                )
            },
            "that goes on reading through the padding",
        ),
        Wrong(
            "real steps skipped",
            {"going = real[:, t]": "going = ~real[:, t]"},
            "that takes the padding and skips what is real",
        ),
        Wrong(
            "ended sequences set to zero",
            {
                "torch.where(going, new_hidden, hidden)": "new_hidden * going",
                "torch.where(going, new_cell, cell)": "new_cell * going",
            },
            "that multiplies by the mask: a sequence that has ended is then all zeros",
        ),
        Wrong(
            "hidden state kept, cell not",
            {"torch.where(going, new_cell, cell)": "new_cell"},
            "whose cell goes on through the padding",
        ),
        Wrong(
            "order i, f, o, g",
            {"i, f, g, o = before": "i, f, o, g = before"},
            "that reads the blocks in the order i, f, o, g",
        ),
    ),
    right=(
        Right(
            "only the rows that go on",
            """
            import torch

            def lstm_padded(x, real, weight_ih, weight_hh, bias_ih, bias_hh):
                B, T, _ = x.shape
                H = weight_hh.shape[1]
                h, c = x.new_zeros(B, H), x.new_zeros(B, H)
                for t in range(T):
                    rows = real[:, t].nonzero()[:, 0]  # those that go on
                    s = (torch.nn.functional.linear(x[rows, t], weight_ih, bias_ih)
                         + torch.nn.functional.linear(h[rows], weight_hh, bias_hh)).view(len(rows), 4, H)
                    new_c = s[:, 1].sigmoid() * c[rows] + s[:, 0].sigmoid() * s[:, 2].tanh()
                    h = h.index_copy(0, rows, s[:, 3].sigmoid() * new_c.tanh())
                    c = c.index_copy(0, rows, new_c)
                return h, c
            """,
        ),
    ),
)
