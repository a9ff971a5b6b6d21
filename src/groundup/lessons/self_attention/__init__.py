"""self_attention: from a weighted average in loops to heads that look things up."""

from pathlib import Path
from typing import Any

import numpy as np

from groundup.lesson import Finding, Lesson, Model, Paper
from groundup.lessons.self_attention import experiment, figures
from groundup.lessons.self_attention.facts import FACTS
from groundup.lessons.self_attention.model import (
    attend,
    attend_in_blocks,
    attend_scaled,
    attend_with_loops,
    card_reader,
    embed_cards,
    mean_reader,
    self_attention,
)
from groundup.ops.init import linear_params
from groundup.ops.types import Case

ARRAYS = ("query", "key", "value")


def draw(rng: np.random.Generator, *lead: int, n: int = 4, m: int = 5, **options: int) -> dict[str, Any]:
    """n queries on m keys of width 3, with values of width 2."""
    sizes = {"query": (*lead, n, 3), "key": (*lead, m, 3), "value": (*lead, m, 2)}
    return {name: rng.normal(size=size) for name, size in sizes.items()} | options


def torch_unscaled(torch: Any, query: Any, key: Any, value: Any) -> Any:
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=1.0)


def torch_scaled(torch: Any, query: Any, key: Any, value: Any, **_: int) -> Any:
    return torch.nn.functional.scaled_dot_product_attention(query, key, value)


def draw_layer(rng: np.random.Generator) -> dict[str, Any]:
    """A layer of width 4 with two heads, and two sequences of three vectors."""
    params = {part: linear_params(rng, 4, 4, dtype=np.float64) for part in ("query", "key", "value", "out")}
    return {"x": rng.normal(size=(2, 3, 4)), "params": params, "heads": 2}


def torch_layer(torch: Any, x: Any, params: Any, heads: int) -> Any:
    """torch's own layer, its parameters replaced by ours."""
    layer = torch.nn.MultiheadAttention(x.shape[-1], heads, batch_first=True, dtype=x.dtype)
    projections = [params[part] for part in ("query", "key", "value")]
    ours = {
        "in_proj_weight": torch.cat([part["weight"] for part in projections]),
        "in_proj_bias": torch.cat([part["bias"] for part in projections]),
        "out_proj.weight": params["out"]["weight"],
        "out_proj.bias": params["out"]["bias"],
    }
    y, _ = torch.func.functional_call(layer, ours, (x, x, x), {"need_weights": False})
    return y


def draw_cards(rng: np.random.Generator) -> dict[str, Any]:
    return {"cards": rng.integers(6, size=(2, 3, 4)), "table": rng.normal(size=(6, 3))}


def torch_cards(torch: Any, cards: Any, table: Any) -> Any:
    return torch.nn.functional.embedding(cards, table).sum(dim=2)


CASES = (
    Case("attend_with_loops", attend_with_loops, draw, ARRAYS, torch_unscaled),
    Case("attend_with_loops, one key", attend_with_loops, lambda rng: draw(rng, m=1), ARRAYS, torch_unscaled),
    Case("attend", attend, draw, ARRAYS, torch_unscaled),
    Case("attend, heads", attend, lambda rng: draw(rng, 2, 2), ARRAYS, torch_unscaled),
    Case("attend_scaled", attend_scaled, draw, ARRAYS, torch_scaled),
    Case("attend_scaled, batch 1", attend_scaled, lambda rng: draw(rng, 1), ARRAYS, torch_scaled),
    Case("attend_in_blocks", attend_in_blocks, lambda rng: draw(rng, m=11, block=2), ARRAYS, torch_scaled),
    Case(
        "attend_in_blocks, fewer keys than workers",
        attend_in_blocks,
        lambda rng: draw(rng, m=3, block=8, workers=4),
        ARRAYS,
        torch_scaled,
    ),
    Case(
        "attend_in_blocks, one worker",
        attend_in_blocks,
        lambda rng: draw(rng, n=1, m=7, block=3, workers=1),
        ARRAYS,
        torch_scaled,
    ),
    Case("self_attention", self_attention, draw_layer, ("x", "params"), torch_layer),
    Case("embed_cards", embed_cards, draw_cards, ("table",), torch_cards),
)

LESSON = Lesson(
    number="",
    slug="self_attention",
    title="Self-attention, from vectors to matrices",
    summary="Attention as you would invent it: an average, two matrix products, the scale, several heads",
    part="Start here",
    level="beginner",
    minutes=65,
    folder=Path(__file__).parent,
    paper=Paper(
        "Ashish Vaswani, Noam Shazeer, Niki Parmar, Jakob Uszkoreit, Llion Jones, Aidan N. Gomez, "
        "Łukasz Kaiser, Illia Polosukhin",
        "Attention Is All You Need",
        2017,
        "https://arxiv.org/abs/1706.03762",
    ),
    needs=("numpy_and_pytorch", "optimizers"),
    experiment=experiment.run,
    figures=figures.draw,
    models=(
        Model(
            "card_reader",
            experiment.learner,
            experiment.batch,
            experiment.TINY,
            experiment.SIZE,
            proves=(card_reader,),
            larger={"width": 256},
        ),
        Model(
            "mean_reader",
            experiment.learner,
            experiment.batch,
            {**experiment.TINY, "mixer": "mean"},
            {**experiment.SIZE, "mixer": "mean"},
            proves=(mean_reader,),
            larger={"width": 256},
        ),
    ),
    cases=CASES,
    facts=FACTS,
    findings=(
        Finding(
            "lookup",
            "Can a layer of attention learn to look things up?",
            "Two heads answer both questions of every card in boxes that they have not seen; one wide head does not",
            ">=",
            bar=0.99,
            rival="one head that is twice as wide, equally many parameters",
            unit="share of answers",
            paper="Section 6.2 and table 3, rows (A): a single head is 0.9 BLEU below the best setting",
        ),
        Finding(
            "scale",
            "Does the division by √d help in training?",
            "Trained without it the reader gives fewer right answers",
            ">",
            rival="the same reader, scores not divided",
            unit="share of answers",
            paper="Section 3.2.1 gives the reason (“we suspect”: small gradients where scores are large) and no "
            "experiment",
        ),
        Finding(
            "root",
            "Must it be the root?",
            "Divided by √d the reader learns more than divided by d",
            ">",
            rival="the same reader, scores divided by d",
            unit="share of answers",
            paper="Section 3.2.1, footnote 4: q·k of random vectors has variance d; no experiment",
            miss="The argument for the root is about weights before training. Training can make queries and keys as "
            "long as it likes: without any division this reader's scores end with a standard deviation of {spread of "
            "the scores, undivided}, with 1/√d of {spread of the scores, 1/√d}, with 1/d of {spread of the scores, "
            "1/d}.",
        ),
        Finding(
            "gradient",
            "Do the softmax's gradients vanish without the scale?",
            "At d = 1024 the gradient at the scores is below 0.01 for half of all random queries",
            "<",
            bar=0.01,
            rival="with 1/√d",
            unit="median norm",
            paper="Section 3.2.1: “extremely small gradients”, without a number",
        ),
    ),
    equations={
        "3": ("softmax",),
        "5": (),
        "6": ("softmax.backward",),
        "9": ("softmax.backward", "scaled_dot_product_attention.backward"),
        "11": ("scaled_dot_product_attention",),
        "13": ("multi_head_attention",),
    },
    twins={
        "self_attention": "SelfAttention",
        "init": "CardReader.__init__",
        "card_reader": "CardReader.forward",
        "cross_entropy": "answer_loss",
    },
)
