"""Language models that only count, which a network must beat: n-grams, interpolated and Witten–Bell."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from groundup.ops.types import Array


class Ngram(NamedTuple):
    """An n-gram model by name, its order, its bits per token on a text, and how many counts it keeps."""

    kind: str
    order: int
    bits: float
    numbers: int


Counts = Sequence[tuple[Array, Array, Array]]


def ngrams(train: Array, validation: Array, test: Array, vocabulary: int, most: int) -> list[Ngram]:
    """Models of both kinds and all orders up to ``most``, measured on ``test``; first the best on ``validation``."""
    between = np.full(most, vocabulary)  # a token that nothing has followed parts the two texts, counted in one go
    both = ngram_counts(train, np.concatenate([validation, between, test]), most)
    places = slice(len(validation)), slice(len(validation) + most, None)
    counts = [[(seen[at], context[at], different[at]) for seen, context, different in both] for at in places]
    rows = [estimates(part, len(text), vocabulary) for part, text in zip(counts, (validation, test), strict=True)]
    numbers = stored_numbers(train, most)
    found = []
    for order in range(1, most + 1):
        weights = mixture_weights(rows[0][: order + 1])
        mixed = [weights @ part[: order + 1] for part in rows]
        backed_off = [
            witten_bell(part[:order], len(text), vocabulary)
            for part, text in zip(counts, (validation, test), strict=True)
        ]
        for kind, (chosen_by, measured) in {"interpolated": mixed, "Witten-Bell": backed_off}.items():
            model = Ngram(kind, order, mean_bits(measured), numbers[order - 1])
            found.append((mean_bits(chosen_by), model))
    return [model for _, model in sorted(found)]


def ngram_bits(train: Array, validation: Array, test: Array, vocabulary: int, order: int) -> float:
    """Bits per token of ``test`` under an interpolated n-gram model (Jelinek & Mercer 1980).

    p(c | context) is a mixture of the maximum-likelihood estimates of all orders up to ``order`` and the uniform
    1/V; the mixture weights are fitted on ``validation``. All three are 1-D integers.
    """
    weights = mixture_weights(ngram_probabilities(train, validation, vocabulary, order))
    return mean_bits(weights @ ngram_probabilities(train, test, vocabulary, order))


def mixture_weights(rows: Array) -> Array:
    """The weights of a mixture of the models in ``rows`` (M, N) that fit the N tokens best, by 50 steps of EM."""
    weights = np.full(len(rows), 1 / len(rows))
    for _ in range(50):
        shares = weights[:, None] * rows
        shares /= shares.sum(axis=0)
        weights = shares.mean(axis=1)
    return weights


def mean_bits(probabilities: Array) -> float:
    """Mean bits per token, from the probability that each token had."""
    return float(-np.log2(probabilities).mean())


def witten_bell_bits(train: Array, test: Array, vocabulary: int, order: int) -> float:
    """Bits per token of ``test`` under an n-gram model that backs off as Witten & Bell (1991) do."""
    return mean_bits(witten_bell(ngram_counts(train, test, order), len(test), vocabulary))


def witten_bell(counts: Counts, length: int, vocabulary: int) -> Array:
    """The probability of each of ``length`` tokens, with no weights to be fitted.

    p_n(c | context) = (count(context c) + T p_{n-1}(c | shorter context)) / (count(context) + T), where T is how
    many different tokens followed the context in training: the more there were, the likelier is a new one.
    """
    p = np.full(length, 1 / vocabulary)
    for seen, context, followers in counts:
        p = np.where(context > 0, (seen + followers * p) / np.maximum(context + followers, 1), p)
    return p


def ngram_probabilities(train: Array, text: Array, vocabulary: int, order: int) -> Array:
    """(order + 1, N): the uniform probability, then that of every order 1 … ``order``, for each token of ``text``.

    A context that training never showed gets 0 there: the mixture's lower orders speak for it.
    """
    return estimates(ngram_counts(train, text, order), len(text), vocabulary)


def estimates(counts: Counts, length: int, vocabulary: int) -> Array:
    """The maximum-likelihood estimates behind ``ngram_probabilities``."""
    rows = [np.full(length, 1 / vocabulary)]
    for seen, context, _ in counts:
        rows.append(np.divide(seen, context, out=np.zeros(length), where=context > 0))
    return np.stack(rows)


def ngram_counts(train: Array, text: Array, order: int) -> Counts:
    """For each order 1 … ``order`` and each token of ``text``, three numbers from ``train``, each (N,) floats.

    How often the token followed its context (the ``order`` − 1 tokens before it), how often anything did, and how
    many different tokens did; 0 where the text has no room for the context.
    """
    found: list[tuple[Array, Array, Array]] = []
    contexts = np.zeros(len(train), np.int64), np.zeros(len(text), np.int64)  # of length 0: all the same
    for length in range(1, order + 1):
        known, asked = train[length - 1 :], text[length - 1 :]
        before, before_asked = contexts[0][: len(known)], contexts[1][: len(asked)]
        grams, grams_asked = renumbered((before, known), (before_asked, asked))
        size = 1 + max((int(part.max()) for part in (grams, grams_asked, before, before_asked) if len(part)), default=0)
        counts = np.bincount(grams, minlength=size)[grams_asked]
        after = np.bincount(before, minlength=size)[before_asked]
        first = np.zeros(size, np.int64)
        first[grams[::-1]] = np.arange(len(grams))[::-1]  # where each gram stands first
        new = first[grams] == np.arange(len(grams))
        followers = np.bincount(before[new], minlength=size)[before_asked]
        room = np.zeros(len(text) - len(asked))
        seen, context, different = (
            np.concatenate([room, part.astype(np.float64)]) for part in (counts, after, followers)
        )
        found.append((seen, context, different))
        contexts = (grams, grams_asked)
    return found


def renumbered(*pairs: tuple[Array, Array]) -> list[Array]:
    """Pairs of numbers as single numbers 0, 1, …: equal pairs, in whichever part, get the same."""
    lengths = np.cumsum([len(first) for first, _ in pairs])
    first, second = (np.concatenate(column) for column in zip(*pairs, strict=True))
    _, numbers = np.unique(first * (int(second.max(initial=0)) + 1) + second, return_inverse=True)
    return np.split(numbers, lengths[:-1])


def stored_numbers(train: Array, most: int) -> list[int]:
    """How many counts n-gram models of order 1 … ``most`` keep: the different runs of that many tokens or fewer."""
    totals, runs = [0], np.zeros(len(train), np.int64)
    for length in range(1, most + 1):
        (runs,) = renumbered((runs[: len(train) - length + 1], train[length - 1 :]))
        totals.append(totals[-1] + int(runs.max(initial=-1)) + 1)
    return totals[1:]
