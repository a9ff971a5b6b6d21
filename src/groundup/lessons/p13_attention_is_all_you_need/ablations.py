"""A small table 3: what becomes of the Transformer, after a short training, when one thing in it is changed.

Short means: fewer steps than the lesson's model is given, and batches of half the size.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from groundup.lesson import Batch, Learner
from groundup.lessons.p13_attention_is_all_you_need.averaging import APART, AVERAGED, greedy, mean_of
from groundup.lessons.p13_attention_is_all_you_need.measure import Encoded, exact, like_length_batch
from groundup.lessons.p13_attention_is_all_you_need.model import init, smoothed_loss, transformer
from groundup.lessons.p13_attention_is_all_you_need.variants import (
    at_once,
    pre_norm_init,
    pre_norm_transformer,
    without_scale,
)
from groundup.ops.types import Array, Tree
from groundup.training import params as trees
from groundup.training.learner import NumpyLearner
from groundup.training.loop import fit
from groundup.training.optim import Schedule, adam, inverse_root
from groundup.training.run import Run


class Variant(NamedTuple):
    """A Transformer that differs in one thing from the lesson's, which is ``Variant()``."""

    heads: int = 4
    learned: int = 0
    init: Callable[..., Tree] = init
    forward: Callable[..., tuple[Array, Callable[..., Tree]]] = transformer
    schedule: Callable[[int, int], Schedule] = inverse_root


def variants(longest: int) -> dict[str, Variant]:
    """The rows of the table; ``longest`` is how many positions are learned."""
    return {
        "as it is": Variant(),
        "1 head": Variant(heads=1),
        "12 heads": Variant(heads=12),
        "no scale": Variant(forward=without_scale),
        "learned positions": Variant(learned=longest),
        "no warm-up": Variant(schedule=at_once),
        "pre-LN": Variant(init=pre_norm_init, forward=pre_norm_transformer),
    }


def ablate(
    run: Run, variant: Variant, size: dict[str, int], warmup: int, data: Encoded, test: Encoded, steps: int
) -> tuple[Array, float]:
    """Train a variant by hand, whatever the track; return which test dates it gets right, and its loss on them.

    The loss is the cross-entropy per character in nats, without smoothing. Parameters (as far as their shapes agree)
    and batches of all variants begin alike; measured is the average of the last five checkpoints. Nothing is saved:
    a run that is stopped here trains a variant again from its beginning.
    """
    heads, forward = variant.heads, variant.forward
    sizes = [size[name] for name in ("vocabulary", "width", "hidden", "layers")]
    params = variant.init(run.rng("parameters", "ablation"), *sizes, *[variant.learned] * bool(variant.learned))
    model = NumpyLearner(
        params,
        lambda params, batch, rng: forward(params, batch["source"], batch["given"], heads),
        lambda logits, batch: smoothed_loss(logits, batch["wanted"]),
        adam(0.9, 0.98, 1e-9),
        variant.schedule(size["width"], warmup),
    )
    kept: list[Tree] = []

    def keep(model: Learner) -> dict[str, float]:
        kept.append(trees.map_tree(np.array, model.parameters()))
        return {}

    def next_batch(rng: np.random.Generator) -> Batch:
        return like_length_batch(rng, data, size["batch"] // 2)

    fit(model, next_batch, steps, run.rng("training", "ablation"), keep, min(APART, steps // AVERAGED))
    average = mean_of(kept[-AVERAGED:])

    def write(source: Array) -> Array:
        return greedy(lambda given, rows: forward(average, source[rows], given, heads)[0][:, -1], len(source))

    right = exact(test, write)
    logits, _ = forward(average, test.source, test.target[:, :-1], heads)
    return right, float(smoothed_loss(logits, test.target[:, 1:], 0.0)[0])
