"""An exercise on peephole connections: the gradient's third way."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p02_char_rnn.exercises.recurrent import SIZES
from groundup.lessons.p03_lstm.model import peephole_step
from groundup.ops.activations import sigmoid
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def peephole_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for batch, inputs, width in (*SIZES, (2, 3, 4)):
        yield {
            "x": rng.normal(size=(batch, inputs)),
            "hidden": rng.normal(size=(batch, width)),
            "cell": rng.normal(size=(batch, width)),
            "weight_ih": 0.7 * rng.normal(size=(4 * width, inputs)),
            "weight_hh": 0.7 * rng.normal(size=(4 * width, width)),
            "bias": 0.7 * rng.normal(size=4 * width),
            "peepholes": rng.normal(size=(3, width)),
        }


def wide_open_gates(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Sums in the thousands, of both signs, beside ordinary ones."""
    *_, case = peephole_cases(rng)
    yield case | {"x": np.array([[4000.0, 0.0, 1.0], [-4000.0, 0.5, -0.5]])}


PEEPHOLE_STEP_BACKWARD = Exercise(
    name="peephole_step_backward",
    title="The backward of an LSTM step with peepholes",
    functions=(peephole_step,),
    gives=("x", "hidden", "cell", "weight_ih", "weight_hh", "bias", "peepholes"),
    keep="forward",
    given=(sigmoid,),
    task=r"""
With peepholes the gates see the cell. With the three vectors $p_i$, $p_f$, $p_o$, the rows of `peepholes`, and the
sums $a$ of the usual linear maps,

$$i = \sigma(a_i + p_i \odot c), \qquad f = \sigma(a_f + p_f \odot c), \qquad g = \tanh(a_g)$$

$$c' = f \odot c + i \odot g, \qquad o = \sigma(a_o + p_o \odot c'), \qquad h' = o \odot \tanh(c')$$

This forward pass is written; `i_backward`, `f_backward` and `o_backward` take the gradient of a gate to that of the
sum inside its $\sigma$. Write `backward(d_hidden, d_cell)`: from the gradients of $h'$ and $c'$ it returns those of
`x`, `hidden`, `cell`, `weight_ih`, `weight_hh`, `bias` and `peepholes`, in this order. No loops.""",
    hints=(
        "Begin at the end: the output gate first. Then list every way from c' to the results: itself, through tanh, "
        "and now through the output gate too. The old cell has three ways as well.",
        r"Gers & Schmidhuber 2000; the derivation is the chain rule. With $do$, $di$, $df$ the gradients of the sums: "
        r"$dc' \leftarrow dc' + dh' \odot o \odot (1 - \tanh^2 c') + do \odot p_o$, and "
        r"$dc = dc' \odot f + di \odot p_i + df \odot p_f$.",
        "`d_o = o_backward(d_hidden * tanh_cell)`, then `d_new = d_cell + d_hidden * o * (1 - tanh_cell**2) + "
        "d_o * to_o`, `d_i = i_backward(d_new * g)`, `d_f = f_backward(d_new * cell)`, `d_g = d_new * i * (1 - g**2)`. "
        "A peephole's gradient is the sum over the batch of its gate's times the cell that it saw: old, old, new.",
    ),
    why=r"""The output gate looks at the *new* cell, so the cell has a third way to the loss, and the order
matters: $do$ has to be known before $dc'$ is complete. The input and the forget gate look at the *old* cell, which
gives it two more ways. The common mistakes are to let all three see the same cell, and to forget that a weight that
multiplies element by element gets its gradient element by element, summed over the batch alone.""",
    difficulty=5,
    minutes=35,
    cases=peephole_cases,
    checks=(special("large values", wide_open_gates),),
    loops="None needed.",
    wrong=(
        Wrong(
            "output gate's way forgotten",
            {" + d_o * to_o  # the third way: through the output gate": ""},
            "in which nothing reaches the new cell through the output gate",
        ),
        Wrong(
            "old cell through f only",
            {"d_old = d_new * f + d_i * to_i + d_f * to_f": "d_old = d_new * f"},
            "whose old cell gets nothing through the peepholes of input and forget gate",
        ),
        Wrong(
            "output peephole with the old cell",
            {"(d_o * new_cell).sum(axis=0)": "(d_o * cell).sum(axis=0)"},
            "whose output peephole uses the old cell: the gate saw the new one",
        ),
        Wrong(
            "input and forget peephole with the new cell",
            {
                "(d_i * cell).sum(axis=0)": "(d_i * new_cell).sum(axis=0)",
                "(d_f * cell).sum(axis=0)": "(d_f * new_cell).sum(axis=0)",
            },
            "whose peepholes of input and forget gate use the new cell: these gates saw the old one",
        ),
        Wrong(
            "upstream of the cell ignored",
            {"d_new = d_cell + d_hidden": "d_new = d_hidden"},
            "that ignores `d_cell`",
        ),
        Wrong(
            "mean over the batch",
            {
                "(d_i * cell).sum(axis=0)": "(d_i * cell).mean(axis=0)",
                "(d_f * cell).sum(axis=0)": "(d_f * cell).mean(axis=0)",
                "(d_o * new_cell).sum(axis=0)": "(d_o * new_cell).mean(axis=0)",
            },
            "whose peepholes get the mean over the batch, not the sum",
        ),
    ),
    right=(
        Right(
            "σ' written out, einsum for the weights",
            """
            import numpy as np

            def peephole_step(x, hidden, cell, weight_ih, weight_hh, bias, peepholes):
                p_i, p_f, p_o = peepholes
                a = np.einsum("bi,ki->bk", x, weight_ih) + np.einsum("bj,kj->bk", hidden, weight_hh) + bias
                H = hidden.shape[1]
                s = lambda v: (1 + np.tanh(v / 2)) / 2
                i, f = s(a[:, :H] + p_i * cell), s(a[:, H:2 * H] + p_f * cell)
                g = np.tanh(a[:, 2 * H:3 * H])
                new = i * g + f * cell
                o, read = s(a[:, 3 * H:] + p_o * new), np.tanh(new)

                def backward(d_h, d_c):
                    a_o = d_h * read * (o - o * o)
                    total = a_o * p_o + d_c + d_h * o / np.cosh(new) ** 2
                    a_i, a_f, a_g = total * g * (i - i * i), total * cell * (f - f * f), total * i * (1 - g * g)
                    d_a = np.hstack([a_i, a_f, a_g, a_o])
                    d_p = np.array([np.einsum("bh,bh->h", u, v) for u, v in ((a_i, cell), (a_f, cell), (a_o, new))])
                    old = total * f + p_i * a_i + p_f * a_f
                    return (
                        d_a @ weight_ih, d_a @ weight_hh, old, np.einsum("bk,bi->ki", d_a, x),
                        np.einsum("bk,bj->kj", d_a, hidden), d_a.sum(0), d_p,
                    )

                return (o * read, new), backward
            """,
        ),
    ),
)
