"""Predicting the next bit with all programs (Solomonoff 1964), and a rival that only counts."""

import math
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from groundup.lessons.p25_kolmogorov_complexity.model import Census

Share = Callable[[str], float]
ORDERS = range(4)  # of the contexts that the rival counts


def predictor(found: Census, longest: int) -> Share:
    """M(x) for strings of up to ``longest`` bits: how often coin flips make the machine print x first of all.

    A beginning that wants more bits than were tried goes on as coin flips would: each next bit is 0 or 1, evenly.
    """
    # What a program printed counts for every one of its beginnings, with the weight $2^{-|p|}$ of the program.
    begins = defaultdict[str, float](float)
    for printed, weight in found.printed.items():
        for n in range(min(len(printed), longest) + 1):
            begins[printed[:n]] += weight  # (6)

    # An unread program is a coin: each further bit halves its weight.
    def share(x: str) -> float:
        coins = sum(found.begun.get(x[:n], 0.0) * 2.0 ** (n - len(x)) for n in range(len(x)))
        return begins.get(x, 0.0) + coins  # (6)

    return share


def chance_of_one(share: Share, x: str) -> float:
    """The probability that a 1 comes after x."""
    zero, one = share(x + "0"), share(x + "1")
    return one / (zero + one)  # (7)


def bits_lost(share: Share, x: str) -> float:
    """The sum of -log2 of the probability that each bit of x was given, from what came before it."""
    lost = 0.0
    for n, bit in enumerate(x):
        one = chance_of_one(share, x[:n])
        lost -= math.log2(one if bit == "1" else 1 - one)
    return lost


def bits_lost_by_counting(x: str, order: int) -> float:
    """The same for a rule that counts which bit followed the last ``order`` bits (Krichevsky & Trofimov 1981).

    A bit that has come n times in such a place has the probability (n + 1/2) / (all + 1).
    """
    seen = defaultdict[str, list[float]](lambda: [0.5, 0.5])
    lost = 0.0
    for n, bit in enumerate(x):
        counts = seen[x[max(0, n - order) : n]]
        lost -= math.log2(counts[int(bit)] / sum(counts))
        counts[int(bit)] += 1
    return lost


def strings_by_coins(found: Census, length: int, number: int, rng: np.random.Generator) -> list[str]:
    """The first ``length`` bits printed by programs that coin flips make, of those that print so many."""
    weights = defaultdict[str, float](float)
    for printed, weight in found.printed.items():
        if len(printed) >= length:
            weights[printed[:length]] += weight
    chances = np.array(list(weights.values()))
    return [str(x) for x in rng.choice(list(weights), size=number, p=chances / chances.sum())]
