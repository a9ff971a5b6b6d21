"""Write words backwards, beside an LSTM; time generation with and without a cache; read novels, beside counting."""

from functools import partial
from typing import Any

import numpy as np

from groundup.data.text import decode, encode
from groundup.errors import UserError
from groundup.lesson import Batch, Curves, Learner, Measured, Result
from groundup.lessons.tiny_decoder.learners import LSTM_SIZE, SIZE, learner, lstm_learner
from groundup.lessons.tiny_decoder.model import generate, norm, split_qkv
from groundup.lessons.tiny_decoder.prose import on_text, write
from groundup.lessons.tiny_decoder.words import (
    LONGEST,
    PAD,
    SEPARATOR,
    best_without_order,
    draw_words,
    reversal,
    right,
    text_of,
    tokens_of,
)
from groundup.ops.attention import attention_weights, causal_mask
from groundup.ops.linear import linear
from groundup.ops.positions import sinusoidal_positions
from groundup.ops.types import Array, Tree
from groundup.proof.instruments import side_by_side
from groundup.training.params import count
from groundup.training.run import Run

VARIANTS = ("decoder", "no_attention", "no_positions", "no_mask")


def blindfold(variant: str, width: int) -> Batch:
    """What a variant of the decoder is denied, as entries of a batch: other tokens, order, or not the future."""
    length = 2 * LONGEST + 1
    if variant == "no_attention":
        return {"mask": np.eye(length, dtype=bool)}  # each token sees itself alone
    if variant == "no_positions":
        return {"positions": np.zeros((length, width), np.float32)}
    if variant == "no_mask":
        return {"mask": np.ones((length, length), bool)}
    return {}


def attention_of_heads(params: Tree, tokens: Array, heads: int) -> Array:
    """(B, heads, T, T): how much each token (row) looks at each token up to it (column)."""
    length, width = tokens.shape[1], params["embedding"]["weight"].shape[1]
    x = params["embedding"]["weight"][tokens] + sinusoidal_positions(length, width)
    packed, _ = linear(norm(x, params["attention_norm"])[0], **params["attention"]["qkv"])
    query, key, _ = split_qkv(packed, heads)
    return attention_weights(query, key, causal_mask(length))


def on_the_letter(weights: Array, targets: Array) -> Array:
    """(heads,) mean attention, over the places of an answer, on the very letter that is to be written next."""
    places = np.arange(LONGEST, 2 * LONGEST)  # of the queries; the letter they need lies mirrored
    wanted = targets[:, LONGEST : 2 * LONGEST]
    looked = weights[:, :, places, 2 * LONGEST - 1 - places]  # (B, heads, 16)
    letter = (wanted > PAD) & (wanted < SEPARATOR)
    return np.moveaxis(looked, 1, -1)[letter].mean(axis=0)


def mirror_head(params: Tree, choose: Batch, measure: Batch, heads: int) -> float:
    """How much of its attention the best head gives the letter to be written: chosen on one part, told of another."""
    chosen = on_the_letter(attention_of_heads(params, choose["tokens"], heads), choose["targets"])
    told = on_the_letter(attention_of_heads(params, measure["tokens"], heads), measure["targets"])
    return float(told[np.argmax(chosen)])


def run(run: Run) -> Result:
    """The experiment of the lesson: four models that differ in one thing, an LSTM, and what the cache saves."""
    steps, heads = run.pick(30, 500, 2000), SIZE["heads"]
    test_words = draw_words(run.rng("test"), run.pick(64, 1000))
    validation_words = draw_words(run.rng("validation"), run.pick(32, 256))
    held_out = np.concatenate([test_words, validation_words])
    test, validation = reversal(test_words), reversal(validation_words)
    models: dict[str, Learner] = {}
    curves: dict[str, Curves] = {}
    matches: dict[str, float] = {}
    for variant in VARIANTS:
        model = models[variant] = learner(run.track, run.rng("parameters"), **SIZE, steps=steps)
        view = blindfold(variant, SIZE["width"])
        # Whatever a model was trained with, when it writes there is no future to see yet.
        at_work = {} if variant == "no_mask" else view

        def next_batch(rng: np.random.Generator, view: Batch = view) -> Batch:
            return reversal(draw_words(rng, SIZE["batch"], held_out)) | view

        def evaluate(model: Learner, view: Batch = at_work) -> dict[str, float]:
            return {"exact match": float(right(model.outputs(validation | view), validation["targets"]).mean())}

        about = {"variant": variant, "heads": heads}
        curves[variant] = run.fit(variant, model, next_batch, steps, evaluate, max(1, steps // 20), about)
        matches[variant] = float(right(model.outputs(test | at_work), test["targets"]).mean())
        if variant == "no_mask":
            seen = right(model.outputs(test | view), test["targets"])
            matches["no_mask, while it sees the answer"] = float(seen.mean())

    rival = lstm_learner(run.track, run.rng("lstm parameters"), **LSTM_SIZE, steps=steps)

    def score(model: Learner) -> dict[str, float]:
        return {"exact match": float(right(model.outputs(validation), validation["targets"]).mean())}

    curves["lstm"] = run.fit(
        "lstm",
        rival,
        lambda rng: reversal(draw_words(rng, SIZE["batch"], held_out)),
        steps,
        score,
        max(1, steps // 20),
        {"variant": "lstm", "heads": heads},
    )
    rival_right = right(rival.outputs(test), test["targets"])
    matches["lstm"] = float(rival_right.mean())

    params = models["decoder"].parameters()
    prompts, targets = test["tokens"][:, : LONGEST + 1], test["targets"][:, LONGEST:]
    written, logits = generate(params, prompts, LONGEST + 1, heads)
    correct = ((written == targets) | (targets == -1)).all(axis=1)
    lengths = (test_words != PAD).sum(axis=1)

    text, curves["text"], told = on_text(run)
    times = time_generation(run, params)
    speedups = {length: float(np.median(plain / cached)) for length, (plain, cached) in times.items()}
    weights = attention_of_heads(params, test["tokens"], heads)
    mirror, mirror_before = (
        mirror_head(tree, validation, test, heads)
        for tree in (params, learner(run.track, run.rng("parameters"), **SIZE).parameters())
    )
    return Result(
        measured={
            "exact": Measured(float(correct.mean()), float(rival_right.mean()), (correct, rival_right)),
            "leak": Measured(matches["no_mask"], matches["no_mask, while it sees the answer"]),
            "mirror": Measured(mirror, mirror_before),
            "speed": Measured(speedups[max(times)]),
            "text": text,
        },
        metrics={
            "exact match": matches,
            "exact match by length": {n: float(correct[lengths == n].mean()) for n in sorted({*lengths.tolist()})},
            "parameters": {"decoder": count(params), "lstm": count(rival.parameters())},
            "chance": float(np.mean(26.0**-lengths)),
            "best without order": best_without_order(test_words),
            "largest logit": float(np.abs(logits).max()),
            "speed-up by length": speedups,
            **told,
            "attention on the letter to be written": on_the_letter(weights, test["targets"]).tolist(),
        },
        curves=curves,
        arrays={"times": times, "weights": weights[0], "tokens": test["tokens"][0], "targets": test["targets"][0]},
    )


def time_generation(run: Run, params: Tree) -> dict[int, Array]:
    """For every length (2, repeats): seconds to generate so many tokens, without the cache and with it, in turn."""
    lengths, repeats = run.pick((16, 32), (16, 32, 64, 128, 256), (16, 32, 64, 128, 256, 512)), run.pick(2, 5)
    task = run.progress.add_task("timing", total=len(lengths), loss="")
    seconds = {}
    for length in lengths:
        ways = [partial(generate, params, np.array([[SEPARATOR]]), length, SIZE["heads"], way) for way in (False, True)]
        seconds[length] = side_by_side(ways, repeats)
        run.progress.advance(task)
    return seconds


def sample(
    params: Tree, about: dict[str, Any], temperature: float, length: int, rng: np.random.Generator, prompt: str
) -> str:
    """What ``groundup sample`` prints: the prompt (a random word if there is none) and what the model answers.

    A model that read a text goes on from the prompt, or writes from the beginning of a line.
    """
    if about["variant"] == "text":
        vocabulary = about["vocabulary"]
        start = encode(prompt or "\n", vocabulary)
        return decode(write(params, start, length, about["heads"], temperature, rng), vocabulary)
    if about["variant"] != "decoder":
        raise UserError(
            f"This is the checkpoint of a baseline, {about['variant']}: take decoder.safetensors or text.safetensors."
        )
    word = prompt.removesuffix(">") if prompt else text_of(draw_words(rng, 1)[0]).strip()
    count, dice = min(length, LONGEST + 1), rng if temperature > 0 else None
    written, _ = generate(params, tokens_of(word)[None], count, about["heads"], temperature=temperature, rng=dice)
    return f"{word}>{text_of(written[0])}"
