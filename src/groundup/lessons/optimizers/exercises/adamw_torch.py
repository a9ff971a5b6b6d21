"""Exercise in PyTorch: one step of AdamW on tensors."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.types import Array
from groundup.practice.exercise import Exercise, Right, Wrong


def adamw_step(
    w: Array, gradient: Array, mean: Array, square: Array, step: int, rate: float, weight_decay: float = 0.01
) -> tuple[Array, Array, Array]:
    """One step of AdamW, with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8: the new (w, mean, square)."""
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    unbiased_mean, unbiased_square = mean / (1 - 0.9**step), square / (1 - 0.999**step)
    return w - rate * (unbiased_mean / (np.sqrt(unbiased_square) + 1e-8) + weight_decay * w), mean, square


def step_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    def drawn(shape: tuple[int, ...], step: int, scale: float = 1.0) -> dict[str, Any]:
        w, gradient, mean = rng.normal(size=(3, *shape))
        square = rng.uniform(0.1, 2, size=shape)
        if step == 1:
            mean, square = np.zeros((2, *shape))
        found = {"w": w, "gradient": scale * gradient, "mean": scale * mean, "square": scale**2 * square}
        return {**found, "step": step, "rate": round(float(rng.uniform(0.01, 0.3)), 3)}

    for shape, step in [
        ((1,), 1),
        ((2,), 1),
        ((3,), 2),
        ((2, 3), 1),
        ((1, 3), 2),
        ((3, 1), 7),
        ((4, 2), 100),
        ((2, 1, 3), 5000),
    ]:
        yield drawn(shape, step)
    yield drawn((3,), 3) | {"weight_decay": 0.0}
    yield drawn((2, 2), 4) | {"weight_decay": 0.5}
    yield drawn((2,), 1) | {"weight_decay": 2.0}
    yield drawn((3,), 1, 100.0)


ADAMW_STEP_TORCH = Exercise(
    name="adamw_step_torch",
    title="One step of AdamW in PyTorch",
    functions=(adamw_step,),
    track="torch",
    forbids=("torch.optim.AdamW", "torch.optim.Adam", "torch.optim.adamw.adamw", "torch.optim.adam.adam"),
    task=r"""
Write what `torch.optim.AdamW` does to one tensor at step $t$ = `step` $= 1, 2, \dots$, elementwise:

$$m \leftarrow 0.9\, m + 0.1\, g, \qquad v \leftarrow 0.999\, v + 0.001\, g^2$$

$$w \leftarrow w - \eta\left(\frac{m/(1 - 0.9^t)}{\sqrt{v/(1 - 0.999^t)} + 10^{-8}} + \lambda w\right)$$

with $\eta$ = `rate` and $\lambda$ = `weight_decay`. `w`, `gradient`, `mean` ($m$) and `square` ($v$) are tensors
of one shape. Return the new `(w, mean, square)` and leave those that you were given as they are.""",
    hints=(
        "Three lines: the two averages, then the step with the corrected averages. Is the decay divided by the root?",
        r"Loshchilov & Hutter 2019, algorithm 2, with the rate in front of the decay as PyTorch has it: "
        r"$w - \eta\,(\hat m/(\sqrt{\hat v} + \varepsilon) + \lambda w)$.",
        "`mean = 0.9 * mean + 0.1 * gradient`, `square = 0.999 * square + 0.001 * gradient**2`, then `w - rate * "
        "(mean / (1 - 0.9**step) / ((square / (1 - 0.999**step)).sqrt() + 1e-8) + weight_decay * w)`.",
    ),
    why=r"""The decay stands beside the quotient, not inside the gradient: so it is not divided by $\sqrt{\hat v}$, and
all weights lose the same share $\eta\lambda$. In `torch.optim.Adam` the setting of the same name adds $\lambda w$ to
$g$; a weight whose gradient is 0 then runs a full step towards 0 however small $\lambda$ is. `mean.mul_(0.9)` and
its relatives change the tensor that the caller holds. That is what an optimiser wants for its own state, inside
`torch.no_grad()`, and not what was asked for here.""",
    difficulty=2,
    minutes=12,
    cases=step_cases,
    loops="None needed: all of it is elementwise.",
    solution="""
import torch
from torch import Tensor


def adamw_step(
    w: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int, rate: float, weight_decay: float = 0.01
) -> tuple[Tensor, Tensor, Tensor]:
    \"\"\"One step of AdamW, with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8: the new (w, mean, square).\"\"\"
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    unbiased_mean, unbiased_square = mean / (1 - 0.9**step), square / (1 - 0.999**step)
    return w - rate * (unbiased_mean / (torch.sqrt(unbiased_square) + 1e-8) + weight_decay * w), mean, square
""",
    wrong=(
        Wrong(
            "penalty in the gradient",
            {
                "    mean = 0.9": "    gradient = gradient + weight_decay * w\n    mean = 0.9",
                " + weight_decay * w), mean": "), mean",
            },
            "whose decay goes through the gradient: that is `torch.optim.Adam` with `weight_decay`, not AdamW",
        ),
        Wrong(
            "decay without the rate",
            {" + weight_decay * w), mean": ") - weight_decay * w, mean"},
            "whose decay is not multiplied by the rate: the paper's own form, not PyTorch's",
        ),
        Wrong(
            "no bias correction",
            {"mean / (1 - 0.9**step), square / (1 - 0.999**step)": "mean, square"},
            "without the bias corrections",
        ),
        Wrong(
            "corrected averages kept",
            {"+ weight_decay * w), mean, square": "+ weight_decay * w), unbiased_mean, unbiased_square"},
            "that hands on the corrected averages: the next step would correct them again",
        ),
        Wrong("no root", {"torch.sqrt(unbiased_square)": "unbiased_square"}, "that leaves out the root"),
        Wrong("uphill", {"w - rate * (": "w + rate * ("}, "that goes uphill"),
        Wrong(
            "in place",
            {"mean = 0.9 * mean + 0.1 * gradient": "mean = mean.mul_(0.9).add_(gradient, alpha=0.1)"},
            "that changes the averages of the caller in place",
        ),
        Wrong(
            "new average before the old",
            {"0.9 * mean + 0.1 * gradient": "0.1 * mean + 0.9 * gradient"},
            "that exchanges the weights of the old average and the new gradient",
        ),
    ),
    right=(
        Right(
            "lerp and addcdiv, decay first",
            """
            import torch

            def adamw_step(w, gradient, mean, square, step, rate, weight_decay=0.01):
                m = torch.lerp(mean, gradient, 0.1)
                v = square.mul(0.999).addcmul(gradient, gradient, value=0.001)
                root = v.sqrt() / (1 - 0.999**step) ** 0.5
                shrunk = w.mul(1 - rate * weight_decay)
                return shrunk.addcdiv(m, root.add(1e-8), value=-rate / (1 - 0.9**step)), m, v
            """,
        ),
    ),
)
