"""Exercises on the long short-term memory: a step, and its backward."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p02_char_rnn.exercises.recurrent import SIZES, step_arguments
from groundup.ops import recurrent
from groundup.ops.types import Array
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def lstm_step(
    x: Array, hidden: Array, cell: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[Array, ...]:
    """The library's step without its backward."""
    return recurrent.lstm_step(x, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh)[0]


def lstm_arguments(rng: np.random.Generator, batch: int, inputs: int, width: int) -> dict[str, Any]:
    """What one step of an LSTM takes."""
    return step_arguments(rng, batch, inputs, width, gates=4) | {"cell": rng.normal(size=(batch, width))}


def lstm_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for size in SIZES:
        yield lstm_arguments(rng, *size)


def wide_open_gates(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Sums in the thousands, of both signs, beside ordinary ones."""
    case = lstm_arguments(rng, 3, 2, 2)
    yield case | {"x": np.array([[4000.0, 0.0], [-4000.0, 0.0], [0.5, -0.5]])}


EQUATIONS = r"""
$$i, f, o = \sigma(\cdot), \quad g = \tanh(\cdot) \quad\text{of}\quad x W_{ih}^\top + b_{ih} + h W_{hh}^\top + b_{hh}$$

$$c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh(c')$$

`x` is $(B, \text{in})$, `hidden` and `cell` are $(B, H)$, `weight_ih` is $(4H, \text{in})$, `weight_hh` $(4H, H)$,
the biases $(4H)$: the rows of input gate $i$, forget gate $f$, candidate $g$ and output gate $o$, in this order
(PyTorch's), $H$ each."""

LSTM_STEP = Exercise(
    name="lstm_step",
    title="One step of an LSTM",
    functions=(lstm_step,),
    task="One step of the long short-term memory, for a batch at once:\n"
    + EQUATIONS
    + " Return `(new_hidden, new_cell)`. Sums of any size must do, thousands too. No loops.",
    hints=(
        "All four sums are one matrix product, $4H$ columns wide: cut it into four afterwards. Three parts pass "
        "through the logistic function, one through tanh.",
        r"Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000; the equations are "
        r"those of the task. $\sigma(a) = (1 + \tanh(a/2))/2$ overflows nowhere.",
        "`i, f, g, o = np.split(x @ weight_ih.T + bias_ih + hidden @ weight_hh.T + bias_hh, 4, axis=-1)`; then "
        "`new_cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)` and `sigmoid(o) * np.tanh(new_cell)`.",
    ),
    why=r"""The cell is a sum: what was there, weighted by $f$, and what is new, weighted by $i$. The gates lie
between 0 and 1 and so say how much; the candidate $g$ lies between −1 and 1 and says what, so the cell can be
counted down as well as up. The order of the four blocks is a convention that no shape can check: weights saved by
one library and read in the order of another run without an error and write nonsense. The second common mistake is
to leave out the tanh on the way from the cell to the hidden state.""",
    difficulty=2,
    minutes=15,
    cases=lstm_cases,
    checks=(special("large values", wide_open_gates),),
    speed=lambda rng: lstm_arguments(rng, 2000, 20, 20),
    solution='''
import numpy as np

Array = np.ndarray


def sigmoid(x: Array) -> Array:
    """σ(x) = ½(1 + tanh(x/2)): never overflows."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def lstm_step(
    x: Array, hidden: Array, cell: Array, weight_ih: Array, weight_hh: Array, bias_ih: Array, bias_hh: Array
) -> tuple[Array, Array]:
    """One step of the LSTM: x (B, in), hidden (B, H), cell (B, H) -> (new_hidden, new_cell), both (B, H)."""
    before = x @ weight_ih.T + bias_ih + hidden @ weight_hh.T + bias_hh  # (B, 4H)
    i, f, g, o = np.split(before, 4, axis=-1)  # (B, H) each
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    new_cell = f * cell + i * g
    return o * np.tanh(new_cell), new_cell
''',
    wrong=(
        Wrong(
            "forget and input gate exchanged",
            {"i, f, g, o = np.split": "f, i, g, o = np.split"},
            "that exchanges forget and input gate",
        ),
        Wrong(
            "order i, f, o, g",
            {"i, f, g, o = np.split": "i, f, o, g = np.split"},
            "that reads the blocks in the order i, f, o, g: here the candidate g comes third",
        ),
        Wrong(
            "every fourth column",
            {"= np.split(before, 4, axis=-1)": "= (before[:, k::4] for k in range(4))"},
            "that takes every fourth column for a gate: each gate is one block of H",
        ),
        Wrong("no tanh of the cell", {"o * np.tanh(new_cell)": "o * new_cell"}, "that leaves out the tanh of the cell"),
        Wrong(
            "old cell read out", {"np.tanh(new_cell)": "np.tanh(cell)"}, "whose hidden state is read from the old cell"
        ),
        Wrong("candidate by σ", {"np.tanh(g)": "sigmoid(g)"}, "whose candidate g passes through σ, not through tanh"),
        Wrong("tied gates", {"+ i * g": "+ (1 - f) * g"}, "that uses 1 − f for the input gate"),
        Wrong("nothing forgotten", {"f * cell +": "cell +"}, "that has no forget gate"),
        Wrong("state ignored", {" + hidden @ weight_hh.T": ""}, "that ignores the hidden state"),
        Wrong("one bias", {".T + bias_hh ": ".T "}, "that leaves out b_hh"),
        Wrong(
            "results exchanged",
            {"return o * np.tanh(new_cell), new_cell": "return new_cell, o * np.tanh(new_cell)"},
            "that returns the cell before the hidden state",
        ),
        Wrong(
            "σ by e^x / (1 + e^x)",
            {"0.5 * (1 + np.tanh(0.5 * x))": "np.exp(x) / (1 + np.exp(x))"},
            "whose σ divides ∞ by ∞ for large sums",
        ),
    ),
    right=(
        Right(
            "a matrix for each gate",
            """
            import numpy as np

            def lstm_step(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
                H = h.shape[1]

                def gate(k):
                    rows = slice(k * H, (k + 1) * H)
                    sums = np.einsum("bi,hi->bh", x, weight_ih[rows]) + np.einsum("bj,hj->bh", h, weight_hh[rows])
                    return sums + bias_ih[rows] + bias_hh[rows]

                def logistic(a):
                    small = np.exp(-abs(a))
                    return np.where(a >= 0, 1, small) / (1 + small)

                c = c * logistic(gate(1)) + logistic(gate(0)) * np.tanh(gate(2))
                return [np.tanh(c) * logistic(gate(3)), c]
            """,
        ),
    ),
)

LSTM_STEP_BACKWARD = Exercise(
    name="lstm_step_backward",
    title="The backward of an LSTM step",
    functions=(recurrent.lstm_step,),
    gives=("x", "hidden", "cell", "weight_ih", "weight_hh", "bias_ih", "bias_hh"),
    keep="forward",
    given=(recurrent._linear_gradients,),
    task="The forward pass of an LSTM step is written:\n"
    + EQUATIONS
    + r""" Write `backward(d_hidden, d_cell)`: from the gradients of $h'$ and $c'$ it returns those of `x`, `hidden`,
`cell`, `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh`, in this order.
`_linear_gradients`, the backward of the two linear maps, is given. No loops.""",
    hints=(
        "First the whole gradient of c': it reaches the loss by itself and through h'. From it follow the gradients of "
        "i, f, g and the old cell; o gets its own from h'. Then each through its σ or tanh, and all four side by side "
        "through one pair of linear maps.",
        r"$dc \leftarrow dc + dh' \odot o \odot (1 - \tanh^2 c')$; then $di = dc \odot g$, $df = dc \odot c$, "
        r"$dg = dc \odot i$, $do = dh' \odot \tanh c'$, $dc_{\text{old}} = dc \odot f$ (derivation: product rule). "
        r"$\sigma' = \sigma(1 - \sigma)$, $\tanh' = 1 - \tanh^2$.",
        "`d_before = np.concatenate([d_cell * g * i * (1 - i), d_cell * cell * f * (1 - f), d_cell * i * (1 - g * g), "
        "d_hidden * tanh_cell * o * (1 - o)], axis=-1)`; then `d_before @ weight_ih`, `d_before @ weight_hh`, "
        "`d_cell * f`, `d_before.T @ x`, `d_before.T @ hidden` and `d_before.sum(axis=0)` twice.",
    ),
    why=r"""$c'$ is used twice, as a result and in $h' = o \tanh c'$, so its gradient has two terms. After that the
product rule does the rest: in $f \odot c + i \odot g$ each factor's gradient is $dc$ times its partner. The old
cell gets $dc \odot f$ and nothing else, no matrix and no tanh: over many steps the gradient is multiplied by
forget gates, which can stay near 1, where a simple network multiplies by $W_{hh}$ and $\tanh'$ each time. That is
why an LSTM learns longer memories. The common mistakes are to forget one of the two terms of $dc$, or to use the
upstream $dc$ alone for the old cell.""",
    difficulty=4,
    minutes=30,
    cases=lstm_cases,
    speed=lambda rng: lstm_arguments(rng, 2000, 20, 20),
    wrong=(
        Wrong(
            "cell's own gradient only",
            {" + d_hidden * o * (1.0 - tanh_cell * tanh_cell)": ""},
            "in which nothing reaches the cell through h'",
        ),
        Wrong(
            "gradient of the cell ignored",
            {"d_cell = d_cell + d_hidden": "d_cell = d_hidden"},
            "that ignores `d_cell`: right for the last step only, where it is 0",
        ),
        Wrong(
            "tanh' of the cell forgotten",
            {" * (1.0 - tanh_cell * tanh_cell)": ""},
            "that leaves out the derivative of tanh between cell and hidden state",
        ),
        Wrong(
            "tanh' taken at the cell",
            {"(1.0 - tanh_cell * tanh_cell)": "(1.0 - new_cell * new_cell)"},
            "that takes 1 − c² for the derivative: it is 1 − tanh²(c)",
        ),
        Wrong(
            "upstream cell alone for the old cell",
            {
                "d_cell = d_cell + d_hidden": "upstream, d_cell = d_cell, d_cell + d_hidden",
                "return dx, dh, d_cell * f": "return dx, dh, upstream * f",
            },
            "whose gradient of the old cell leaves out what comes through h'",
        ),
        Wrong(
            "old cell without f",
            {"return dx, dh, d_cell * f": "return dx, dh, d_cell"},
            "whose gradient of the old cell leaves out the forget gate",
        ),
        Wrong(
            "forget and input gate exchanged",
            {"d_cell * g * i * (1.0 - i)": "d_cell * cell * i * (1.0 - i)", "d_cell * cell * f": "d_cell * g * f"},
            "that exchanges the partners of input and forget gate: i stands with g, and f with the old cell",
        ),
        Wrong(
            "forget gate with the new cell",
            {"d_cell * cell * f": "d_cell * new_cell * f"},
            "whose forget gate uses the new cell: it was multiplied by the old one",
        ),
        Wrong(
            "σ' forgotten",
            {
                "d_cell * g * i * (1.0 - i)": "d_cell * g",
                "d_cell * cell * f * (1.0 - f)": "d_cell * cell",
                "d_hidden * tanh_cell * o * (1.0 - o)": "d_hidden * tanh_cell",
            },
            "that leaves out the derivative of σ",
        ),
        Wrong(
            "candidate by σ'",
            {"d_cell * i * (1.0 - g * g)": "d_cell * i * g * (1.0 - g)"},
            "that sends the candidate back through σ; it came through tanh",
        ),
        Wrong(
            "output gate with the cell",
            {"d_hidden * tanh_cell * o * (1.0 - o)": "d_hidden * new_cell * o * (1.0 - o)"},
            "whose output gate uses the cell: it was multiplied by tanh of the cell",
        ),
        Wrong(
            "blocks in the order i, f, o, g",
            {
                "d_cell * i * (1.0 - g * g)": "THIRD",
                "d_hidden * tanh_cell * o * (1.0 - o)": "d_cell * i * (1.0 - g * g)",
                "THIRD": "d_hidden * tanh_cell * o * (1.0 - o)",
            },
            "that joins the blocks in the order i, f, o, g",
        ),
        Wrong(
            "new hidden state in the weights",
            {"d_before, d_before, x, hidden,": "d_before, d_before, x, new_hidden,"},
            "whose gradient of weight_hh uses the new hidden state",
        ),
        Wrong(
            "d_cell changed",
            {"d_cell = d_cell + d_hidden": "d_cell += d_hidden"},
            "that changes `d_cell`",
        ),
    ),
    right=(
        Right(
            "gate by gate, then einsum",
            """
            import numpy as np

            def lstm_step(x, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh):
                pre = (x @ weight_ih.T + bias_ih + hidden @ weight_hh.T + bias_hh).reshape(len(x), 4, -1)
                s = (1 + np.tanh(pre / 2)) / 2
                i, f, g, o = s[:, 0], s[:, 1], np.tanh(pre[:, 2]), s[:, 3]
                new_cell = f * cell + i * g
                readout = np.tanh(new_cell)

                def backward(d_h, d_c):
                    total = d_c + d_h * o / np.cosh(new_cell) ** 2
                    d_values = np.stack([total * g, total * cell, total * i, d_h * readout], axis=1)  # (B, 4, H)
                    slopes = s - s**2
                    slopes[:, 2] = 1 - g**2
                    d_pre = slopes * d_values
                    ih, hh = (w.reshape(4, -1, w.shape[-1]) for w in (weight_ih, weight_hh))
                    d_bias = d_pre.sum(0).ravel()
                    return [
                        np.einsum("bgh,ghi->bi", d_pre, ih), np.einsum("bgh,ghj->bj", d_pre, hh), f * total,
                        np.einsum("bgh,bi->ghi", d_pre, x).reshape(weight_ih.shape),
                        np.einsum("bgh,bj->ghj", d_pre, hidden).reshape(weight_hh.shape),
                        d_bias, d_bias.copy(),
                    ]

                return (o * readout, new_cell), backward
            """,
        ),
    ),
)
