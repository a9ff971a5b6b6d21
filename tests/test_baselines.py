"""The n-gram baseline against a literal count."""

import math
from collections import Counter

import numpy as np
import pytest

from groundup.data.baselines import ngram_bits, ngram_probabilities


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


@pytest.mark.parametrize("order", [1, 2, 3])
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
