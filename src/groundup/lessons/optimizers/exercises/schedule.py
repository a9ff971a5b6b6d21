"""Exercises on what keeps training steady: clipping the gradient, and a schedule of the learning rate."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special
from groundup.training.optim import clip_by_global_norm, cosine
from groundup.training.params import leaves, map_tree


def clip_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"gradients": {"w": np.array([3.0, 4.0])}, "maximum": 1.0}
    yield {"gradients": {"w": np.array([0.3, -0.4])}, "maximum": 1.0}
    yield {"gradients": {"w": np.array([0.6]), "b": np.array([0.8])}, "maximum": 0.9}
    for scale, maximum in [(1.0, 0.25), (0.01, 0.25), (10.0, 5.0), (0.3, 100.0), (2.0, 1.5)]:
        yield {
            "gradients": {
                "embedding": {"weight": scale * rng.normal(size=(4, 2))},
                "layers": [{"weight": scale * rng.normal(size=(2, 3)), "bias": 5 * scale * rng.normal(size=(2, 1))}],
            },
            "maximum": maximum,
        }


def no_gradient(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"gradients": {"w": np.zeros(2), "b": np.zeros((1, 2))}, "maximum": 1.0}


CLIP = Exercise(
    title="Clipping by the norm of all gradients",
    functions=(clip_by_global_norm,),
    given=(map_tree, leaves),
    task=r"""
Scale a whole tree of gradients down where it is too long:

$$\|g\| = \sqrt{\sum_{\text{arrays}} \sum_i g_i^2}, \qquad
g \leftarrow g \cdot \min\left(1, \frac{c}{\|g\| + 10^{-6}}\right)$$

`gradients` is a tree (dicts and lists with arrays at the ends), `maximum` is $c > 0$. Return the tree and the norm
*before* clipping. What was passed in must stay as it is; dtypes too. The $10^{-6}$ is PyTorch's: gradients that are
all 0 come back as 0.""",
    hints=(
        "All arrays together are one long vector. It may be made shorter, but it keeps its direction: so how many "
        "factors are there?",
        r"Pascanu, Mikolov & Bengio 2013, Algorithm 1: if $\|\hat g\| \ge c$ then "
        r"$\hat g \leftarrow \frac{c}{\|\hat g\|}\, \hat g$.",
        "`norm = math.sqrt(sum(float((leaf**2).sum()) for leaf in leaves(gradients)))`, `scale = min(1.0, maximum / "
        "(norm + 1e-6))`, `map_tree(lambda leaf: leaf * scale, gradients)`.",
    ),
    why=r"""A gradient that explodes points the right way but is far too long. One common factor keeps the
direction, so the step still goes downhill. Clipping every number, or every array by itself, bends it: small parts
stay, large ones are cut. The norm before clipping is worth returning, for a plot of it shows when training is
about to break. Common mistakes: adding up norms instead of squares, and scaling short gradients *up* to $c$.""",
    difficulty=1,
    minutes=10,
    cases=clip_cases,
    checks=(special("gradients of 0", no_gradient),),
    loops="Over the arrays of the tree.",
    equivalent={
        "global_norm: leaf.astype(np.float64) → leaf": (
            "A sum of squares in float32 is right to float32's precision, and no more is asked of float32."
        ),
        "clip_by_global_norm: scale >= 1 → scale > 1": "A scale of 1 changes nothing.",
    },
    wrong=(
        Wrong(
            "each array by itself",
            {
                "return map_tree(lambda gradient: gradient * scale, gradients), norm": "return map_tree(lambda g: "
                "g * min(1.0, maximum / (float(np.sqrt((g * g).sum())) + 1e-6)), gradients), norm",
            },
            "that clips each array by its own norm: the direction of the whole changes",
        ),
        Wrong(
            "each number by itself",
            {"gradient * scale": "np.clip(gradient, -maximum, maximum)"},
            "that clips every number: that is clipping by value",
        ),
        Wrong(
            "norms added up",
            {"math.sqrt(sum(float(": "(sum(math.sqrt("},
            "that adds the norms of the arrays: it is their squares that add up",
        ),
        Wrong("no root", {"math.sqrt(sum(": "(sum("}, "that leaves out the root"),
        Wrong(
            "largest number",
            {
                "math.sqrt(sum(float(np.sum(leaf.astype(np.float64) ** 2)) for leaf in leaves(gradients)))": "max("
                "float(np.abs(leaf).max()) for leaf in leaves(gradients))",
            },
            "that takes the largest number for the norm",
        ),
        Wrong(
            "root mean square",
            {"math.sqrt(sum(": "math.sqrt(1 / sum(leaf.size for leaf in leaves(gradients)) * sum("},
            "that takes the root of the mean of the squares: of their sum is wanted",
        ),
        Wrong("scaled up too", {"if scale >= 1:": "if norm == 0:"}, "that also makes short gradients longer"),
        Wrong(
            "norm afterwards",
            {"gradient * scale, gradients), norm": "gradient * scale, gradients), norm * scale"},
            "that returns the norm after clipping",
        ),
        Wrong(
            "scaled to 1",
            {
                "scale = maximum / (norm + 1e-6)": "scale = 1 / (norm + 1e-6)",
                "if scale >= 1:": "if norm <= maximum:",
            },
            "that scales to length 1, not to `maximum`",
        ),
        Wrong("never clipped", {"if scale >= 1:": "if scale >= 0:"}, "that never clips"),
        Wrong(
            "in place",
            {"lambda gradient: gradient * scale": "lambda gradient: np.multiply(gradient, scale, out=gradient)"},
            "that changes the gradients in place",
        ),
        Wrong(
            "float64",
            {"gradient * scale": "gradient * np.float64(scale)"},
            "that promotes float32: a NumPy number has a dtype, a Python number has not",
        ),
        Wrong("0 / 0", {"(norm + 1e-6)": "np.float64(norm)", "if scale >= 1:": "if norm < 0:"}, "that divides 0 by 0"),
    ),
    right=(
        Right(
            "one long vector",
            """
            import numpy as np

            def _arrays(tree):
                if isinstance(tree, np.ndarray):
                    yield tree
                else:
                    for branch in tree.values() if isinstance(tree, dict) else tree:
                        yield from _arrays(branch)

            def _scaled(tree, by):
                if isinstance(tree, dict):
                    return dict(zip(tree, _scaled(list(tree.values()), by)))
                return [_scaled(branch, by) for branch in tree] if isinstance(tree, list) else tree / by

            def clip_by_global_norm(gradients, maximum):
                length = np.linalg.norm(np.concatenate([array.ravel() for array in _arrays(gradients)]))
                return [_scaled(gradients, max(1.0, (float(length) + 1e-6) / maximum)), length]
            """,
        ),
    ),
)


def rates(cosine: Callable[..., Any], peak: float, steps: int, at: list[int], **options: Any) -> list[float]:
    """The rate at each of these steps."""
    rate = cosine(peak, steps, **options)
    return [float(rate(step)) for step in at]


def cosine_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"peak": 1.0, "steps": 4, "at": [0]}
    yield {"peak": 1.0, "steps": 4, "at": [0, 1, 2, 3, 4]}
    yield {"peak": 2.0, "steps": 6, "at": [5, 6, 7, 9, 100]}
    yield {"peak": 1.0, "steps": 10, "warmup": 4, "at": [0, 1, 3]}
    yield {"peak": 0.5, "steps": 10, "warmup": 4, "at": [4, 5, 7, 10, 13]}
    yield {"peak": 1.0, "steps": 8, "final": 0.1, "at": [0, 2, 4, 8, 9]}
    yield {"peak": 1.0, "steps": 5, "warmup": 4, "at": [3, 4, 5, 6]}
    for _ in range(4):
        steps, warmup = int(rng.integers(20, 60)), int(rng.integers(1, 12))
        yield {
            "peak": round(float(rng.uniform(0.1, 2)), 3),
            "steps": steps,
            "warmup": warmup,
            "final": round(float(rng.uniform(0, 0.1)), 3),
            "at": [0, warmup - 1, warmup, warmup + 1, steps // 2, steps - 1, steps, steps + 5],
        }


COSINE = Exercise(
    title="A cosine schedule with warm-up",
    functions=(cosine,),
    use=rates,
    task=r"""
Return a function `rate(step)` that gives the learning rate at step $t = 0, 1, 2, \dots$ With $W$ = `warmup` steps,
$T$ = `steps` in all ($W < T$), $\eta_{\max}$ = `peak` and $\eta_{\min}$ = `final`:

$$\eta_t = \eta_{\max}\, \frac{t + 1}{W} \quad (t < W), \qquad
\eta_t = \eta_{\min} + \tfrac12 (\eta_{\max} - \eta_{\min}) \left(1 + \cos\left(\pi\, \frac{t - W}{T - W}\right)\right)
\quad (W \le t \le T)$$

and $\eta_{\min}$ from then on.""",
    hints=(
        "Two pieces. In the second, say first which part of the way from W to T lies behind, a number from 0 to 1; "
        "half a turn of the cosine leads from 1 to −1.",
        r"Loshchilov & Hutter 2017, eq. 5: $\eta_{\min} + \tfrac12(\eta_{\max} - \eta_{\min})(1 + \cos(\pi\, "
        r"T_{cur}/T_i))$, without restarts.",
        "`if step < warmup: return peak * (step + 1) / warmup`; then with `progress = min(1.0, (step - warmup) / "
        "(steps - warmup))`: `final + 0.5 * (peak - final) * (1 + math.cos(math.pi * progress))`.",
    ),
    why=r"""At progress 0 the bracket is 2 and the rate $\eta_{\max}$, at progress 1 it is 0 and the rate
$\eta_{\min}$; both ends are flat, so neither the change from warm-up to decay nor the end is abrupt. $t + 1$ in
the warm-up makes the first step count: with $t$ its rate would be 0. Past the end, a cosine that is not stopped
climbs again. Warm-up is there for optimisers such as Adam, whose averages know little in the first steps.""",
    difficulty=1,
    minutes=10,
    cases=cosine_cases,
    floats32=False,
    loops="None needed: one number for one step.",
    equivalent={
        "cosine.rate: 1 → 0 (2)": "Only where all steps are warm-up would it divide by 0: that is not asked for.",
    },
    wrong=(
        Wrong("no warm-up", {"if step < warmup:": "if False:"}, "without warm-up"),
        Wrong(
            "warm-up from 0",
            {"peak * (step + 1) / warmup": "peak * step / warmup"},
            "whose warm-up begins at a rate of 0: the first step is wasted",
        ),
        Wrong(
            "warm-up counted in the decay",
            {"(step - warmup) / max(1, steps - warmup)": "step / steps"},
            "whose decay begins at step 0: the rate jumps after the warm-up",
        ),
        Wrong(
            "decay over all steps",
            {"/ max(1, steps - warmup)": "/ steps"},
            "that spreads the decay over `steps` after the warm-up, and so ends too late",
        ),
        Wrong(
            "not stopped", {"min(1.0, (step - warmup)": "max(0.0, (step - warmup)"}, "that climbs again after the end"
        ),
        Wrong(
            "no half", {"0.5 * (peak - final)": "(peak - final)"}, "without the factor ½: it begins at twice the peak"
        ),
        Wrong("final ignored", {"final + 0.5 * (peak - final)": "0.5 * peak"}, "that ignores `final`"),
        Wrong(
            "final added on top",
            {"final + 0.5 * (peak - final)": "final + 0.5 * peak"},
            "that adds `final` on top of the peak",
        ),
        Wrong(
            "quarter of a turn",
            {
                "0.5 * (peak - final) * (1 + math.cos(math.pi * progress))": (
                    "(peak - final) * math.cos(math.pi / 2 * progress)"
                )
            },
            "that follows a quarter of a turn: it falls steepest at its end",
        ),
        Wrong("a straight line", {"(1 + math.cos(math.pi * progress))": "2 * (1 - progress)"}, "that falls in a line"),
        Wrong("degrees", {"math.cos(math.pi * progress)": "math.cos(180 * progress)"}, "that gives the cosine degrees"),
    ),
    right=(
        Right(
            "a class with np.interp",
            """
            import numpy as np

            class cosine:
                def __init__(self, peak, steps, warmup=0, final=0.0):
                    self.span, self.ends = (warmup, steps), (peak, final)

                def __call__(self, step):
                    warmup, _ = self.span
                    peak, final = self.ends
                    if step < warmup:
                        return np.linspace(peak / warmup, peak, warmup)[step]
                    angle = np.interp(step, self.span, (0, np.pi))
                    return final + (peak - final) * np.cos(angle / 2) ** 2
            """,
        ),
    ),
)
