"""Learn to write words backwards, beside an LSTM, and time generation with and without a cache."""

import math
from functools import partial
from typing import Any

import numpy as np

from groundup.errors import UserError
from groundup.lesson import Batch, Curves, Learner, Measured, Result
from groundup.lessons.tiny_decoder.model import decoder, generate, init, norm, split_qkv
from groundup.lessons.tiny_decoder.rival import lstm_decoder, lstm_init
from groundup.ops.attention import attention_weights, causal_mask
from groundup.ops.linear import linear
from groundup.ops.losses import cross_entropy
from groundup.ops.positions import sinusoidal_positions
from groundup.ops.types import Array, Backward, Tree
from groundup.proof.instruments import side_by_side
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.optim import cosine
from groundup.training.params import count
from groundup.training.run import Run

SYMBOLS = " abcdefghijklmnopqrstuvwxyz>."
PAD, SEPARATOR, END = 0, 27, 28
SHORTEST, LONGEST = 4, 16
SIZE: dict[str, Any] = {"vocabulary": len(SYMBOLS), "width": 64, "heads": 4, "batch": 32, "letters": LONGEST}
TINY: dict[str, Any] = {"vocabulary": 7, "width": 8, "heads": 2, "batch": 2, "letters": 2}
LSTM_SIZE: dict[str, Any] = {**SIZE, "hidden": 83}  # as many parameters as the decoder, to one in a hundred
LSTM_TINY: dict[str, Any] = {**TINY, "width": 3, "hidden": 4}
LSTM_RATE = 1e-2
VARIANTS = ("decoder", "no_attention", "no_positions", "no_mask")


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    vocabulary: int,
    width: int,
    heads: int,
    batch: int,
    letters: int,
    steps: int = 1000,
) -> Learner:
    """A decoder in training on either track, from the same parameters. A batch may bring a mask and positions."""

    def twin() -> Twin:
        from groundup.lessons.tiny_decoder.twin import TinyDecoder, answer_loss

        return Twin(TinyDecoder(vocabulary, width, heads), answer_loss, lambda module, *inputs: module(*inputs)[0])

    return both_tracks(
        track,
        init(rng, vocabulary, width, dtype),
        forward=lambda params, rng, tokens, mask, positions: decoder(params, tokens, heads, mask, positions),
        loss=answer_loss,
        twin=twin,
        inputs=["tokens", "mask", "positions"],
        target="targets",
        settings={"weight_decay": 0.3},
        schedule=cosine(8e-3, steps, warmup=20),
        clip=1.0,
    )


def lstm_learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    vocabulary: int,
    width: int,
    hidden: int,
    steps: int = 1000,
    **_: int,
) -> Learner:
    """The LSTM in training on either track, at the rate that served it best, from the same parameters."""

    def twin() -> Twin:
        from groundup.lessons.tiny_decoder.twin import LSTMDecoder, answer_loss

        return Twin(LSTMDecoder(vocabulary, width, hidden), answer_loss)

    return both_tracks(
        track,
        lstm_init(rng, vocabulary, width, hidden, dtype),
        forward=lambda params, rng, tokens: lstm_decoder(params, tokens),
        loss=answer_loss,
        twin=twin,
        inputs=["tokens"],
        target="targets",
        schedule=cosine(LSTM_RATE, steps, warmup=20),
        clip=1.0,
    )


def batch(rng: np.random.Generator, *, vocabulary: int, batch: int, letters: int, **_: int) -> Batch:
    """Random tokens in the shape of training data."""
    tokens = rng.integers(vocabulary, size=(batch, 2 * letters + 2))
    targets = np.where(np.arange(2 * letters + 1) < letters, -1, tokens[:, 1:])
    return {"tokens": tokens[:, :-1], "targets": targets}


def answer_loss(logits: Array, targets: Array) -> tuple[Array, Backward]:
    """Mean cross-entropy in nats over the tokens to be written; targets of -1 do not count."""
    return cross_entropy(logits, targets, ignore_index=-1)


def draw_words(rng: np.random.Generator, count: int, held_out: Array | None = None) -> Array:
    """(count, 16) random words of 4 to 16 letters, at the right end of their field; none that is in ``held_out``."""
    letters = rng.integers(1, 27, size=(count, LONGEST))
    lengths = rng.integers(SHORTEST, LONGEST + 1, size=(count, 1))
    words = np.where(np.arange(LONGEST) >= LONGEST - lengths, letters, PAD)
    if held_out is not None:
        known = np.isin(keys(words), keys(held_out))
        if known.any():
            words[known] = draw_words(rng, int(known.sum()), held_out)
    return words


def keys(words: Array) -> Array:
    """One number for a word, modulo 2^64."""
    return words.astype(np.uint64) @ (np.uint64(29) ** np.arange(LONGEST, dtype=np.uint64))


def reversal(words: Array) -> Batch:
    """The task as tokens and targets (B, 33): a word, ``>``, the word backwards, ``.``; then nothing counts.

    Only the answer is to be learned: the targets of the word itself, which is random, are -1.
    """
    count = len(words)
    lengths = (words != PAD).sum(axis=1, keepdims=True)
    line = np.full((count, 2 * LONGEST + 2), PAD)
    line[:, :LONGEST] = words
    line[:, LONGEST] = SEPARATOR
    line[:, LONGEST + 1 : -1] = words[:, ::-1]  # (1)
    end = LONGEST + 1 + lengths
    np.put_along_axis(line, end, END, axis=1)
    places = np.arange(2 * LONGEST + 2)
    targets = np.where((places > LONGEST) & (places <= end), line, -1)
    return {"tokens": line[:, :-1], "targets": targets[:, 1:]}


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


def right(logits: Array, targets: Array) -> Array:
    """(B,) whether greedy generation writes the whole answer without a mistake.

    No generation is needed to know: if the likeliest token is right at every place of the right answer,
    generation writes just that answer; at the first place where it is not, generation goes wrong.
    """
    return ((logits.argmax(axis=-1) == targets) | (targets == -1)).all(axis=1)


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
    looked = weights[:, :, places, 2 * LONGEST - 1 - places]  # (1) (B, heads, 16)
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
        },
        metrics={
            "exact match": matches,
            "exact match by length": {n: float(correct[lengths == n].mean()) for n in sorted({*lengths.tolist()})},
            "parameters": {"decoder": count(params), "lstm": count(rival.parameters())},
            "chance": float(np.mean(26.0**-lengths)),
            "best without order": best_without_order(test_words),
            "largest logit": float(np.abs(logits).max()),
            "speed-up by length": speedups,
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


def best_without_order(words: Array) -> float:
    """The largest share of words that can be reversed, in expectation, by knowing how often each letter occurs.

    A word of n letters has n! / Π (count of a letter)! equally likely orders, and only one of them is right.
    """
    orders = []
    for word in words:
        counts = np.bincount(word[word != PAD])
        orders.append(math.factorial(int(counts.sum())) // math.prod(math.factorial(int(c)) for c in counts))
    return float(np.mean([1 / order for order in orders]))


def encode(text: str) -> Array:
    """(17,) tokens of a prompt: the word at the right end of its field, then the separator. Raises UserError."""
    word = text.removesuffix(">")
    if not SHORTEST <= len(word) <= LONGEST or not set(word) <= set(SYMBOLS[1:SEPARATOR]):
        raise UserError(f"The prompt must be a word of {SHORTEST} to {LONGEST} letters from a to z, not {text!r}.")
    return np.array([SYMBOLS.index(symbol) for symbol in word.rjust(LONGEST) + ">"])


def decode(tokens: Array) -> str:
    """The text of tokens, up to the end sign."""
    return "".join(SYMBOLS[token] for token in tokens).partition(".")[0]


def sample(
    params: Tree, about: dict[str, Any], temperature: float, length: int, rng: np.random.Generator, prompt: str
) -> str:
    """What ``groundup sample`` prints: the prompt (a random word if there is none) and what the model answers."""
    if about["variant"] != "decoder":
        raise UserError(f"This is the checkpoint of a baseline, {about['variant']}: take decoder.safetensors.")
    word = prompt.removesuffix(">") if prompt else decode(draw_words(rng, 1)[0]).strip()
    count, dice = min(length, LONGEST + 1), rng if temperature > 0 else None
    written, _ = generate(params, encode(word)[None], count, about["heads"], temperature=temperature, rng=dice)
    return f"{word}>{decode(written[0])}"
