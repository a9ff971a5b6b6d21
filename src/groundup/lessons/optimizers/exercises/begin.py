"""Exercise: how large random weights should be, by Glorot and Bengio and by He et al."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from groundup.lessons.optimizers.model import he, xavier
from groundup.practice.exercise import Exercise, Right, Wrong


def spreads_of(xavier: Callable[..., Any], he: Callable[..., Any], layers: list[tuple[int, int]]) -> list[Any]:
    """What both say of each layer (inputs, outputs)."""
    return [(float(xavier(inputs, outputs)), float(he(inputs, outputs))) for inputs, outputs in layers]


def layer_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for layers in ([(1, 1)], [(2, 6)], [(6, 2)], [(64, 64)], [(784, 64), (64, 10)], [(10, 784)], [(3, 5), (5, 4)]):
        yield {"layers": layers}
    yield {"layers": [(int(a), int(b)) for a, b in rng.integers(1, 2000, size=(6, 2))]}


XAVIER_HE = Exercise(
    name="xavier_he",
    title="How large to begin: Xavier and He",
    functions=(xavier, he),
    use=spreads_of,
    task=r"""
A layer computes $z_j = \sum_i w_{ji} x_i$ from $n_{\text{in}}$ inputs, for $n_{\text{out}}$ outputs $j$. Its weights
are drawn with mean 0. Return the standard deviation $\sigma$ that they should have.

`xavier(inputs, outputs)`: the middle between what keeps the mean square of the signal on its way forward,
$n_{\text{in}}\,\sigma^2 = 1$, and what keeps that of the gradient on its way back,
$n_{\text{out}}\,\sigma^2 = 1$: put the mean of $n_{\text{in}}$ and $n_{\text{out}}$ in the place of either,

$$\frac{n_{\text{in}} + n_{\text{out}}}{2}\,\sigma^2 = 1.$$

`he(inputs, outputs)`: what keeps the mean square on its way forward where the inputs come out of ReLUs, which cut
half of the mean square of what they are given.""",
    hints=(
        "Both conditions are about the variance. What is asked for is its root. For the second: by which factor must "
        "the variance of the weights grow to make up for a lost half?",
        r"Glorot & Bengio 2010, eq. 12: $\operatorname{Var}(w) = 2/(n_{\text{in}} + n_{\text{out}})$. He et al. 2015, "
        r"eq. 10: $\tfrac12 n_{\text{in}} \operatorname{Var}(w) = 1$.",
        "`math.sqrt(2 / (inputs + outputs))` and `math.sqrt(2 / inputs)`.",
    ),
    why=r"""Independent weights of mean 0 give $E[z^2] = n_{\text{in}}\,\sigma^2\,E[x^2]$, for all mixed terms vanish.
If $x = \max(z', 0)$ and $z'$ is as often negative as positive, $E[x^2] = \tfrac12 E[z'^2]$, so the factor from one
layer to the next is $\tfrac12 n_{\text{in}}\,\sigma^2$. The gradient of an input sums over the outputs, hence
$n_{\text{out}}$. In PyTorch they are `nn.init.xavier_normal_` and `nn.init.kaiming_normal_`; the uniform ones
reach $\sqrt 3$ times as far, for the variance of a uniform number in $\pm a$ is $a^2/3$. The common mistakes: the
variance in place of its root, and inputs taken for outputs, which a square layer forgives.""",
    difficulty=1,
    minutes=8,
    cases=layer_cases,
    floats32=False,
    loops="None needed: two numbers for a layer.",
    wrong=(
        Wrong(
            "variances",
            {"math.sqrt(2 / (inputs + outputs))": "2 / (inputs + outputs)", "math.sqrt(2 / inputs)": "2 / inputs"},
            "that returns variances: their roots are asked for",
        ),
        Wrong(
            "outputs for inputs",
            {"math.sqrt(2 / inputs)": "math.sqrt(2 / outputs)"},
            "whose He start counts the outputs: going forward, a unit adds up its inputs",
        ),
        Wrong(
            "no half for the ReLU",
            {"math.sqrt(2 / inputs)": "math.sqrt(1 / inputs)"},
            "whose He start does not make up for the half that a ReLU cuts",
        ),
        Wrong(
            "half in the wrong direction",
            {"math.sqrt(2 / inputs)": "math.sqrt(0.5 / inputs)"},
            "whose He start halves the variance where it should double it",
        ),
        Wrong(
            "sum for mean",
            {"math.sqrt(2 / (inputs + outputs))": "math.sqrt(1 / (inputs + outputs))"},
            "whose Xavier start divides by the sum of inputs and outputs, not by their mean",
        ),
        Wrong(
            "the bound of the uniform one",
            {"math.sqrt(2 / (inputs + outputs))": "math.sqrt(6 / (inputs + outputs))"},
            "that returns the bound of the uniform distribution, √3 times the standard deviation",
        ),
        Wrong(
            "geometric mean",
            {"math.sqrt(2 / (inputs + outputs))": "math.sqrt(1 / math.sqrt(inputs * outputs))"},
            "whose Xavier start takes the geometric mean of inputs and outputs",
        ),
    ),
    right=(
        Right(
            "NumPy, from the two conditions",
            """
            import numpy as np

            def xavier(inputs, outputs):
                return np.mean([inputs, outputs]) ** -0.5

            def he(inputs, outputs):
                half_is_left = 0.5
                return 1 / np.sqrt(half_is_left * inputs)
            """,
        ),
    ),
)
