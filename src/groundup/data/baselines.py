"""Simple language models that a network must beat."""

import numpy as np

from groundup.ops.types import Array


def ngram_bits(train: Array, validation: Array, test: Array, vocabulary: int, order: int) -> float:
    """Bits per token of ``test`` under an interpolated n-gram model (Jelinek & Mercer 1980).

    p(c | context) is a mixture of the maximum-likelihood estimates of all orders up to ``order`` and the uniform
    1/V; the mixture weights are fitted on ``validation`` by expectation–maximisation. All three are 1-D integers.
    """
    parts = {"validation": ngram_probabilities(train, validation, vocabulary, order)}
    parts["test"] = ngram_probabilities(train, test, vocabulary, order)
    weights = np.full(order + 1, 1 / (order + 1))
    for _ in range(50):
        shares = weights[:, None] * parts["validation"]
        shares /= shares.sum(axis=0)
        weights = shares.mean(axis=1)
    return float(-np.log2(weights @ parts["test"]).mean())


def ngram_probabilities(train: Array, text: Array, vocabulary: int, order: int) -> Array:
    """(order + 1, N): the uniform probability, then that of every order 1 … ``order``, for each token of ``text``.

    A context that training never showed gets 0 there: the mixture's lower orders speak for it.
    """
    rows = [np.full(len(text), 1 / vocabulary)]
    for length in range(1, order + 1):
        counts = lookup_counts(windows(train, length), windows(text, length))
        if length == 1:
            contexts = np.full(len(text), float(len(train)))
        else:
            contexts = lookup_counts(windows(train, length - 1)[:-1], windows(text, length - 1)[:-1])
            contexts = np.concatenate([np.zeros(length - 1), contexts[-(len(text) - length + 1) :]])
        counts = np.concatenate([np.zeros(len(text) - len(counts)), counts])
        rows.append(np.divide(counts, contexts, out=np.zeros(len(text)), where=contexts > 0))
    return np.stack(rows)


def windows(tokens: Array, length: int) -> Array:
    """Every run of ``length`` tokens as one integer key (base 2^20: a vocabulary has fewer code points)."""
    if length > 3:
        raise ValueError("keys of more than three tokens do not fit 63 bits")
    keys = np.zeros(max(0, len(tokens) - length + 1), dtype=np.int64)
    for offset in range(length):
        keys = (keys << 20) + tokens[offset : offset + len(keys)]
    return keys


def lookup_counts(seen: Array, asked: Array) -> Array:
    """How often each asked key is among the seen ones."""
    keys, counts = np.unique(seen, return_counts=True)
    places = np.searchsorted(keys, asked).clip(max=max(0, len(keys) - 1))
    return np.where(keys[places] == asked, counts[places], 0).astype(np.float64)
