"""Training with the paper's last trick: the parameters of the last five checkpoints are averaged."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from groundup.lesson import Batch, Curves, Learner
from groundup.lessons.p13_attention_is_all_you_need.decoding import Scorer, generate
from groundup.lessons.p13_attention_is_all_you_need.measure import Encoded, exact, like_length_batch
from groundup.ops.types import Array, Tree
from groundup.training import params as trees
from groundup.training.loop import CHECKPOINT_FORMAT
from groundup.training.run import Run

AVERAGED, APART = 5, 50  # the paper averages its last five checkpoints (section 6.1); ours are 50 steps apart
WRITTEN = 11  # ten characters and END


class Trained(NamedTuple):
    """The average of the last five checkpoints, the last one alone, and the curves."""

    params: Tree
    last: Tree
    curves: Curves


def train(
    run: Run,
    name: str,
    model: Learner,
    data: Encoded,
    validation: Encoded,
    end: int,
    size: int,
    scorer: Callable[..., Scorer],
    about: dict[str, Any],
) -> Trained:
    """Train on batches of ``size`` to step ``end`` and average the five latest checkpoints.

    The stretches between checkpoints are calls of ``fit`` of their own, so that a stopped run can go on exactly.
    """

    def evaluate(model: Learner) -> dict[str, float]:
        params = model.parameters()
        right = exact(validation, lambda source: greedy(scorer(params, source), len(source)))
        return {"exact match": float(right.mean())}

    def next_batch(rng: np.random.Generator) -> Batch:
        return like_length_batch(rng, data, size)

    curves: Curves = {}
    kept: list[Tree] = []
    done, apart = 0, min(APART, end // AVERAGED)
    for stretch, place in enumerate(range(end - (AVERAGED - 1) * apart, end + 1, apart), start=1):
        steps = place - done
        every = max(1, steps if steps <= apart else steps // 4)
        extend(curves, run.fit(f"{name}_{stretch}", model, next_batch, steps, evaluate, every, about))
        kept.append(trees.map_tree(np.array, model.parameters()))
        done = place
    average = mean_of(kept)
    path = run.checkpoint(name)
    if path is not None:
        notes = {"lesson": run.lesson.slug, "model": name, "about": about}
        trees.save(path, {"params": average}, {"format": CHECKPOINT_FORMAT, "run": notes})
    return Trained(average, kept[-1], curves)


def mean_of(checkpoints: list[Tree]) -> Tree:
    """The average of parameter trees, number by number."""
    return trees.map_tree(lambda *leaves: sum(leaves[1:], leaves[0]) / len(leaves), *checkpoints)


def extend(curves: Curves, more: Curves) -> None:
    """Append a later stretch, without its first row, which repeats the last one; steps and seconds count on."""
    if not curves:
        curves.update({column: list(values) for column, values in more.items()})
        return
    for column, values in more.items():
        before = curves[column][-1] if column in ("step", "seconds") else 0
        curves[column] += [value + before for value in values[1:]]


def greedy(score: Scorer, count: int) -> Array:
    return generate(score, count, WRITTEN)
