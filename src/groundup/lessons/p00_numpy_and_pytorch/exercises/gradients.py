"""Exercise of the primer: a gradient by nudging."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p00_numpy_and_pytorch.model import numerical_gradient
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import Code


def numerical_gradient_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(1,), (2, 3), (4,), (3, 1), (1, 2), (2, 1, 3), ()]:
        weights = rng.normal(size=shape)
        x = np.asarray(rng.normal(size=shape))
        yield {"function": Code("lambda x: (w * np.sin(x)).sum()", w=weights), "x": x}
    yield {"function": Code("lambda x: float(x[0] * x[1] - x[1] ** 2)"), "x": rng.normal(size=2)}
    yield {"function": Code("lambda x: np.exp(x).prod()"), "x": rng.normal(size=(2, 2)), "step": 1e-4}
    # A cubic shows which differences were taken, and with which step: (f(x + h) − f(x − h)) / 2h = 3x² + h².
    yield {"function": Code("lambda x: (x**3).sum()"), "x": rng.normal(size=3), "step": 0.5}


NUMERICAL_GRADIENT = Exercise(
    title="A gradient by nudging",
    functions=(numerical_gradient,),
    task=r"""
Measure the gradient of a function from an array to one number, one element at a time, by central differences:

$$\frac{\partial f}{\partial x_i} \approx \frac{f(x + h e_i) - f(x - h e_i)}{2h}$$

`function(x)` takes an array of the shape of `x` (any shape) and returns a number; `step` is $h$. Return an array of
the shape of `x`. `x` itself must stay as it is. A loop over the elements is what is wanted here.""",
    hints=(
        "One element is nudged up, then down, all others stay; how much did the value change per unit of nudge?",
        r"Central differences: the error of $(f(x+h) - f(x-h))/2h$ is "
        r"$h^2 f^{(3)}(x)/6$; one-sided, it is $h f^{(2)}(x)/2$.",
        "`for index in np.ndindex(x.shape):` make `nudge = np.zeros_like(x)` with `nudge[index] = step`, and call the "
        "function with `x + nudge` and `x - nudge`.",
    ),
    why=r"""In $f(x \pm h) = f \pm h f' + \tfrac{h^2}{2} f^{(2)} \pm \dots$ the even terms cancel in the difference of
the two sides, so the error falls with $h^2$; one-sided differences keep $\tfrac{h}{2} f^{(2)}$. The usual mistakes are
to divide by $h$ instead of $2h$, and to nudge `x` in place and not to put back exactly what was there.""",
    difficulty=1,
    minutes=10,
    cases=numerical_gradient_cases,
    floats32=False,
    loops="Over the elements: two calls for each.",
    equivalent={
        "numerical_gradient: np.zeros_like(x) → np.ones_like(x)": "Every element is overwritten.",
    },
    wrong=(
        Wrong(
            "one-sided",
            {"(function(x + nudge) - function(x - nudge)) / (2 * step)": "(function(x + nudge) - function(x)) / step"},
            "that takes one-sided differences: their error is of the order of the step, not of its square",
        ),
        Wrong(
            "divided by the step",
            {"/ (2 * step)": "/ step"},
            "that divides by the step, where the two points are two steps apart",
        ),
        Wrong(
            "nudges pile up",
            {
                "    for index": "    nudge = np.zeros_like(x)\n    for index",
                "        nudge = np.zeros_like(x)\n": "",
            },
            "that leaves earlier elements nudged while it measures the next",
        ),
        Wrong("everything at once", {"nudge[index] = step": "nudge[...] = step"}, "that nudges all elements at once"),
        Wrong(
            "a step of its own",
            {"    gradient = np.zeros_like(x)\n": "    step = 1e-5\n    gradient = np.zeros_like(x)\n"},
            "that does not use the `step` it is given",
        ),
        Wrong(
            "nudges x itself",
            """
            import numpy as np

            def numerical_gradient(function, x, step=1e-5):
                gradient = np.zeros_like(x)
                for index in np.ndindex(x.shape):
                    x[index] += step
                    above = function(x)
                    x[index] -= 2 * step
                    gradient[index] = (above - function(x)) / (2 * step)
                return gradient
            """,
            "that leaves x changed",
        ),
        Wrong("flat", {"    return gradient\n": "    return gradient.reshape(-1)\n"}, "that returns a flat array"),
    ),
    right=(
        Right(
            "rows of an identity matrix",
            """
            import numpy as np

            def numerical_gradient(f, at, step=1e-5):
                flat = at.ravel()
                slopes = [
                    (f((flat + row).reshape(at.shape)) - f((flat - row).reshape(at.shape))) / step / 2
                    for row in step * np.eye(flat.size)
                ]
                return np.asarray(slopes).reshape(at.shape)
            """,
        ),
        Right(
            "nudged in place, in a copy",
            """
            import numpy as np

            def numerical_gradient(function, x, step=1e-5):
                work, out = np.array(x), np.empty(x.shape)
                for i in range(work.size):
                    kept = work.flat[i]
                    work.flat[i] = kept + step
                    up = function(work)
                    work.flat[i] = kept - step
                    out.flat[i] = (up - function(work)) / (2 * step)
                    work.flat[i] = kept
                return out
            """,
        ),
    ),
)
