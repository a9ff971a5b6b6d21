"""Exercises: the learning rate, and the average of the last checkpoints."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.types import Tree
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.training.optim import inverse_root
from groundup.training.params import map_tree


def rates(inverse_root: Any, width: int, warmup: int, steps: Any, factor: float = 0.0) -> Any:
    rate = inverse_root(width, warmup, factor) if factor else inverse_root(width, warmup)
    return [float(rate(int(step))) for step in steps]


def rate_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"width": 4, "warmup": 3, "steps": np.array([0])}
    yield {"width": 9, "warmup": 4, "steps": np.array([0, 1])}
    yield {"width": 512, "warmup": 4000, "steps": np.array([0, 1, 3998, 3999, 4000, 99_999])}
    yield {"width": 64, "warmup": 10, "steps": np.arange(20)}
    yield {"width": 64, "warmup": 1, "steps": np.arange(5)}
    yield {"width": 7, "warmup": 5, "steps": np.arange(12), "factor": 0.3}
    yield {"width": 100, "warmup": 8, "steps": np.arange(12), "factor": 2.0}


WARMUP = Exercise(
    name="warmup_schedule",
    title="The Transformer's learning rate",
    functions=(inverse_root,),
    use=rates,
    task=r"""
Return a function `rate(step)` of the learning rate: a linear warm-up, then a decay with the root of the step,

$$\text{rate} = \text{factor} \cdot d^{-1/2} \cdot \min\left(n^{-1/2},\; n \cdot \text{warmup}^{-3/2}\right)$$

with $d$ the `width` of the model and $n$ the number of the step. `rate` is called with 0 for the first step, whose
$n$ is 1.""",
    hints=(
        "Two curves, of which the lower one counts: a line that rises, and a root that falls. Where do they meet?",
        r"Vaswani et al. 2017, eq. 3: $n \cdot \text{warmup}^{-3/2} = n^{-1/2}$ at $n = \text{warmup}$, where the rate "
        r"peaks at $(d \cdot \text{warmup})^{-1/2}$.",
        "`n = step + 1`, and inside `rate` return `factor * width**-0.5 * min(n**-0.5, n * warmup**-1.5)`.",
    ),
    why=r"""At $n = \text{warmup}$ both terms are $\text{warmup}^{-1/2}$, so the curve has no jump there; before, the
line is lower, and after it the root. In the first steps Adam's averages rest on few gradients, and the rate is kept
small until they mean something. The common mistakes: `max` for `min`, and $n = 0$ at the first step, which learns
nothing or divides by 0.""",
    difficulty=1,
    minutes=8,
    cases=rate_cases,
    floats32=False,
    loops="None is needed: a rate is one number.",
    wrong=(
        Wrong("max for min", {"* min(": "* max("}, "that takes the larger of the two terms"),
        Wrong(
            "counted from 0",
            {"count = step + 1": "count = step", "min(count**-0.5, ": "min(max(count, 1) ** -0.5, "},
            "for which the first step is number 0: its rate is 0, and all others come one step late",
        ),
        Wrong(
            "divided by zero", {"count = step + 1": "count = step"}, "that divides by 0 in the first step", crashes=True
        ),
        Wrong("first step twice", {"count = step + 1": "count = max(step, 1)"}, "whose rates come one step late"),
        Wrong("width left out", {"width**-0.5 * ": ""}, "that leaves out the width"),
        Wrong("root of the width", {"width**-0.5": "width**0.5"}, "that multiplies by the root of the width"),
        Wrong("factor not used", {"factor * width": "width"}, "that ignores `factor`"),
        Wrong(
            "warm-up to a rate of its own",
            {"count * warmup**-1.5": "count / warmup"},
            "whose warm-up does not end where the decay begins: the exponent of `warmup` is −3/2",
        ),
        Wrong("linear decay", {"min(count**-0.5,": "min(count**-1.0,"}, "that decays with 1/n, not with its root"),
        Wrong("no warm-up", {"min(count**-0.5, count * warmup**-1.5)": "count**-0.5"}, "that has no warm-up"),
    ),
    right=(
        Right(
            "two pieces in a class",
            """
            from math import sqrt

            class Rate:
                def __init__(self, peak, warmup):
                    self.peak, self.warmup = peak, warmup

                def __call__(self, step):
                    n = step + 1
                    if n <= self.warmup:
                        return self.peak * n / self.warmup
                    return self.peak * sqrt(self.warmup / n)

            def inverse_root(width, warmup, factor=1.0):
                return Rate(factor / sqrt(width * warmup), warmup)
            """,
        ),
    ),
)


def average_checkpoints(checkpoints: list[Tree]) -> Tree:
    """The mean of several parameter trees of one shape, leaf by leaf."""
    return map_tree(lambda *leaves: sum(leaves[1:], leaves[0]) / len(leaves), *checkpoints)


def checkpoint_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    def linear() -> dict[str, Any]:
        return {"weight": rng.normal(size=(2, 3)), "bias": rng.normal(size=2)}

    yield {"checkpoints": [{"w": rng.normal(size=2)} for _ in range(2)]}
    yield {"checkpoints": [linear()]}
    yield {"checkpoints": [linear() for _ in range(3)]}
    yield {"checkpoints": [{"readout": linear(), "scale": rng.normal(size=(1, 2, 1))} for _ in range(2)]}
    yield {"checkpoints": [{"layers": [linear(), linear()]} for _ in range(5)]}
    yield {"checkpoints": [{"layers": [{"inner": [linear()]}], "table": rng.normal(size=(4, 2))} for _ in range(4)]}


AVERAGE = Exercise(
    title="Averaging checkpoints",
    functions=(average_checkpoints,),
    task=r"""
`checkpoints` is a list of $n \ge 1$ parameter trees of one shape: dicts and lists, nested in any way, with arrays for
leaves. Return a tree of that shape whose leaves are the means

$$\bar\theta = \frac1n \sum_{i=1}^n \theta_i$$

The checkpoints themselves stay as they are.""",
    hints=(
        "A tree is a dict of trees, a list of trees, or an array. What has to be done in each of the three cases?",
        r"The mean is taken leaf by leaf, with equal weights $1/n$ (the paper averages its base models' last 5: "
        r"Vaswani et al. 2017, section 6.1).",
        "Look at the first tree: if it is a dict, return `{key: average([tree[key] for tree in trees]) for key in "
        "trees[0]}`; if a list, the same over indices; else `sum(trees) / len(trees)`.",
    ),
    why=r"""Late in training the parameters jitter around a good place, because every batch pulls elsewhere. The mean
of $n$ nearly independent jitters is smaller by $\sqrt n$, and it costs nothing when the model is used. Averaging as one
goes with $(\bar\theta + \theta)/2$ is the common mistake: it gives the last checkpoint weight 1/2, the one before 1/4,
and so on. Another is `+=` into the first checkpoint.""",
    difficulty=2,
    minutes=12,
    cases=checkpoint_cases,
    loops="Over the branches of the tree.",
    solution='''
import numpy as np

Tree = dict | list | np.ndarray


def average_checkpoints(checkpoints: list[Tree]) -> Tree:
    """The mean of several parameter trees of one shape, leaf by leaf."""
    first = checkpoints[0]
    if isinstance(first, dict):
        return {key: average_checkpoints([tree[key] for tree in checkpoints]) for key in first}
    if isinstance(first, list):
        return [average_checkpoints([tree[index] for tree in checkpoints]) for index in range(len(first))]
    return sum(checkpoints[1:], first) / len(checkpoints)
''',
    wrong=(
        Wrong(
            "the last one",
            {"sum(checkpoints[1:], first) / len(checkpoints)": "checkpoints[-1].copy()"},
            "that returns the last checkpoint",
        ),
        Wrong(
            "the first one",
            {"sum(checkpoints[1:], first) / len(checkpoints)": "first.copy()"},
            "that returns the first checkpoint",
        ),
        Wrong("a sum", {") / len(checkpoints)": ") * 1"}, "that does not divide by their number"),
        Wrong(
            "halved again and again",
            {
                "    return sum(checkpoints[1:], first) / len(checkpoints)": "    mean = first\n"
                "    for leaf in checkpoints[1:]:\n        mean = (mean + leaf) / 2\n    return mean * 1"
            },
            "that halves at every step: the last checkpoint then has weight 1/2, the one before 1/4",
        ),
        Wrong("always five", {") / len(checkpoints)": ") / 5"}, "that always divides by 5"),
        Wrong(
            "one number a leaf",
            {"sum(checkpoints[1:], first) / len(checkpoints)": "np.full_like(first, np.mean(checkpoints))"},
            "that takes the mean over the elements of an array too",
        ),
        Wrong(
            "first layer only",
            {"for index in range(len(first))]": "for index in [0] * len(first)]"},
            "that gives every entry of a list the mean of the first",
        ),
        Wrong(
            "changes the first",
            {
                "    return sum(checkpoints[1:], first) / len(checkpoints)": "    for leaf in checkpoints[1:]:\n"
                "        first += leaf\n    return first / len(checkpoints)"
            },
            "that sums into the first checkpoint",
        ),
    ),
    right=(
        Right(
            "a running mean, on a stack instead of recursion",
            """
            import copy

            import numpy as np

            def average_checkpoints(checkpoints):
                mean = copy.deepcopy(checkpoints[0])
                for count, tree in enumerate(checkpoints[1:], start=2):
                    stack = [(mean, tree)]
                    while stack:
                        old, new = stack.pop()
                        for key in old if isinstance(old, dict) else range(len(old)):
                            if isinstance(old[key], np.ndarray):
                                old[key] = old[key] + (new[key] - old[key]) / count
                            else:
                                stack.append((old[key], new[key]))
                return mean
            """,
        ),
        Right(
            "stacked leaves",
            """
            import numpy as np

            def average_checkpoints(trees):
                match trees[0]:
                    case dict():
                        return {k: average_checkpoints([t[k] for t in trees]) for k in trees[0]}
                    case list():
                        return list(map(lambda *branch: average_checkpoints(branch), *trees))
                return np.stack(trees).mean(axis=0)
            """,
        ),
    ),
)
