"""An exercise on the gated recurrent unit."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p02_char_rnn.exercises.recurrent import GIVES, SIZES, step_arguments
from groundup.ops.recurrent import gru_step
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def gru_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for size in SIZES:
        yield step_arguments(rng, *size, gates=3)


def wide_open_gates(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Sums in the thousands, of both signs, beside ordinary ones."""
    case = step_arguments(rng, 3, 2, 2, gates=3)
    yield case | {"x": np.array([[4000.0, 0.0], [-4000.0, 0.0], [0.5, -0.5]])}


GRU_STEP = Exercise(
    title="One step of a GRU, and its backward",
    functions=(gru_step,),
    gives=GIVES,
    task=r"""
One step of the gated recurrent unit in PyTorch's form, for a batch at once:

$$r = \sigma(x W_{ir}^\top + b_{ir} + h W_{hr}^\top + b_{hr}), \qquad
z = \sigma(x W_{iz}^\top + b_{iz} + h W_{hz}^\top + b_{hz})$$

$$n = \tanh\big(x W_{in}^\top + b_{in} + r \odot (h W_{hn}^\top + b_{hn})\big), \qquad
h' = (1 - z) \odot n + z \odot h$$

`x` is $(B, \text{in})$, `hidden` $(B, H)$, `weight_ih` $(3H, \text{in})$, `weight_hh` $(3H, H)$, the biases
$(3H)$: the rows of $r$, $z$ and $n$, in this order, $H$ each. Return `(new, backward)`; `backward(d_new)` returns
the gradients of all six arguments, in their order. Sums of any size must do. No loops.""",
    hints=(
        "Keep two products of width $3H$ apart, that of x and that of h: the reset gate acts on a part of the second "
        "only. Going back, the old state is reached in two ways: directly by z, and through the products.",
        r"Cho et al. 2014, eqs. 5 to 8, with $r \odot (Wh)$ for their $W(r \odot h)$. With $q = hW_{hn}^\top + "
        r"b_{hn}$: $dn = dh'(1-z)(1-n^2)$, $dz = dh'(h-n)z(1-z)$, $dr = dn\,q\,r(1-r)$. The product of x gets "
        r"$(dr, dz, dn)$, that of h gets $(dr, dz, r\,dn)$.",
        "`dx = d_from_x @ weight_ih`, `dh = d_from_hidden @ weight_hh + d_new * z`, `d_from_x.T @ x`, "
        "`d_from_hidden.T @ hidden`, `d_from_x.sum(axis=0)`, `d_from_hidden.sum(axis=0)`, where the two are the three "
        "parts of hint 2 joined by `np.concatenate(…, axis=-1)`.",
    ),
    why=r"""The product rule on $(1-z)n + zh$ gives $n$ the factor $1-z$, $z$ the factor $h-n$, and $h$ the factor
$z$ without any matrix between: where $z$ is near 1 the state is copied, and its gradient too. The recurrent part
of the candidate is multiplied by $r$, so its gradient is too, bias included; therefore the gradients of the two
biases, equal in the simple network and in the LSTM, differ here. Common mistakes: the roles of $z$ and $1-z$
exchanged (papers disagree), and the reset gate put on $h$ before the product, which is the paper's unit but not
the one whose weights you may have loaded.""",
    difficulty=4,
    minutes=35,
    cases=gru_cases,
    checks=(special("large values", wide_open_gates),),
    speed=lambda rng: step_arguments(rng, 2000, 20, 20, gates=3),
    wrong=(
        Wrong(
            "z the other way round",
            {"new = (1.0 - z) * n + z * hidden": "new = z * n + (1.0 - z) * hidden"},
            "that exchanges z and 1 − z",
        ),
        Wrong(
            "reset before the product",
            {"+ r * recall)": "+ (r * hidden) @ weight_hh[2 * width :].T + bias_hh[2 * width :])"},
            "that resets the state before the product, W(r h): the paper's form, not the one asked for",
        ),
        Wrong(
            "bias not reset",
            {"+ r * recall)": "+ r * (recall - bias_hh[2 * width :]) + bias_hh[2 * width :])"},
            "that leaves b_hn outside the reset gate",
        ),
        Wrong("r and z exchanged", {"r, z = np.split": "z, r = np.split"}, "that exchanges the rows of r and z"),
        Wrong("nothing reset", {"+ r * recall)": "+ recall)"}, "that has no reset gate"),
        Wrong(
            "σ by e^x / (1 + e^x)",
            {"0.5 * (1.0 + np.tanh(0.5 * x))": "np.exp(x) / (1.0 + np.exp(x))"},
            "whose σ divides ∞ by ∞ for large sums",
        ),
        Wrong(
            "way past the gates forgotten",
            {"return dx, dh + d_new * z,": "return dx, dh,"},
            "whose gradient of hidden leaves out the direct way, z",
        ),
        Wrong(
            "reset forgotten in the backward",
            {"[d_r, d_z, d_n * r]": "[d_r, d_z, d_n]"},
            "that forgets the reset gate on the way back: then both biases have the same gradient",
        ),
        Wrong(
            "sign of z's gradient",
            {"d_new * (hidden - n) * z": "d_new * (n - hidden) * z"},
            "whose gradient of z has the wrong sign",
        ),
        Wrong(
            "candidate forgotten in z's gradient",
            {"d_new * (hidden - n) * z": "d_new * hidden * z"},
            "whose gradient of z leaves out the candidate: z stands before both terms",
        ),
        Wrong(
            "reset gate with the state",
            {"d_n * recall * r * (1.0 - r)": "d_n * hidden * r * (1.0 - r)"},
            "whose gradient of r uses the state, not its product with W_hn",
        ),
        Wrong(
            "no tanh'",
            {"(1.0 - z) * (1.0 - n * n)": "(1.0 - z)"},
            "that leaves out the derivative of the candidate's tanh",
        ),
        Wrong(
            "no σ'",
            {"* recall * r * (1.0 - r)": "* recall", "(hidden - n) * z * (1.0 - z)": "(hidden - n)"},
            "that leaves out the derivatives of σ",
        ),
    ),
    right=(
        Right(
            "gate by gate",
            """
            import numpy as np

            class Affine:
                def __init__(self, x, w, b):
                    self.x, self.w, self.out = x, w, np.einsum("bi,oi->bo", x, w) + b

                def pull(self, g):
                    return np.einsum("bo,oi->bi", g, self.w), np.einsum("bo,bi->oi", g, self.x), np.einsum("bo->o", g)

            def _sigma(a):
                return 1 / (1 + np.exp(-np.clip(a, -700 if a.dtype == np.float64 else -80, None)))

            def gru_step(x, h, w_i, w_h, b_i, b_h):
                ins = [Affine(x, *pair) for pair in zip(np.split(w_i, 3), np.split(b_i, 3))]
                recs = [Affine(h, *pair) for pair in zip(np.split(w_h, 3), np.split(b_h, 3))]
                r, z = (_sigma(ins[k].out + recs[k].out) for k in (0, 1))
                n = np.tanh(ins[2].out + r * recs[2].out)

                def backward(g):
                    a_n = (g - g * z) * (1 - n**2)
                    a_r, a_z = a_n * recs[2].out * (r - r**2), g * (h - n) * (z - z * z)
                    left = [layer.pull(a) for layer, a in zip(ins, (a_r, a_z, a_n))]
                    right = [layer.pull(a) for layer, a in zip(recs, (a_r, a_z, r * a_n))]
                    d_x, d_h = sum(part[0] for part in left), g * z + sum(part[0] for part in right)
                    weights = [np.vstack([part[1] for part in side]) for side in (left, right)]
                    biases = [np.hstack([part[2] for part in side]) for side in (left, right)]
                    return d_x, d_h, *weights, *biases

                return n + z * (h - n), backward
            """,
        ),
    ),
)
