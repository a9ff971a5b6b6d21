"""Exercise of the tiny decoder: a smooth nonlinearity."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.activations import gelu
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def gelu_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(2,), (1, 3), (3, 1), (2, 3), (2, 3, 4), (3, 1, 2, 2)]:
        yield {"x": 2 * rng.normal(size=shape)}
    yield {"x": np.linspace(-3, 3, 7)}


GELU = Exercise(
    title="GELU and its backward",
    functions=(gelu,),
    gives=("x",),
    task=r"""
The Gaussian error linear unit in its tanh form, the one of GPT-2, element by element:

$$y = \tfrac12\, x \left(1 + \tanh u\right), \qquad u = \sqrt{2/\pi}\, \left(x + 0.044715\, x^3\right)$$

Return `(y, backward)`; `backward(dy)` returns the gradient of `x`, of any shape. The derivative has to be that of this
formula, not of the exact GELU. Arrays in float32 give float32. No loops.""",
    hints=(
        "A product of two functions of x: the derivative has two terms, and the second needs the derivative of u.",
        r"$\tanh' = 1 - \tanh^2$, so with $t = \tanh u$: $y' = \frac12 (1 + t) + \frac12 x (1 - t^2)\, u'$, "
        r"$u' = \sqrt{2/\pi}\,(1 + 3 \cdot 0.044715\, x^2)$ (the form: Hendrycks & Gimpel 2016, section 2).",
        "`c = math.sqrt(2 / math.pi)`, `t = np.tanh(c * (x + 0.044715 * x**3))`, `y = 0.5 * x * (1 + t)`; keep `t` for "
        "`dy * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2))`.",
    ),
    why=r"""GELU weights $x$ by the probability $\Phi(x)$ that a standard normal number lies below it; $\frac12(1 +
\tanh u)$ stands in for $\Phi$, wrong by less than 0.001. The product rule gives the two terms, the chain rule
the factor $(1 - t^2) u'$. The usual mistakes are to forget $u'$ or its $x^2$ term, and to mix forms: a model trained
with one form should be run, and differentiated, with the same.""",
    difficulty=2,
    minutes=12,
    cases=gelu_cases,
    checks=(special("large values", lambda rng: [{"x": np.array([-1000.0, -30.0, -8.0, 0.0, 8.0, 30.0, 1000.0])}]),),
    speed=lambda rng: {"x": rng.normal(size=(500, 200))},
    equivalent={
        "gelu: -10 → -11": (
            "From about 6 on tanh u is ±1 in float64, too, and 1 - tanh² is 0: where it is cut off beyond does "
            "not matter."
        ),
        "gelu: 10 → 11": (
            "From about 6 on tanh u is ±1 in float64, too, and 1 - tanh² is 0: where it is cut off beyond does "
            "not matter."
        ),
        "gelu: 10 → 9": (
            "From about 6 on tanh u is ±1 in float64, too, and 1 - tanh² is 0: where it is cut off beyond does "
            "not matter."
        ),
    },
    wrong=(
        Wrong(
            "the exact form",
            """
            import math

            import numpy as np

            def gelu(x):
                phi = 0.5 * (1 + np.vectorize(math.erf, otypes=[x.dtype])(x / math.sqrt(2)))
                density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
                return x * phi, lambda dy: dy * (phi + x * density)
            """,
            "in the exact form, with erf: what is asked for is the tanh form",
        ),
        Wrong(
            "the logistic form",
            """
            import numpy as np

            def gelu(x):
                s = 1 / (1 + np.exp(-1.702 * x))
                return x * s, lambda dy: dy * (s + 1.702 * x * s * (1 - s))
            """,
            "in the form x σ(1.702 x), a coarser one",
        ),
        Wrong("no half", {"y = 0.5 * x * (1 + t)": "y = x * (1 + t)"}, "without the factor ½"),
        Wrong("no cube", {" * (1 + 0.044715 * inner**2)": ""}, "that leaves the cube out"),
        Wrong(
            "square for cube",
            {"inner * (1 + 0.044715 * inner**2)": "(inner + 0.044715 * inner**2)"},
            "with x² in place of x³",
        ),
        Wrong("no root", {"math.sqrt(2 / math.pi)": "2 / math.pi"}, "with 2/π where its root belongs"),
        Wrong(
            "root of the whole number",
            {"math.sqrt(2 / math.pi)": "math.sqrt(2) / math.pi"},
            "with √2/π where √(2/π) belongs",
        ),
        Wrong(
            "weight held constant",
            {" + 0.5 * inner * dt": ""},
            "whose backward holds the weight ½ (1 + tanh u) constant: it depends on x too",
        ),
        Wrong("tanh only", {"0.5 * (1 + t) + 0.5": "0.5"}, "whose backward lacks the first term of the product rule"),
        Wrong(
            "inner derivative forgotten",
            {" * slope * (1 + 3 * 0.044715 * inner**2)": ""},
            "whose backward forgets the inner derivative du/dx",
        ),
        Wrong(
            "no cube in backward", {"slope * (1 + 3 * 0.044715 * inner**2)": "slope"}, "whose backward forgets the cube"
        ),
        Wrong("3 forgotten", {"1 + 3 * 0.044715": "1 + 0.044715"}, "whose derivative of x³ is x², without the 3"),
        Wrong(
            "promotes float32",
            {"math.sqrt(2 / math.pi)": "np.sqrt(2 / np.pi)"},
            "with the constant `np.sqrt(2 / np.pi)`: that is a NumPy float64, which turns float32 arrays into float64, "
            "while the plain number of `math.sqrt` leaves them alone",
        ),
        Wrong("1 - tanh", {"1 - t**2": "1 - t"}, "with 1 - tanh for the derivative of tanh"),
    ),
    right=(
        Right(
            "by the logistic function",
            """
            import numpy as np

            class Gelu:
                a, b = np.sqrt(8 / np.pi).item(), 0.044715

                def __init__(self, x):
                    # (1 + tanh u) / 2 = σ(2u)
                    self.x, self.gate = x, np.reciprocal(1 + np.exp(-self.a * (x + self.b * x * x * x)))

                def __call__(self, dy):
                    inner = self.a * (1 + 3 * self.b * np.square(self.x))
                    return (dy * self.gate * (1 + self.x * (1 - self.gate) * inner),)

            def gelu(x):
                node = Gelu(x)
                return x * node.gate, node
            """,
        ),
    ),
)
