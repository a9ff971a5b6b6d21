"""The same decoder on real text: half a minute of novels, in bits per character, and what it writes meanwhile."""

import math
from typing import Any

import numpy as np

from groundup.data.baselines import ngrams
from groundup.data.text import build_vocabulary, decode, encode, novels, parts, read_text, words
from groundup.lesson import Batch, Curves, Learner, Measured
from groundup.lessons.tiny_decoder.learners import learner
from groundup.lessons.tiny_decoder.model import decoder, generate
from groundup.ops.activations import log_softmax
from groundup.ops.types import Array, Tree
from groundup.training.params import count
from groundup.training.run import Run

SIZE: dict[str, Any] = {"width": 64, "heads": 4, "batch": 32}
TIME = 32  # characters of a window: as far as the model can look back, for it knows no later place
STEPS, RATE, WEIGHT_DECAY = 1500, 2e-2, 0.01
MOST_ORDER = 7  # of the n-grams: beyond the best one, and so the best is among them
LARGEST_VOCABULARY = 4000


def on_text(run: Run) -> tuple[Measured, Curves, dict[str, Any]]:
    """Train on the novels, or on the user's own text (``--text FILE``): bits beside counting's, curve, metrics."""
    path = run.options.get("text")
    texts = [read_text(path, minimum=2000)] if path else novels()[: run.pick(1, 6)]
    train_text, validation_text, test_text = parts(texts)
    vocabulary = build_vocabulary(train_text, most=LARGEST_VOCABULARY)
    train, validation, test = (encode(part, vocabulary) for part in (train_text, validation_text, test_text))
    heads, steps = SIZE["heads"], run.pick(30, STEPS, 10 * STEPS)
    size = {**SIZE, "vocabulary": len(vocabulary)}
    model = learner(run.track, run.rng("text parameters"), **size, steps=steps, rate=RATE, weight_decay=WEIGHT_DECAY)
    samples: dict[str, str] = {}

    def next_batch(rng: np.random.Generator) -> Batch:
        return windows(train, rng.integers(len(train) - TIME, size=size["batch"]))

    def evaluate(model: Learner) -> dict[str, float]:
        params = model.parameters()
        written = write(params, encode("\n", vocabulary), 150, heads, 0.8, run.rng("sample"))
        samples[str(model.steps)] = decode(written, vocabulary)
        run.say(f"after {model.steps} steps: {samples[str(model.steps)]!r}")
        return {"held-out bits": bits_per_character(params, validation, heads)}

    about = {"variant": "text", "heads": heads, "vocabulary": vocabulary}
    curve = run.fit("text", model, next_batch, steps, evaluate, max(1, steps // 6), about, samples)
    params, known = model.parameters(), set(words(train_text))
    written = words(
        decode(write(params, encode("\n", vocabulary), run.pick(200, 3000), heads, 0.8, run.rng("final")), vocabulary)
    )
    counting = ngrams(train, validation, test, len(vocabulary), run.pick(3, MOST_ORDER))
    by_place = bits_by_place(params, test, heads)
    bits, best = bits_per_character(params, test, heads), counting[0]
    return (
        Measured(bits, best.bits),
        curve,
        {
            "n-grams": {f"{one.kind} {one.order}": {"bits": one.bits, "numbers": one.numbers} for one in counting},
            "numbers that the best n-gram keeps": best.numbers,
            "numbers that the block keeps": count(params),
            "characters that the best n-gram sees": best.order - 1,
            "bits with as many in view": float(by_place[max(0, best.order - 2)]),
            "bits with all in view": bits,
            "percent of the text that is read": 100 * steps * size["batch"] * TIME / len(train),
            "bits by characters in view": by_place.tolist(),
            "known words": float(np.mean([word in known for word in written] or [False])),
            "samples while learning": samples,
        },
    )


def windows(tokens: Array, starts: Array) -> Batch:
    """Stretches of a text and, as targets, the character after each of theirs: both (len(starts), TIME)."""
    read = tokens[starts[:, None] + np.arange(TIME + 1)]
    return {"tokens": read[:, :-1], "targets": read[:, 1:]}


def bits_by_place(params: Tree, tokens: Array, heads: int) -> Array:
    """(TIME,): mean bits for the next character with 1, 2, … TIME characters in view, over windows of a text."""
    starts = np.arange(0, len(tokens) - TIME, TIME // 2)
    total = np.zeros(TIME)
    for some in np.array_split(starts, 1 + len(starts) // 256):
        read = windows(tokens, some)
        log_p, _ = log_softmax(decoder(params, read["tokens"], heads)[0])
        total -= np.take_along_axis(log_p, read["targets"][..., None], axis=-1)[..., 0].sum(axis=0)
    return total / len(starts) / math.log(2)


def bits_per_character(params: Tree, tokens: Array, heads: int) -> float:
    """Bits per character of a text, each read with at least half a window before it."""
    return float(bits_by_place(params, tokens, heads)[TIME // 2 :].mean())


def write(params: Tree, prompt: Array, length: int, heads: int, temperature: float, rng: np.random.Generator) -> Array:
    """Go on from a prompt (N,) by ``length`` characters; temperature 0 takes the likeliest. Returns (length,).

    Whenever a window is full its second half becomes the beginning of the next one. Token 0, which stands for the
    characters that training did not see, is never written.
    """
    bias = np.where(np.arange(len(params["readout"]["bias"])) == 0, -np.inf, params["readout"]["bias"])
    params = {**params, "readout": {**params["readout"], "bias": bias.astype(params["readout"]["bias"].dtype)}}
    dice, text = rng if temperature > 0 else None, prompt
    while len(text) < len(prompt) + length:
        seen = text[-(TIME // 2) :]
        more, _ = generate(params, seen[None], TIME - len(seen), heads, temperature=temperature, rng=dice)
        text = np.concatenate([text, more[0]])
    return text[len(prompt) : len(prompt) + length]
