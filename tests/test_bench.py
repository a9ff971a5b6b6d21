"""The benchmark's record and table: two sizes of every model, what they are, and how they stand to the bars."""

import json
import math
from typing import Any

import numpy as np
import pytest

from groundup.lesson import Model
from groundup.lessons import all_lessons, find_lesson
from groundup.proof import bench

RECORD: dict[str, Any] = {
    "date": "2026-01-01",
    "machine": {"numpy": "2", "blas": ["openblas"], "torch": "2", "processor": "x"},
    "threads": 1,
    "rows": [
        {"lesson": "a", "model": "m", "at": "lesson", "size": {"width": 8, "batch": 2}, "pairs": 30, "numpy_ms": 1.0,
         "torch_ms": 2.0, "ratio": 0.5, "readable": 0.95, "ratio_low": 0.4, "ratio_high": 0.6, "fast": ["f"],
         "saved": 0.47, "numpy_mib": 3.0, "torch_mib": 1.0},
        {"lesson": "a", "model": "m", "at": "larger", "size": {"width": 32, "batch": 2}, "pairs": 10, "numpy_ms": 9.0,
         "torch_ms": 9.0, "ratio": 1.0, "readable": 1.0, "ratio_low": 0.9, "ratio_high": 1.1, "fast": ["f", "g"],
         "saved": 0.14, "numpy_mib": 1.0, "torch_mib": 0.0},
    ],
    "means": {"lesson": {"ratio": 0.5, "readable": 0.95}, "larger": {"ratio": 1.0, "readable": 1.0}},
}  # fmt: skip


def test_every_model_has_a_larger_size_of_four_times_the_width():
    for lesson in all_lessons():
        for model in lesson.models:
            assert model.larger, f"{lesson.name} {model.name} has no larger size"
            for name, value in model.larger.items():
                assert np.all(np.divide(value, model.size[name]) == 4), (lesson.name, model.name, name)


def test_a_record_has_a_row_for_every_size_and_the_means_of_both():
    lesson = find_lesson("numpy_and_pytorch")
    said: list[str] = []
    record = bench.bench([lesson], 20, 1, False, said.append)
    assert [(row["at"], row["size"]["hidden"], row["pairs"]) for row in record["rows"]] == [
        ("lesson", 64, 20),
        ("larger", 256, 6),
    ]
    for row in record["rows"]:
        assert row["ratio"] == row["readable"] > 0
        assert (row["fast"], row["saved"]) == ([], 0)
        assert record["means"][row["at"]]["ratio"] == pytest.approx(row["ratio"])
    assert len(said) == 2
    json.dumps(record, allow_nan=False)


def test_a_model_with_a_fast_form_is_timed_in_both_forms():
    model = find_lesson("self_attention").models[0]
    row = bench.bench_model(model, model.tiny, 20, 1)
    assert row["fast"] == ["embedding"]
    assert row["readable"] != row["ratio"] > 0
    assert row["saved"] < 1


def test_a_model_without_a_larger_size_is_timed_at_its_own():
    own = Model("m", pytest.fail, pytest.fail, {"width": 1}, {"width": 2})
    assert bench.sizes(own) == {"lesson": {"width": 2}}


def test_the_table_says_sizes_ratios_memory_and_bars_honestly():
    table = bench.bench_table(RECORD)
    first, second = table.splitlines()[2:4]
    assert "width 8, batch 2" in first
    assert "**0.50** (0.40–0.60) | 0.95 | 3.0 | 1.0 | 3.00" in first
    assert "width 32 |" in second
    assert second.endswith("| 1.0 | 0.0 | — |")
    assert "**0.50** as run (at most 0.75, as it should be)" in table
    assert "**0.95** in the readable form (above the bar of 0.9)" in table
    assert "at most 1.5 times PyTorch's in 0 of 1 rows" in table
    assert "`f` saves 47% of a step of a: m (earned: the bar is 15%)" in table
    assert "`g` saves 14% of a step of a: m (not earned: the bar is 15%)" in table
    assert "30 and 10 alternating pairs" in table


def test_a_table_without_memory_has_dashes():
    rows = [{key: value for key, value in row.items() if "mib" not in key} for row in RECORD["rows"]]
    table = bench.bench_table({**RECORD, "rows": rows})
    assert "| — | — | — |" in table
    assert "Peak memory" not in table


def test_means_of_nothing_are_one():
    assert bench.geometric_mean([]) == 1
    assert math.isclose(bench.geometric_mean([0.5, 2.0]), 1)


def test_a_benchmark_of_an_older_form_is_none(tmp_path):
    assert bench.load_bench(tmp_path) is None
    (tmp_path / "bench.json").write_text('{"rows": [], "geometric_mean": 1}')
    assert bench.load_bench(tmp_path) is None
    (tmp_path / "bench.json").write_text(json.dumps(RECORD))
    assert bench.load_bench(tmp_path) == RECORD
