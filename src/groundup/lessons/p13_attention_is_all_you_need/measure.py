"""The task of the lesson as arrays, and what is measured on held-out dates."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from groundup.data.dates import END, LONGEST, PAD, DatePair, encode_pairs
from groundup.lesson import Batch
from groundup.lessons.p13_attention_is_all_you_need.decoding import attention_maps
from groundup.ops.types import Array, Tree


class Encoded(NamedTuple):
    """Dates as indices: source (N, LONGEST), target (N, 12), and how long each source is."""

    source: Array
    target: Array
    lengths: Array


def encoded(pairs: list[DatePair]) -> Encoded:
    """Pairs as indices."""
    source, target = encode_pairs(pairs, LONGEST)
    return Encoded(source, target, (source != PAD).sum(axis=1))


def like_length_batch(rng: np.random.Generator, data: Encoded, size: int, batches: int = 8) -> Batch:
    """Examples of about the same length (section 5.1), so that little is padding.

    Enough for ``batches`` batches are drawn and sorted by length; one of these batches, at random, is taken.
    """
    drawn = rng.integers(len(data.lengths), size=batches * size)
    drawn = drawn[np.argsort(data.lengths[drawn], kind="stable")]
    start = int(rng.integers(batches)) * size
    chosen = drawn[start : start + size]
    source = data.source[chosen, : data.lengths[chosen].max()]
    target = data.target[chosen]
    return {"source": source, "given": target[:, :-1], "wanted": target[:, 1:]}


def exact(data: Encoded, write: Callable[[Array], Array], chunk: int = 250) -> Array:
    """For each date whether ``write(source)`` is right to the last character; read in chunks of like length."""
    right = np.zeros(len(data.lengths), bool)
    order = np.argsort(data.lengths, kind="stable")
    for start in range(0, len(order), chunk):
        rows = order[start : start + chunk]
        written = write(data.source[rows, : data.lengths[rows].max()])
        wanted = data.target[rows, 1 : 1 + written.shape[1]]
        right[rows] = (written == wanted).all(axis=1) & (wanted == END).any(axis=1)
    return right


def one(data: Encoded, row: int) -> tuple[Array, Array]:
    """Source (1, S) and what the decoder is given (1, 11) of one example, without padding."""
    return data.source[[row], : data.lengths[row]], data.target[[row], :-1]


def year_head(params: Tree, choose: Encoded, measure: Encoded, heads: int, rows: int = 500) -> tuple[int, float]:
    """The cross-attention head that looks most at the year while writing it, and the share it gives the four digits.

    The head is chosen on one part of the data and measured on another, so that choosing wins nothing.
    """

    def shares(data: Encoded) -> Array:
        source, target = data.source[:rows], data.target[:rows]
        weights = attention_maps(params, source, target[:, :-1], heads)["cross"][-1][:, :, :4]  # (B, heads, 4, S)
        windows = np.lib.stride_tricks.sliding_window_view(source, 4, axis=1)  # (B, S − 3, 4)
        matches = (windows == target[:, None, 1:5]).all(axis=-1)
        one_place = matches.sum(axis=1) == 1
        columns = matches.argmax(axis=1)[:, None] + np.arange(4)  # (B, 4)
        on_year = np.take_along_axis(weights, columns[:, None, None, :], axis=-1).sum(axis=-1)  # (B, heads, 4)
        return on_year[one_place].mean(axis=(0, 2))

    head = int(np.argmax(shares(choose)))
    return head, float(shares(measure)[head])
