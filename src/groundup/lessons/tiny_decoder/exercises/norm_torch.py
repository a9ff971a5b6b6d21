"""Exercise of the tiny decoder in PyTorch: layer normalisation."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.norms import layer_norm
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def layer_norm_torch_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(3,), (1, 4), (2, 3), (3, 2), (3, 3), (2, 3, 4), (3, 3, 3), (2, 1, 3, 2)]:
        gain, bias = rng.normal(size=(2, shape[-1]))
        yield {"x": rng.normal(size=shape), "gain": gain, "bias": bias}
    yield {"x": 3 + 0.01 * rng.normal(size=(2, 3)), "gain": rng.normal(size=3), "bias": rng.normal(size=3)}
    yield {"x": rng.normal(size=(2, 4)), "gain": rng.normal(size=4), "bias": rng.normal(size=4), "eps": 0.1}


def far_from_zero(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": 1e6 + rng.normal(size=(2, 4)), "gain": rng.normal(size=4), "bias": rng.normal(size=4)}


LAYER_NORM_TORCH = Exercise(
    name="layer_norm_torch",
    title="Layer normalisation in PyTorch",
    functions=(layer_norm,),
    gives=("x", "gain", "bias"),
    track="torch",
    forbids=(
        "torch.nn.functional.layer_norm",
        "torch.layer_norm",
        "torch.native_layer_norm",
        "torch.nn.LayerNorm",
        "torch.nn.functional.group_norm",
        "torch.group_norm",
        "torch.nn.functional.instance_norm",
        "torch.nn.functional.batch_norm",
        "torch.batch_norm",
        "torch.nn.functional.rms_norm",
        "torch.rms_norm",
    ),
    task=r"""
Normalise every position over its features, then scale and shift:

$$\mu = \frac1D \sum_i x_i, \qquad \sigma^2 = \frac1D \sum_i (x_i - \mu)^2, \qquad
y_i = g_i\, \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + b_i$$

`x` is $(\dots, D)$ with any number of leading axes, `gain` and `bias` are $(D,)$. Return `y`; autograd has to reach all
three tensors through it. `nn.LayerNorm`, `functional.layer_norm` and the other ready-made norms are forbidden; `mean`
and `var` are not.""",
    hints=(
        "Mean and variance over the last axis, kept as an axis of length 1 so that they broadcast against x.",
        r"$\hat x = (x - \mu)/\sqrt{\sigma^2 + \epsilon}$, $y = g \odot \hat x + b$ (Ba et al. 2016, eqs. 3 and 4). "
        r"The variance divides by $D$; what does `torch.var` divide by?",
        "`mean = x.mean(dim=-1, keepdim=True)`, `var = x.var(dim=-1, keepdim=True, unbiased=False)`, then "
        "`(x - mean) / torch.sqrt(var + eps) * gain + bias`.",
    ),
    why=r"""`x.var()` and `x.std()` divide by $D - 1$ in PyTorch (NumPy's divide by $D$): `unbiased=False`, or
`correction=0`, is what the definition and `nn.LayerNorm` take. `keepdim=True` leaves $(\dots, 1)$, which broadcasts
along the features; without it the statistics of the positions would line up with the features, an error that a square
input hides. ε stands inside the root, so that a constant row gives 0 and a finite gradient. Mean and variance depend on
$x$, so they must stay in the graph: `detach` or `no_grad` leaves the values right and the gradient wrong.""",
    difficulty=2,
    minutes=10,
    cases=layer_norm_torch_cases,
    checks=(special("far from zero", far_from_zero),),
    solution="""
import torch
from torch import Tensor


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    \"\"\"Normalise x (..., D) over its last axis, then scale by gain (D,) and shift by bias (D,).\"\"\"
    mean = x.mean(dim=-1, keepdim=True)
    centred = x - mean
    variance = centred.square().mean(dim=-1, keepdim=True)
    return centred / torch.sqrt(variance + eps) * gain + bias
""",
    wrong=(
        Wrong(
            "std of PyTorch plus epsilon",
            {"torch.sqrt(variance + eps)": "(x.std(dim=-1, keepdim=True) + eps)"},
            "that divides by `x.std() + eps`: `std` divides by D - 1 unless told otherwise, and epsilon belongs inside "
            "the root",
        ),
        Wrong(
            "unbiased variance",
            {"centred.square().mean(dim=-1, keepdim=True)": "x.var(dim=-1, keepdim=True)"},
            "whose variance divides by D - 1, as `torch.var` does unless told otherwise",
        ),
        Wrong(
            "epsilon outside the root",
            {"torch.sqrt(variance + eps)": "(torch.sqrt(variance) + eps)"},
            "in which epsilon stands outside the root",
        ),
        Wrong("no epsilon", {"variance + eps": "variance"}, "that leaves epsilon out"),
        Wrong(
            "an epsilon of its own", {"variance + eps": "variance + 1e-5"}, "that does not use the `eps` it is given"
        ),
        Wrong(
            "divided by the variance",
            {"torch.sqrt(variance + eps)": "(variance + eps)"},
            "that divides by the variance, not its root",
        ),
        Wrong(
            "keepdim forgotten",
            {"x.mean(dim=-1, keepdim=True)": "x.mean(dim=-1)"},
            "without `keepdim`: the means of the positions line up with the features",
            crashes=True,
        ),
        Wrong(
            "statistics over the batch",
            {"mean = x.mean(dim=-1,": "mean = x.mean(dim=0,", "square().mean(dim=-1,": "square().mean(dim=0,"},
            "that normalises over the first axis: that is batch normalisation",
        ),
        Wrong(
            "statistics of everything",
            {"x.mean(dim=-1, keepdim=True)": "x.mean()", "square().mean(dim=-1, keepdim=True)": "square().mean()"},
            "with one mean and one variance for the whole array",
        ),
        Wrong(
            "statistics detached",
            {"mean = x.mean(": "mean = x.detach().mean(", "centred.square()": "centred.detach().square()"},
            "through whose mean and variance no gradient flows",
        ),
        Wrong(
            "variance detached",
            {"centred.square()": "centred.detach().square()"},
            "through whose variance no gradient flows",
        ),
        Wrong(
            "variance of large numbers",
            {"centred.square().mean(dim=-1, keepdim=True)": "x.square().mean(dim=-1, keepdim=True) - mean.square()"},
            "that takes the variance as mean(x²) − mean(x)²: far from zero the two cancel",
        ),
        Wrong("no gain", {" * gain + bias": " + bias"}, "that leaves the gain out"),
        Wrong(
            "the library's own",
            "from torch.nn import functional as F\n\n"
            "def layer_norm(x, gain, bias, eps=1e-5):\n"
            "    return F.layer_norm(x, x.shape[-1:], gain, bias, eps)\n",
            "that leaves the work to the library",
        ),
    ),
    right=(
        Right(
            "a module around var_mean",
            """
            import torch
            from torch import nn

            class Norm(nn.Module):
                def __init__(self, gain, bias, eps):
                    super().__init__()
                    self.gain, self.bias, self.eps = gain, bias, eps

                def forward(self, x):
                    var, mu = torch.var_mean(x, -1, correction=0, keepdim=True)
                    return torch.addcmul(self.bias, (x - mu) * torch.rsqrt(var + self.eps), self.gain)

            def layer_norm(x, gain, bias, eps=1e-5):
                return Norm(gain, bias, eps)(x)
            """,
        ),
        Right(
            "einsum",
            """
            import torch

            def layer_norm(x, gain, bias, eps=1e-5):
                width = x.size(-1)
                c = x - torch.einsum("...d->...", x).unsqueeze(-1) / width
                power = torch.einsum("...d,...d->...", c, c) / width + eps
                return torch.einsum("...d,...,d->...d", c, power ** -0.5, gain) + bias
            """,
        ),
    ),
)
