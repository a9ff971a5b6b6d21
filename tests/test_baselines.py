"""The n-gram baseline against a literal count."""

import math
from collections import Counter

import numpy as np
import pytest

from groundup.data.baselines import ngram_bits, ngram_probabilities, stored_numbers, witten_bell_bits


def literal(train, text, vocabulary, order):
    """The same probabilities with dictionaries, token by token."""
    rows = [[1 / vocabulary] * len(text)]
    for length in range(1, order + 1):
        grams = Counter(tuple(train[i : i + length]) for i in range(len(train) - length + 1))
        contexts = Counter(tuple(train[i : i + length - 1]) for i in range(len(train) - length + 1))
        row = []
        for place in range(len(text)):
            context = tuple(text[place - length + 1 : place])
            count = contexts[context] if place >= length - 1 else 0
            row.append(grams[(*context, text[place])] / count if count else 0.0)
        rows.append(row)
    return np.array(rows)


def literal_witten_bell(train, text, vocabulary, order):
    """The same bits with dictionaries, from the definition."""

    def probability(context, token):
        if context is None:
            return 1 / vocabulary
        shorter = probability(context[1:] if context else None, token)
        after = [
            train[i + len(context)]
            for i in range(len(train) - len(context))
            if tuple(train[i : i + len(context)]) == context
        ]
        if not after:
            return shorter
        different = len(set(after))
        return (after.count(token) + different * shorter) / (len(after) + different)

    bits = [
        -math.log2(probability(tuple(text[max(0, place - order + 1) : place]), text[place]))
        for place in range(len(text))
    ]
    return sum(bits) / len(bits)


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_probabilities_against_a_literal_count(order):
    rng = np.random.default_rng(0)
    train, text = rng.integers(1, 6, 200), rng.integers(0, 7, 50)
    np.testing.assert_allclose(ngram_probabilities(train, text, 7, order), literal(train, text, 7, order))


def test_a_deterministic_text_needs_almost_nothing_and_a_random_one_its_entropy():
    cycle = np.tile(np.arange(5), 400)
    assert ngram_bits(cycle, cycle[:300], cycle[:300], 5, 2) < 0.05
    rng = np.random.default_rng(0)
    train, validation, test = (rng.integers(0, 8, 20_000) for _ in range(3))
    assert ngram_bits(train, validation, test, 8, 3) == pytest.approx(math.log2(8), abs=0.02)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_witten_bell_against_its_definition(order):
    rng = np.random.default_rng(1)
    train, text = rng.integers(1, 4, 150), rng.integers(0, 5, 40)
    assert witten_bell_bits(train, text, 5, order) == pytest.approx(literal_witten_bell(train, text, 5, order))


def test_stored_numbers():
    assert stored_numbers(np.array([0, 1, 0, 1, 1]), 3) == [2, 5, 8]
