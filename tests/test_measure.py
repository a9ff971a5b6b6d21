"""Intervals, the paired test and the verdict, against numbers worked by hand and tables."""

import math

import numpy as np
import pytest

from groundup.proof.measure import Verdict, interval, mcnemar, student_t, verdict


@pytest.mark.parametrize(  # NIST/SEMATECH e-Handbook, 1.3.6.7.2
    ("freedom", "confidence", "t"),
    [
        (1, 0.95, 12.706), (2, 0.95, 4.303), (3, 0.95, 3.182), (4, 0.95, 2.776), (5, 0.95, 2.571), (9, 0.95, 2.262),
        (30, 0.95, 2.042), (100, 0.95, 1.984), (1, 0.9, 6.314), (4, 0.9, 2.132), (4, 0.99, 4.604), (7, 0.998, 4.785),
    ],
)  # fmt: skip
def test_quantiles_of_student_t(freedom, confidence, t):
    assert student_t(freedom, confidence) == pytest.approx(t, abs=6e-4)


def test_closed_forms_of_student_t():
    assert student_t(1, 0.95) == pytest.approx(math.tan(math.pi * 0.475), rel=1e-10)  # Cauchy
    assert student_t(2, 0.95) == pytest.approx(0.95 * math.sqrt(2 / (1 - 0.95**2)), rel=1e-10)
    with pytest.raises(ValueError, match="freedom"):
        student_t(0, 0.95)


def test_interval_by_hand():
    # Mean 3, s² = 10/4, s/√5 = √0.5, t(4) = 2.776445.
    half = 2.776445 * math.sqrt(0.5)
    assert interval([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx((3 - half, 3 + half), abs=1e-6)
    assert interval([2.0, 2.0]) == (2.0, 2.0)
    assert interval([1.0]) is None


def test_interval_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(size=(4000, 5))
    found = [interval(row) for row in draws.tolist()]
    covered = sum(one is not None and one[0] <= 0 <= one[1] for one in found)
    assert abs(covered - 3800) < 4 * math.sqrt(4000 * 0.95 * 0.05)


def pair(only_first, only_second, both=3, neither=2):
    first = [True] * only_first + [False] * only_second + [True] * both + [False] * neither
    second = [False] * only_first + [True] * only_second + [True] * both + [False] * neither
    return np.array(first), np.array(second)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [(0, 5, 2 / 32), (5, 0, 2 / 32), (1, 6, 2 * 8 / 128), (12, 2, 2 * 106 / 2**14), (4, 4, 1.0), (0, 0, 1.0)],
)
def test_mcnemar_by_hand(one, other, p):
    found = mcnemar(*pair(one, other))
    assert (found.only_first, found.only_second) == (one, other)
    assert found.p == pytest.approx(p, rel=1e-12)


def test_mcnemar_takes_many_examples_and_only_right_and_wrong():
    assert 0 < mcnemar(*pair(900, 1100)).p < 1e-5
    assert 0.9 < mcnemar(*pair(20_000, 20_010)).p <= 1
    with pytest.raises(ValueError, match="True and False"):
        mcnemar(np.array([1, 0]), [True, False])
    with pytest.raises(ValueError, match="one length"):
        mcnemar([True], [True, False])


def test_mcnemar_rarely_sees_what_is_not_there():
    rng = np.random.default_rng(1)
    alarms = sum(mcnemar(*(rng.random((2, 200)) < 0.8)).p < 0.05 for _ in range(2000))
    assert 0 < alarms < 100  # the exact test errs on the side of "cannot tell"


def test_holds_where_every_seed_does():
    found = verdict(">=", [0.95, 0.97, 0.99], 0.9, [0.8, 0.96, 0.7])
    assert (found.word, found.seeds_for, found.seeds) == ("holds", 3, 3)
    assert found.interval == pytest.approx((0.92032, 1.01968), abs=1e-4)  # t(2) = 4.302653, s = 0.02
    assert verdict("<", [1.0], 2.0) == Verdict("holds", 1, 1, None, None)


def test_holds_where_the_intervals_clear_bar_and_rival():
    # One seed of five loses to its rival; the mean difference 1.16 ± 1.0 does not cover 0.
    values, rivals = [5.0, 5.0, 5.0, 5.0, 5.0], [3.0, 3.2, 3.5, 4.4, 5.1]
    found = verdict(">", values, None, rivals)
    assert (found.word, found.seeds_for) == ("holds", 4)
    assert found.difference is not None
    assert found.difference[0] > 0
    assert verdict(">", values, 5.5, rivals).word == "not seen"


def test_mostly_where_only_the_median_does():
    found = verdict("<", [0.5, 0.6, 0.7, 2.0, 3.0], 1.0)
    assert (found.word, found.seeds_for, found.seeds) == ("mostly", 3, 5)


def test_not_seen():
    assert verdict("<", [0.5, 0.6, 1.7, 2.0, 3.0], 1.0).word == "not seen"
    assert verdict(">", [0.5, 0.6, 0.7], None, [0.5, 0.6, 0.7]).word == "not seen"
    assert verdict(">=", [0.5, 0.6, 0.7], None, [0.5, 0.6, 0.7]).word == "holds"


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_a_run_without_a_number_counts_against_the_finding(missing):
    assert verdict(">", [1.0, missing, 1.0], 0.5).word == "not seen"
    found = verdict(">", [1.0, 1.0, 1.0], 0.5, [0.1, 0.1, missing])
    assert (found.word, found.difference) == ("not seen", None)
    assert found.seeds_for == 2
    assert verdict("<", [1.0, 1.0], None, [2.0, missing]).seeds_for == 1


def test_what_cannot_be_judged():
    for values, bar, rivals in (([], 1.0, None), ([1.0], None, None), ([1.0, 2.0], 1.0, [0.5])):
        with pytest.raises(ValueError, match="verdict"):
            verdict(">", values, bar, rivals)
