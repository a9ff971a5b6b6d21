"""What can be said of measured numbers: intervals over seeds, a paired test of two proportions, the verdict."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from groundup.lesson import Sense, apart, reaches

Word = Literal["holds", "mostly", "not seen"]
CHANCE = 0.05  # a paired test whose p is below this tells two models apart


@dataclass(frozen=True)
class Verdict:
    """What the seeds say of a finding.

    word        "holds": every seed reaches bar and beats the rival, or the intervals clear both, and the paired
                tests, where there are any, tell the two apart; "mostly": only the medians reach both;
                "not seen": not even these, or a seed has no number
    seeds_for   how many seeds reach bar and rival, of ``seeds``
    interval    95 %, of the mean over seeds; None for fewer than two seeds
    difference  95 %, of the mean paired difference value − rival; None without a rival too
    """

    word: Word
    seeds_for: int
    seeds: int
    interval: tuple[float, float] | None
    difference: tuple[float, float] | None


def verdict(
    sense: Sense,
    values: Sequence[float | None],
    bar: float | None,
    rivals: Sequence[float | None] | None = None,
    chances: Sequence[float] = (),
) -> Verdict:
    """Judge the values of a finding, one a seed, against a bar and the rival's values with the same seeds.

    ``chances`` are the p of paired tests of value against rival (``mcnemar``), one a seed: seeds that share a test
    set share its luck, so that agreement of all seeds is not enough where the median p is 0.05 or more.
    None and NaN stand for a run that gave no number: it counts against the finding. Raises ValueError if there
    is nothing to judge by.
    """
    if not values or (rivals is not None and len(rivals) != len(values)) or (bar is None and rivals is None):
        raise ValueError("a verdict needs a value for every seed, and a bar or a rival for every value")
    mine, theirs = numbers(values), None if rivals is None else numbers(rivals)
    marks = [(bar,) if theirs is None else (bar, theirs[seed]) for seed in range(len(mine))]
    reached = sum(reaches(sense, value, *both) for value, both in zip(mine, marks, strict=True))
    if not np.isfinite([*mine, *(theirs or [])]).all():
        return Verdict("not seen", reached, len(values), None, None)
    own, difference, middle = interval(mine), None, None
    if theirs is not None:
        difference, middle = interval([a - b for a, b in zip(mine, theirs, strict=True)]), statistics.median(theirs)
    clear = (bar is None or clears(sense, own, bar)) and (theirs is None or clears(sense, difference, 0.0))
    word: Word = "not seen"
    told_apart = not chances or statistics.median(chances) < CHANCE
    if (reached == len(values) or clear) and told_apart:
        word = "holds"
    elif reaches(sense, statistics.median(mine), bar, middle):
        word = "mostly"
    return Verdict(word, reached, len(values), own, difference)


def numbers(values: Sequence[float | None]) -> list[float]:
    """The values, those that are none or not finite as NaN, which reaches nothing and is reached by nothing."""
    return [value if value is not None and math.isfinite(value) else math.nan for value in values]


def clears(sense: Sense, found: tuple[float, float] | None, mark: float) -> bool:
    """Whether all of an interval lies on the right side of a mark."""
    return found is not None and all(reaches(sense, end, mark) for end in found)


def interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """Student's interval for the mean of independent values, x̄ ± t·s/√n; None for fewer than two.

    Given the differences of pairs (two models, the same seed) it is the paired interval. It assumes that the mean
    is near normal, which five seeds cannot show: a verdict is "holds" without it where every seed agrees.
    """
    n = len(values)
    if n < 2:
        return None
    mean, half = statistics.fmean(values), student_t(n - 1, confidence) * statistics.stdev(values) / math.sqrt(n)
    return mean - half, mean + half


def student_t(freedom: int, confidence: float) -> float:
    """The t for which |T| ≤ t with this probability, T having Student's distribution: by bisection, to 1e-12."""
    if freedom < 1 or not 0 < confidence < 1:
        raise ValueError(f"degrees of freedom at least 1, confidence between 0 and 1, not {freedom}, {confidence}")
    low, high = 0.0, math.pi / 2  # of the angle arctan(t / √freedom)
    while high - low > 1e-15:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if within(freedom, middle) < confidence else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def within(freedom: int, angle: float) -> float:
    """The probability that |T| ≤ √freedom · tan(angle): a finite sum (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    cosine, sine = math.cos(angle), math.sin(angle)
    term, total = (1.0, 1.0) if freedom % 2 == 0 else (cosine, cosine)
    for k in range(2 + freedom % 2, freedom, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    if freedom % 2 == 0:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0))


@dataclass(frozen=True)
class Paired:
    """Two models on the same examples: what only one of them got right, and the probability of a split so uneven."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Sequence[bool] | np.ndarray, second: Sequence[bool] | np.ndarray) -> Paired:
    """McNemar's exact test: right or wrong of two models, example by example, on one test set.

    If neither were better, each example on which they differ would fall to either with probability ½: p is the
    two-sided binomial probability. (McNemar, Psychometrika 12, 1947.)
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape or a.ndim != 1 or a.dtype != bool or b.dtype != bool:
        raise ValueError(f"two rows of True and False of one length, not {a.dtype} {a.shape} and {b.dtype} {b.shape}")
    one, other = apart(a, b)
    return Paired(one, other, split_probability(one, other))


def split_probability(one: int, other: int) -> float:
    """The two-sided binomial probability of a split as uneven as this, if every example fell to either with ½."""
    n = one + other
    ways = tail = 1  # of choosing k of n, and of choosing at most k
    for k in range(min(one, other)):
        ways = ways * (n - k) // (k + 1)
        tail += ways
    return min(1.0, 2 * tail / 2**n)
