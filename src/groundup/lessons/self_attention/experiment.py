"""Measure what the lesson says about attention, and train a layer to look things up."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from groundup.lesson import Batch, Curves, Learner, Measured, Result
from groundup.lessons.self_attention.model import (
    attend,
    attend_in_blocks,
    attend_scaled,
    attend_with_loops,
    card_reader,
    embed_cards,
    init,
    mean_reader,
)
from groundup.ops.activations import softmax
from groundup.ops.attention import attention_weights, split_heads
from groundup.ops.linear import linear
from groundup.ops.losses import cross_entropy
from groundup.ops.types import Array, Backward, Tree
from groundup.proof.instruments import growth, peak_mib, seconds
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.optim import cosine
from groundup.training.params import count
from groundup.training.run import Run

SIZE = {"boxes": 32, "cards": 32, "names": 48, "contents": 16, "width": 64, "heads": 2}
TINY = {"boxes": 2, "cards": 3, "names": 4, "contents": 3, "width": 4, "heads": 2}
WIDTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
KEYS = 64
READERS: dict[str, dict[str, Any]] = {
    "two_heads": {},
    "one_head": {"heads": 1},
    "mean_pooling": {"mixer": "mean"},
    "undivided": {"divided": "not"},
    "divided_by_d": {"divided": "by d"},
}


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    names: int,
    contents: int,
    width: int,
    heads: int,
    steps: int = 400,
    mixer: str = "attention",
    divided: str = "by √d",
    **_: int,
) -> Learner:
    """A reader in training on either track, from the same parameters; ``mixer="mean"`` is the baseline.

    ``divided`` says what becomes of the scores: "by √d" as it should be, "by d" or "not" to see what that does.
    """
    stretch = {"by √d": 1.0, "by d": (width // heads) ** -0.5, "not": (width // heads) ** 0.5}[divided]

    def twin() -> Twin:
        from groundup.lessons.self_attention.twin import CardReader, MeanReader, answer_loss

        if mixer == "attention":
            return Twin(CardReader(names, contents, width, heads, stretch), answer_loss)
        return Twin(MeanReader(names, contents, width), answer_loss)

    def forward(params: Tree, rng: np.random.Generator | None, cards: Array) -> tuple[Array, Backward]:
        if mixer == "mean":
            return mean_reader(params, cards)
        y, backward = card_reader(stretched(params, stretch), cards, heads)
        return y, lambda d_logits: stretched(backward(d_logits), stretch)

    return both_tracks(
        track,
        init(rng, names, contents, width, mixer, dtype),
        forward=forward,
        loss=cross_entropy,
        twin=twin,
        inputs=["cards"],
        target="answers",
        schedule=cosine(5e-3, steps, warmup=20),
    )


def stretched(tree: Tree, factor: float) -> Tree:
    """The reader with queries ``factor`` times as long, and so its scores; the gradient goes back the same way."""
    if factor == 1.0:
        return tree
    attention = tree["attention"]
    query = {name: array * array.dtype.type(factor) for name, array in attention["query"].items()}
    return {**tree, "attention": {**attention, "query": query}}


def deal(rng: np.random.Generator, boxes: int, cards: int, names: int, contents: int) -> Batch:
    """Boxes of cards that ask about one another.

    Every card has a name that is its own in the box, a content, and two questions: names of cards in the box.
    ``cards`` (B, T, 4) holds these as row numbers of one table (names, contents, first and second questions);
    ``answers`` (B, T, 2) the contents of the cards that are asked for.
    """
    name = rng.random((boxes, names)).argsort(axis=1)[:, :cards]
    content = rng.integers(contents, size=(boxes, cards))
    places = rng.integers(cards, size=(boxes, cards, 2))
    box = np.arange(boxes)[:, None, None]
    questions = name[box, places] + names + contents + np.array([0, names])
    fields = np.concatenate([name[..., None], names + content[..., None], questions], axis=-1)
    return {"cards": fields, "answers": content[box, places]}


def batch(rng: np.random.Generator, *, boxes: int, cards: int, names: int, contents: int, **_: Any) -> Batch:
    """A batch as in training."""
    return deal(rng, boxes, cards, names, contents)


def answered(learner: Learner, batch: Batch) -> Array:
    """(B, T, 2): whether the answer to each question is right."""
    return np.asarray(learner.outputs(batch).argmax(axis=-1) == batch["answers"])


def accuracy(learner: Learner, batch: Batch) -> tuple[float, float]:
    """The share of right answers to the first and to the second questions."""
    first, second = answered(learner, batch).mean(axis=(0, 1))
    return float(first), float(second)


def counting_score(batch: Batch, names: int, contents: int) -> float:
    """The best score if nobody knew which content has which name: always the commonest content of the box."""
    content = batch["cards"][:, :, 1] - names
    shares = (content[:, :, None] == np.arange(contents)).mean(axis=1)
    return float(shares.max(axis=-1).mean())


def asked_places(cards: Array, names: int, contents: int) -> Array:
    """(B, T, 2): at which place of the box stands the card that each question names."""
    questions = cards[:, :, 2:] - names - contents - np.array([0, names])
    return (questions[..., None] == cards[:, None, None, :, 0]).argmax(axis=-1)


def reader_weights(params: Tree, cards: Array, heads: int) -> Array:
    """The attention weights (B, heads, T, T) of a trained reader."""
    x, _ = embed_cards(cards, params["embedding"]["weight"])
    query, key = (
        linear(x, params["attention"][part]["weight"], params["attention"][part]["bias"])[0]
        for part in ("query", "key")
    )
    return attention_weights(split_heads(query, heads), split_heads(key, heads))


def spread_of_scores(params: Tree, cards: Array, heads: int, scale: float) -> float:
    """The standard deviation of a reader's scores q·k · ``scale``, before the softmax."""
    x, _ = embed_cards(cards, params["embedding"]["weight"])
    query, key = (
        split_heads(linear(x, params["attention"][part]["weight"], params["attention"][part]["bias"])[0], heads)
        for part in ("query", "key")
    )
    return float((scale * query @ key.swapaxes(-1, -2)).std())


def weight_on_asked(weights: Array, places: Array) -> Array:
    """(heads, 2): the mean weight that each head puts on the card asked for first and second."""
    found = np.take_along_axis(weights, places[:, None], axis=-1)  # (B, heads, T, 2)
    return found.mean(axis=(0, 2))


def forward_and_backward(attention: Callable[..., Any], arrays: Sequence[Array], *options: int) -> list[Array]:
    """The output of an attention function for (query, key, value, upstream), and its three gradients."""
    *inputs, dy = arrays
    y, backward = attention(*inputs, *options)
    return [y, *backward(dy)]


def loops_against_matrix(rng: np.random.Generator, lengths: Sequence[int], width: int = 32) -> Tree:
    """For each number of words: how many times faster the matrix version is than the loops."""
    speed_up = []
    for n in lengths:
        arrays = list(rng.normal(size=(4, n, width)))
        slow = seconds(partial(attend_with_loops, *arrays[:3]), 2)
        fast = seconds(partial(attend, *arrays[:3]), 20)
        speed_up.append(slow / fast)
    return {"n": list(lengths), "speed-up": speed_up}


def product_variance(rng: np.random.Generator, d: int, pairs: int) -> tuple[float, float]:
    """The variance of q·k over random pairs whose entries are N(0, 1), and its standard error."""
    products = np.empty(pairs)
    rows = min(pairs, max(1, 2**20 // d))  # a few MiB at a time
    for start in range(0, pairs, rows):
        shape = (min(rows, pairs - start), d)
        query, key = rng.standard_normal(shape, np.float32), rng.standard_normal(shape, np.float32)
        products[start : start + rows] = np.vecdot(query, key)
    squares = (products - products.mean()) ** 2
    return float(squares.mean()), float(squares.std() / math.sqrt(pairs))


def softmax_at_width(rng: np.random.Generator, d: int, scale: float, boxes: int = 16) -> dict[str, float]:
    """Random queries on 64 random keys: the mean entropy of their weights, in nats, and how much of a random
    gradient passes the softmax: its norm at the scores (median and mean over queries) and at the query."""
    query, key = rng.normal(size=(2, boxes, KEYS, d))
    weights, softmax_backward = softmax(query @ key.swapaxes(-1, -2) * scale)
    entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=-1)
    d_scores = softmax_backward(rng.normal(size=weights.shape))
    norms = np.linalg.norm(d_scores, axis=-1)
    return {
        "entropy": float(entropy.mean()),
        "median gradient": float(np.median(norms)),
        "mean gradient": float(norms.mean()),
        "median gradient at the query": float(np.median(np.linalg.norm(d_scores @ key * scale, axis=-1))),
    }


def blocks_against_full(rng: np.random.Generator, n: int, block: int, width: int = 64) -> dict[str, float]:
    """In float32: the peak memory of forward and backward in MiB, and how far apart the results are.

    Outputs are compared as they are, gradients relative to the largest number of the same gradient.
    """
    arrays = list(rng.standard_normal((4, n, width), np.float32))
    results: list[list[Array]] = []
    full = peak_mib(lambda: results.append(forward_and_backward(attend_scaled, arrays)))
    blocks = peak_mib(lambda: results.append(forward_and_backward(attend_in_blocks, arrays, block)))
    output, *gradients = (float(np.abs(a - b).max()) for a, b in zip(*results, strict=True))
    sizes = (float(np.abs(gradient).max()) for gradient in results[0][1:])
    gradient = max(gap / size for gap, size in zip(gradients, sizes, strict=True))
    return {"full": full, "blocks": blocks, "output": output, "gradient": gradient}


@threadpool_limits.wrap(limits=1)  # these matrices are small: threads that wait for each other cost far more
def run(run: Run) -> Result:
    """The experiment of the lesson: what attention is, what it costs, and what it can learn to look up."""
    lengths = run.pick((4, 8, 16), (8, 16, 32, 64, 128))
    sequences, block = run.pick(((64, 128, 256), 16), ((256, 512, 1024, 2048, 4096), 64))
    pairs, steps = run.pick(2000, 100_000), run.pick(30, 600, 1500)
    names, contents = SIZE["names"], SIZE["contents"]

    loops = loops_against_matrix(run.rng("loops"), lengths)
    task = run.progress.add_task("variance of q·k", total=len(WIDTHS), loss="")
    variances = []
    softmaxes: dict[str, list[dict[str, float]]] = {"without 1/√d": [], "with 1/√d": []}
    for d in WIDTHS:
        variances.append(product_variance(run.rng("variance", str(d)), d, pairs))
        for name, scale in zip(softmaxes, (1.0, 1 / math.sqrt(d)), strict=True):
            softmaxes[name].append(softmax_at_width(run.rng("softmax", str(d)), d, scale))
        run.progress.advance(task)
    ratios = [(variance / d, error / d) for d, (variance, error) in zip(WIDTHS, variances, strict=True)]

    blocks_against_full(run.rng("blocks"), 16, 4)  # what is made once and kept is made now, and not counted
    by_length = {n: blocks_against_full(run.rng("blocks", str(n)), n, block) for n in sequences}
    half = sequences[-2]
    by_block = {
        size: blocks_against_full(run.rng("blocks", str(half)), half, size)
        for size in (block // 2, block, 2 * block, 4 * block, 8 * block)
    }
    exponents = {name: growth(sequences, [found[name] for found in by_length.values()]) for name in ("blocks", "full")}

    validation, test = (deal(run.rng(part), 64, SIZE["cards"], names, contents) for part in ("validation", "test"))
    curves: dict[str, Curves] = {}
    scores: dict[str, tuple[float, float]] = {}
    trained: dict[str, Learner] = {}
    for name, changes in READERS.items():
        size: dict[str, Any] = {**SIZE, **changes}
        model = learner(run.track, run.rng("parameters"), **size, steps=steps)

        def evaluate(model: Learner) -> dict[str, float]:
            return {"held-out accuracy": sum(accuracy(model, validation)) / 2}

        curves[name] = run.fit(
            name, model, lambda rng: batch(rng, **SIZE), steps, evaluate, max(1, steps // 20), {"size": size}
        )
        scores[name], trained[name] = accuracy(model, test), model
    right = {name: answered(model, test).ravel() for name, model in trained.items()}

    def beside(rival: str) -> Measured:
        return Measured(
            float(right["two_heads"].mean()), float(right[rival].mean()), (right["two_heads"], right[rival])
        )

    spreads = {
        name: spread_of_scores(trained[model].parameters(), test["cards"], SIZE["heads"], stretch)
        for name, model, stretch in (
            ("undivided", "undivided", 1.0),
            ("1/√d", "two_heads", (SIZE["width"] // SIZE["heads"]) ** -0.5),
            ("1/d", "divided_by_d", (SIZE["width"] // SIZE["heads"]) ** -1.0),
        )
    }

    looks = {
        name: reader_weights(trained[name].parameters(), test["cards"], heads)
        for name, heads in (("two_heads", 2), ("one_head", 1))
    }
    places = asked_places(test["cards"], names, contents)
    lines = {"chance": 1 / contents, "commonest content": counting_score(test, names, contents)}
    without, scaled = (found[-1] for found in softmaxes.values())
    return Result(
        measured={
            "lookup": beside("one_head"),
            "scale": beside("undivided"),
            "root": beside("divided_by_d"),
            "gradient": Measured(without["median gradient"], scaled["median gradient"]),
        },
        metrics={
            "speed-up by length": dict(zip(lengths, loops["speed-up"], strict=True)),
            "variance/d and its standard error": dict(zip(WIDTHS, ratios, strict=True)),
            "exponent of the variance": growth(WIDTHS, [variance for variance, _ in variances]),
            "softmax": {name: dict(zip(WIDTHS, found, strict=True)) for name, found in softmaxes.items()},
            "blockwise by length": by_length,
            f"blockwise by block, n = {half}": by_block,
            "accuracy by question": scores,
            **{f"spread of the scores, {name}": spread for name, spread in spreads.items()},
            "exponent of the peak memory": exponents,
            "accuracy without looking": lines,
            "parameters": {name: count(model.parameters()) for name, model in trained.items()},
            "weight on the card asked for": {name: weight_on_asked(weights, places) for name, weights in looks.items()},
        },
        curves=curves,
        arrays={
            "loops": loops,
            "variances": dict(zip(WIDTHS, variances, strict=True)),
            "softmaxes": softmaxes,
            "by length": by_length,
            "by block": by_block,
            "exponents": exponents,
            "half": half,
            "weights": {name: weights[0] for name, weights in looks.items()},
            "places": places[0],
            "lines": lines,
        },
    )
