"""Train on real text, measure held-out bits per character, look for cells that track something."""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from groundup.data.baselines import ngrams
from groundup.data.text import build_vocabulary, decode, encode, novels, parts, read_text, words
from groundup.lesson import Batch, Learner, Measured, Result
from groundup.lessons.p02_char_rnn.model import char_rnn, generate, init, next_character_loss
from groundup.ops.activations import log_softmax, softmax
from groundup.ops.recurrent import rnn, rnn_step
from groundup.ops.types import Array, Tree
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.optim import cosine
from groundup.training.params import count, map_tree
from groundup.training.run import Run

SIZE: dict[str, Any] = {"vocabulary": 100, "width": 64, "hidden": 256, "batch": 32, "time": 64}
TINY: dict[str, Any] = {"vocabulary": 7, "width": 3, "hidden": 4, "batch": 2, "time": 5}
CLIP = 0.25
TEMPERATURES = (0.5, 0.8, 1.2)
MOST_ORDER = 7  # of the n-grams: beyond the best one, and so the best is among them
COUNTER = "letters since space"
OTHERS = ("place in line", COUNTER, "letters since full stop")
AFTER = 5  # characters that are read after a cell was overwritten
FARTHEST = 100  # characters back that a gradient is followed
LEFT = 0.01  # of a gradient: what counts as gone
LARGEST_VOCABULARY = 4000


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    vocabulary: int,
    width: int,
    hidden: int,
    batch: int,
    time: int,
    steps: int = 1000,
) -> Learner:
    """A character RNN in training on either track, from the same parameters."""

    def twin() -> Twin:
        from groundup.lessons.p02_char_rnn.twin import CharRNN, next_character_loss

        return Twin(CharRNN(vocabulary, width, hidden), next_character_loss)

    return both_tracks(
        track,
        init(rng, vocabulary, width, hidden, dtype),
        forward=lambda params, rng, tokens, state: char_rnn(params, tokens, state),
        loss=next_character_loss,
        twin=twin,
        inputs=["tokens", "hidden"],
        target="targets",
        optimiser="adam",
        schedule=cosine(4e-3, steps, warmup=20),
        clip=CLIP,
        carry={"hidden": np.zeros((batch, hidden), dtype)},
    )


def batch(rng: np.random.Generator, *, vocabulary: int, hidden: int, batch: int, time: int, **_: int) -> Batch:
    """Random characters in the shape of training data."""
    tokens = rng.integers(vocabulary, size=(batch, time + 1))
    state = rng.uniform(-1, 1, size=(batch, hidden)).astype(np.float32)
    return {"tokens": tokens[:, :-1], "targets": tokens[:, 1:], "hidden": state}


def streams(tokens: Array, count: int, time: int, step: int) -> tuple[Batch, bool]:
    """The batch of a step: ``count`` readers, each in its own stretch of the text, move on by ``time`` a step.

    After an epoch the readers start again, shifted by a few characters; then the flag is True.
    """
    span = (len(tokens) - 1 - time) // count // time * time
    epoch, place = divmod(step * time, span)
    starts = np.arange(count) * span + place + epoch * 7 % time
    columns = starts[:, None] + np.arange(time + 1)
    return {"tokens": tokens[columns[:, :-1]], "targets": tokens[columns[:, 1:]]}, place == 0


def held_out_bits(learner: Learner, tokens: Array, hidden: int, rows: int = 16) -> float:
    """Bits per character over a held-out text, cut into ``rows`` stretches that are each read in one go."""
    span = (len(tokens) - 1) // rows
    columns = np.arange(rows)[:, None] * span + np.arange(span + 1)
    windows = tokens[columns]
    zeros = np.zeros((rows, hidden), np.float32)
    return learner.loss({"tokens": windows[:, :-1], "targets": windows[:, 1:], "hidden": zeros}) / math.log(2)


def run(run: Run) -> Result:
    """The experiment of the lesson; ``--text FILE`` puts the user's own text in the place of the novels."""
    path = run.options.get("text")
    train_text, validation_text, test_text = parts([read_text(path, minimum=2000)] if path else novels())
    vocabulary = build_vocabulary(train_text, most=LARGEST_VOCABULARY)
    train, validation, test = (encode(part, vocabulary) for part in (train_text, validation_text, test_text))
    size = {**SIZE, "vocabulary": len(vocabulary), "hidden": run.pick(32, SIZE["hidden"])}
    size["batch"] = min(size["batch"], max(1, len(train) // 4 // size["time"]))
    steps = run.pick(30, 1200, 6000)
    model = learner(run.track, run.rng("parameters"), **size, steps=steps)
    untrained = map_tree(np.copy, model.parameters())
    samples: dict[str, str] = {}

    def next_batch(rng: np.random.Generator) -> Batch:
        found, restart = streams(train, size["batch"], size["time"], model.steps)
        if restart:
            found["hidden"] = np.zeros((size["batch"], size["hidden"]), np.float32)
        return found

    def evaluate(model: Learner) -> dict[str, float]:
        sample = write(model.parameters(), vocabulary, 150, 0.8, run.rng("sample"))
        samples[str(model.steps)] = sample
        run.say(f"after {model.steps} steps: {sample!r}")
        return {"held-out bits": held_out_bits(model, validation, size["hidden"])}

    about = {"vocabulary": vocabulary}
    curve = run.fit("adam", model, next_batch, steps, evaluate, max(1, steps // 12), about, samples)
    params = model.parameters()
    before, states = tracking(hidden_states(untrained, test), test_text), hidden_states(params, test)
    after = tracking(states, test_text)
    reach = {
        name: gradient_by_lag(tree, test, run.rng("lags"), run.pick(3, 200))
        for name, tree in (("trained", params), ("untrained", untrained))
    }
    lags = {name: lag_left(norms) for name, norms in reach.items()}
    moved = overwriting(params, test, test_text, after, vocabulary, run.rng("overwriting"))

    known = set(words(train_text))
    texts = {t: write(params, vocabulary, run.pick(200, 3000), t, run.rng("final", str(t))) for t in TEMPERATURES}
    shares = {t: float(np.mean([word in known for word in words(texts[t])] or [False])) for t in TEMPERATURES}
    counting = ngrams(train, validation, test, len(vocabulary), run.pick(3, MOST_ORDER))
    bits = held_out_bits(model, test, size["hidden"])
    return Result(
        measured={
            "bits": Measured(bits, counting[0].bits),
            "quotes": Measured(tracked(after, "inside quotes"), tracked(before, "inside quotes")),
            "cells": Measured(mean_tracked(after, OTHERS), mean_tracked(before, OTHERS)),
            "overwriting": Measured(moved[0], max(moved[1:], default=math.nan)),
            "lag": Measured(lags["trained"], lags["untrained"]),
        },
        metrics={
            "characters": {"training": len(train), "validation": len(validation), "test": len(test)},
            "vocabulary": len(vocabulary),
            "n-grams": {f"{one.kind} {one.order}": {"bits": one.bits, "numbers": one.numbers} for one in counting},
            "best n-gram": counting[0]._asdict(),
            "letters of a quotation": quotation(train_text),
            "characters that a gradient goes back": lags["trained"],
            "numbers that the best n-gram keeps": counting[0].numbers,
            "numbers that the network keeps": count(params),
            "cells": {name: {"cell": cell, "correlation": r} for name, (cell, r) in after.items()},
            "cells untrained": {name: {"cell": cell, "correlation": r} for name, (cell, r) in before.items()},
            "known words by temperature": shares,
            "samples while learning": samples,
            "samples by temperature": {t: sample[:400] for t, sample in texts.items()},
        },
        curves={"adam": curve},
        arrays={
            "text": test_text,
            "states": states,
            "cells": after,
            "gradient by lag": reach,
            "overwriting": moved,
        },
    )


def write(
    params: Tree,
    vocabulary: str,
    length: int,
    temperature: float,
    rng: np.random.Generator,
    prompt: str = "\n",
) -> str:
    """A text of the model's own. A prompt's unknown characters are read as the unknown symbol."""
    return decode(generate(params, encode(prompt, vocabulary), length, temperature, rng), vocabulary)


def sample(
    params: Tree,
    about: dict[str, Any],
    temperature: float,
    length: int,
    rng: np.random.Generator,
    prompt: str,
) -> str:
    """What ``groundup sample`` prints, from a checkpoint's parameters and notes."""
    return write(params, about["vocabulary"], length, temperature, rng, prompt or "\n")


def quotation(text: str) -> float:
    """The median length of what stands between two quotation marks of one paragraph; not a number if nothing does."""
    lengths = [len(found) for paragraph in text.split("\n\n") for found in re.findall(r'"([^"]*)"', paragraph)]
    return float(np.median(lengths)) if lengths else math.nan


def hidden_states(params: Tree, tokens: Array) -> Array:
    """(N, H): the state after each character of one continuous reading."""
    cell = params["rnn"]
    x = params["embedding"]["weight"][tokens][None]
    zeros = np.zeros((1, cell["weight_hh_l0"].shape[0]), x.dtype)
    weights = (cell[f"{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    (states, _), _ = rnn(x, zeros, *weights)
    return states[0]


def features(text: str) -> dict[str, Array]:
    """What a cell might keep track of, as a number at every character; a feature that never changes is left out."""
    characters = np.array(list(text))
    places = np.arange(len(text))
    newline, space = characters == "\n", characters == " "
    paragraph = newline & np.roll(newline, 1)

    def since(event: Array) -> Array:
        return places - np.maximum.accumulate(np.where(event, places, 0))

    quotes = np.cumsum(characters == '"')
    quotes -= np.maximum.accumulate(np.where(paragraph, quotes, 0))  # an open quote ends with its paragraph
    found = {
        "inside quotes": (quotes % 2).astype(float),
        "place in line": np.log1p(since(newline)),
        COUNTER: np.log1p(since(space | newline)),
        "letters since full stop": np.log1p(since(np.isin(characters, list(".!?")))),
    }
    half = len(text) // 2
    return {name: f for name, f in found.items() if f[:half].std() > 0 and f[half:].std() > 0}


def tracking(states: Array, text: str) -> dict[str, tuple[int, float]]:
    """For each feature the cell that follows it best, and how well.

    The cell is chosen by |correlation| on the first half of the text and measured on the second, so that
    trying many cells wins nothing.
    """
    half = len(text) // 2
    found = {}
    for name, feature in features(text).items():
        cell = int(np.argmax(np.abs(correlations(states[:half], feature[:half]))))
        found[name] = (cell, float(np.abs(correlations(states[half:, [cell]], feature[half:]))[0]))
    return found


def tracked(found: dict[str, tuple[int, float]], feature: str) -> float:
    """|r| of a feature's cell; not a number for a text that does not have the feature."""
    return found[feature][1] if feature in found else math.nan


def mean_tracked(found: dict[str, tuple[int, float]], names: Sequence[str]) -> float:
    """The mean |r| of these features' cells; not a number for a text that has none of them."""
    known = [found[name][1] for name in names if name in found]
    return float(np.mean(known)) if known else math.nan


def overwriting(
    params: Tree, tokens: Array, text: str, found: dict[str, tuple[int, float]], vocabulary: str,
    rng: np.random.Generator, others: int = 30, places: int = 300,
) -> list[float]:  # fmt: skip
    """What it does to the bet on a space to overwrite the cell that counts letters, and each of some other cells.

    At places three letters deep in a word one cell gets the value that it has on average where a word begins; then the
    text is read on. The mean change of log₂ p of a space over the next ``AFTER`` characters, in bits, without sign.
    """
    depth = features(text).get(COUNTER)
    if depth is None or " " not in vocabulary:
        return [math.nan]
    states, space = hidden_states(params, tokens), vocabulary.index(" ")
    half = len(text) // 2
    candidates = half + np.flatnonzero(depth[half : len(text) - AFTER] >= np.log1p(3))
    times = rng.choice(candidates, size=min(places, len(candidates)), replace=False)
    counter = found[COUNTER][0]
    rest = np.delete(np.arange(states.shape[1]), counter)
    cells = [counter, *rng.choice(rest, size=min(others, len(rest)), replace=False).tolist()]
    begun = states[:half][depth[:half] == 0].mean(axis=0)
    usual = [bets(params, states[times + step])[:, space] for step in range(1, AFTER + 1)]
    changes = []
    for cell in cells:
        h = states[times].copy()
        h[:, cell] = begun[cell]
        moved = []
        for step in range(1, AFTER + 1):
            h = read_on(params, h, tokens[times + step])
            moved.append(np.abs(bets(params, h)[:, space] - usual[step - 1]).mean())
        changes.append(float(np.mean(moved)))
    return changes


def read_on(params: Tree, h: Array, tokens: Array) -> Array:
    """The states (B, H) after one more character each."""
    weights = (params["rnn"][f"{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    return rnn_step(params["embedding"]["weight"][tokens], h, *weights)[0]


def bets(params: Tree, h: Array) -> Array:
    """(B, V): log₂ of the probability of every next character."""
    logits = h @ params["readout"]["weight"].T + params["readout"]["bias"]
    return log_softmax(logits)[0] / math.log(2)


def gradient_by_lag(params: Tree, tokens: Array, rng: np.random.Generator, places: int) -> Array:
    """(FARTHEST + 1,): how long ∂L_t/∂h_{t−k} is, as a share of ∂L_t/∂h_t, the median over places t of a text.

    ∂L_t/∂h_{t−k} = ∂L_t/∂h_t · Π diag(1 − h²) W_hh over the steps t, …, t−k+1.
    """
    states = hidden_states(params, tokens)
    weight_hh, readout = params["rnn"]["weight_hh_l0"], params["readout"]
    times = rng.integers(FARTHEST, len(tokens) - 1, size=places)
    logits = states[times] @ readout["weight"].T + readout["bias"]
    d_logits = softmax(logits)[0]
    d_logits[np.arange(places), tokens[times + 1]] -= 1.0
    d_hidden = d_logits @ readout["weight"]
    norms = [np.linalg.norm(d_hidden, axis=1)]
    for back in range(FARTHEST):
        d_hidden = (d_hidden * (1.0 - states[times - back] ** 2)) @ weight_hh
        norms.append(np.linalg.norm(d_hidden, axis=1))
    return np.median(np.stack(norms) / norms[0], axis=1)


def lag_left(norms: Array) -> float:
    """The first lag at which less than ``LEFT`` of a gradient is left; the farthest that was followed if none is."""
    gone = np.flatnonzero(norms < LEFT)
    return float(gone[0]) if len(gone) else float(len(norms) - 1)


def correlations(states: Array, feature: Array) -> Array:
    """Pearson's r of every column of ``states`` (N, H) with ``feature`` (N,)."""
    x = states - states.mean(axis=0)
    y = feature - feature.mean()
    return (y @ x) / np.maximum(np.sqrt((x * x).sum(axis=0) * (y @ y)), 1e-12)
