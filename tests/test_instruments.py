"""The instruments of the lessons measure what is known."""

import re
import time
from pathlib import Path

import numpy as np
import pytest

import groundup
from groundup.proof.instruments import growth, leaks, peak_mib, seconds, side_by_side

SRC = Path(groundup.__file__).parent


def test_exponent_of_a_power():
    lengths = [16, 32, 64, 128]
    assert growth(lengths, [3 * n**1.7 for n in lengths]) == pytest.approx(1.7)


def test_peak_memory_counts_what_is_held_at_a_time_and_no_more():
    kept = np.ones(2**17)  # 1 MiB that was there before
    assert peak_mib(lambda: [np.ones(2**17), np.ones(2**18)]) == pytest.approx(3, abs=0.1)
    assert peak_mib(lambda: [np.ones(2**17).sum() for _ in range(3)]) == pytest.approx(1, abs=0.1)
    assert kept.nbytes == 2**20


def test_memory_is_no_longer_traced_after_a_failure():
    with pytest.raises(ZeroDivisionError):
        peak_mib(lambda: 1 / 0)
    assert peak_mib(lambda: np.ones(2**17)) == pytest.approx(1, abs=0.1)


def test_calls_are_timed_in_turn():
    said: list[str] = []

    def slow():
        said.append("b")
        time.sleep(0.01)

    taken = side_by_side([lambda: said.append("a"), slow], 3)
    assert said == ["a", "b"] * 3
    assert taken.shape == (2, 3)
    assert np.all(taken[1] >= 0.01)
    assert seconds(lambda: time.sleep(0.01), 2) >= 0.01


def test_a_leak_is_found_where_it_is():
    tokens = np.random.default_rng(0).integers(5, size=(2, 6))
    ones = np.eye(5)

    def looking(mask):  # the sum of the tokens that a place may see
        return lambda tokens: np.einsum("ts,bsv->btv", mask, ones[tokens])

    assert not leaks(looking(np.tri(6)), tokens).any()
    one_hole = np.tri(6)
    one_hole[2, 4] = 1
    assert leaks(looking(one_hole), tokens).tolist() == [0, 0, 0, 1, 0]


def test_lessons_measure_with_the_instruments():
    """An exercise is graded where groundup is not at hand, and measures by itself."""
    clocks = re.compile(r"perf_counter|timeit|tracemalloc|time\.time\(|process_time|monotonic")
    files = [path for path in (SRC / "lessons").rglob("*.py") if path.parent.name != "exercises"]
    assert len(files) > 50
    assert not [path for path in files if clocks.search(path.read_text(encoding="utf-8"))]
