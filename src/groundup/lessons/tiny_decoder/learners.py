"""The decoder and its rival in training, on either track."""

from typing import Any

import numpy as np

from groundup.lesson import Batch, Learner
from groundup.lessons.tiny_decoder.model import decoder, init
from groundup.lessons.tiny_decoder.rival import lstm_decoder, lstm_init
from groundup.lessons.tiny_decoder.words import LONGEST, SYMBOLS
from groundup.ops.losses import cross_entropy
from groundup.ops.types import Array, Backward
from groundup.training.both_tracks import Twin, both_tracks
from groundup.training.optim import cosine

SIZE: dict[str, Any] = {"vocabulary": len(SYMBOLS), "width": 64, "heads": 4, "batch": 32, "letters": LONGEST}
TINY: dict[str, Any] = {"vocabulary": 7, "width": 8, "heads": 2, "batch": 2, "letters": 2}
LSTM_SIZE: dict[str, Any] = {**SIZE, "hidden": 83}  # as many parameters as the decoder, to one in a hundred
LSTM_TINY: dict[str, Any] = {**TINY, "width": 3, "hidden": 4}
LSTM_RATE = 1e-2


def learner(
    track: str,
    rng: np.random.Generator,
    dtype: type = np.float32,
    *,
    vocabulary: int,
    width: int,
    heads: int,
    steps: int = 1000,
    rate: float = 8e-3,
    weight_decay: float = 0.3,
    **_: int,
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
        settings={"weight_decay": weight_decay},
        schedule=cosine(rate, steps, warmup=20),
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
