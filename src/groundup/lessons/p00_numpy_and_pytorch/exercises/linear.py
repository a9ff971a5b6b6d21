"""Exercise of the primer: the linear layer."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.linear import linear
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Near, Subject, compare


def linear_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for *lead, inputs, outputs in [(1, 2, 1), (2, 2, 3), (3, 3, 2), (2, 2, 2), (4, 1, 3), (3, 2, 4), (2, 3, 4, 2)]:
        arrays = rng.normal(size=(*lead, inputs)), rng.normal(size=(outputs, inputs)), rng.normal(size=outputs)
        yield dict(zip(("x", "weight", "bias"), arrays, strict=True))
    yield {"x": rng.normal(size=3), "weight": rng.normal(size=(2, 3)), "bias": rng.normal(size=2)}
    yield {"x": rng.normal(size=(2, 1, 3, 4)), "weight": rng.normal(size=(2, 4)), "bias": rng.normal(size=2)}


def without_bias(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | str | None:
    """No bias: y = x Wᵀ, and two gradients."""
    for lead, dtype in [((2,), np.float64), ((3, 2), np.float64), ((2,), np.float64), ((2,), np.float32)]:
        arrays = {"x": rng.normal(size=(*lead, 3)), "weight": rng.normal(size=(4, 3))}
        arguments: dict[str, Any] = {name: array.astype(dtype) for name, array in arrays.items()}
        expected, got = reference(**arguments), answer(**arguments)
        upstream = rng.normal(size=(*lead, 4)).astype(dtype)
        pulled = got.pull(upstream)
        if isinstance(pulled, tuple | list) and len(pulled) == 3 and pulled[2] is None:
            return "Without a bias, `backward` should return two gradients, (dx, dweight)."
        near = Near(np.dtype(dtype))
        found = compare(expected.value, got.value, near) or compare(expected.pull(upstream), pulled, near)
        if found:
            message = f"Without a bias: {found.message or 'wrong'}."
            return Finding("no bias", message, arguments, (upstream,), found.expected, found.got, found.error)
    return None


LINEAR = Exercise(
    title="A linear layer and its backward",
    functions=(linear,),
    gives=("x", "weight", "bias"),
    task=r"""
The affine map of a fully connected layer, with the weight stored as PyTorch stores it, one row for each output:

$$y = x W^\top + b$$

`x` is $(\dots, I)$ with any number of leading axes, none included; `weight` is $(O, I)$ and `bias` $(O,)$ or `None`.
Return `(y, backward)`; `backward(dy)` returns the gradients `(dx, dweight, dbias)`, or `(dx, dweight)` where there is
no bias, each in the shape of what it belongs to. No loops.""",
    hints=(
        "Every position along the leading axes goes through the same layer. Make them the rows of one matrix; the "
        "gradients of weight and bias are sums over all rows.",
        r"With rows $X$ $(N, I)$ and upstream rows $G$ $(N, O)$: $dX = G W$, $dW = G^\top X$, $db = \sum_n G_n$. "
        r"(From $y_{no} = \sum_i W_{oi} x_{ni} + b_o$, one index at a time.)",
        "`rows = x.reshape(-1, inputs)`, `g = dy.reshape(-1, outputs)`; `dx = (g @ weight).reshape(x.shape)`, "
        "`dweight = g.T @ rows`, `dbias = g.sum(axis=0)`.",
    ),
    why=r"""$y_{no} = \sum_i W_{oi} x_{ni} + b_o$. An input $x_{ni}$ appears in all outputs of its row, with weight
$W_{oi}$: $dx_{ni} = \sum_o g_{no} W_{oi}$. A weight $W_{oi}$ appears in output $o$ of every row, with factor $x_{ni}$:
$dW_{oi} = \sum_n g_{no} x_{ni}$. So both are matrix products, and the shapes leave one way only to write them as long
as $I$, $O$ and $N$ differ. Common mistakes: the mean over the batch in place of the sum (if there is a mean, it is in
the loss, and `dy` has it already), and a sum over the first axis only where there are more.""",
    difficulty=1,
    minutes=10,
    cases=linear_cases,
    checks=(Check("no bias", without_bias),),
    speed=lambda rng: {"x": rng.normal(size=(50, 100, 16)), "weight": rng.normal(size=(16, 16)), "bias": np.zeros(16)},
    wrong=(
        Wrong(
            "weight not transposed", {"weight.T": "weight"}, "that computes x W, without the transpose", crashes=True
        ),
        Wrong("bias forgotten", {"        y += bias\n": "        pass\n"}, "that forgets the bias"),
        Wrong(
            "means over the rows",
            {
                "dweight = d_rows.T @ rows": "dweight = d_rows.T @ rows / len(rows)",
                "d_rows.sum(axis=0)  #": "d_rows.mean(axis=0)  #",
            },
            "that averages the gradients of weight and bias over the rows: they are sums",
        ),
        Wrong(
            "mean for the bias",
            {"d_rows.sum(axis=0)  #": "d_rows.mean(axis=0)  #"},
            "whose dbias is a mean over the rows: it is a sum",
        ),
        Wrong("dweight transposed", {"d_rows.T @ rows": "rows.T @ d_rows"}, "whose dweight is transposed"),
        Wrong(
            "dx through the transpose",
            {"d_rows @ weight)": "d_rows @ weight.T)"},
            "whose dx goes through the transpose of the weight once more",
            crashes=True,
        ),
        Wrong(
            "first axis only",
            {"d_rows.sum(axis=0)  #": "dy.sum(axis=0)  #"},
            "whose dbias sums over the first axis only: right for a matrix x, wrong with more axes or none",
        ),
        Wrong(
            "bias in a row",
            {"d_rows.sum(axis=0)  #": "d_rows.sum(axis=0, keepdims=True)  #"},
            "whose dbias has an axis too many",
        ),
        Wrong("upstream of ones", {"d_rows = dy.": "d_rows = np.ones_like(dy)."}, "whose backward ignores `dy`"),
        Wrong("bias demanded", {"if bias is not None:": "if True:"}, "that needs a bias", crashes=True),
        Wrong(
            "None for a bias that is not there",
            {"            return dx, dweight\n": "            return dx, dweight, None\n"},
            "that returns a third gradient where there is no bias",
        ),
    ),
    right=(
        Right(
            "einsum",
            """
            import numpy as np

            def linear(x, weight, bias=None):
                y = np.einsum("...i,oi->...o", x, weight) + (0 if bias is None else bias)

                def pull(g):
                    flat_x, flat_g = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])
                    dw = np.einsum("no,ni->oi", flat_g, flat_x)
                    parts = [np.einsum("...o,oi->...i", g, weight), dw]
                    if bias is not None:
                        parts.append(np.einsum("no->o", flat_g))
                    return parts

                return y, pull
            """,
        ),
        Right(
            "tensordot in a class",
            """
            from dataclasses import dataclass

            import numpy as np


            @dataclass
            class Layer:
                x: np.ndarray
                weight: np.ndarray
                biased: bool

                def __call__(self, dy):
                    lead = list(range(self.x.ndim - 1))
                    gradients = (np.matmul(dy, self.weight), np.tensordot(dy, self.x, axes=(lead, lead)))
                    return gradients + ((np.sum(dy, axis=tuple(lead)),) if self.biased else ())


            def linear(x, weight, bias=None):
                out = np.inner(x, weight)
                return (out if bias is None else np.add(out, bias)), Layer(x, weight, bias is not None)
            """,
        ),
    ),
)
