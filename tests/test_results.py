"""Measured findings: judged rightly, stale as soon as the code changes, and kept with what figures need."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from groundup.data import measured as measured_module
from groundup.data.measured import measured
from groundup.errors import UserError
from groundup.lesson import Finding, Measured, Result
from groundup.lessons import all_lessons, find_lesson
from groundup.ops.fast import FAST
from groundup.proof import hashes, results, tables
from groundup.proof.bench import EARNED, load_bench, sizes
from groundup.training.thin import thinned

FOLDER = Path(__file__).parents[1] / "results"
LESSONS = all_lessons()


def finding(sense=">=", bar=None, rival="", **more):
    return Finding("x", "Is x large?", "x is large", sense, bar=bar, rival=rival, **more)


def test_a_run_is_on_its_side_beyond_bar_and_rival():
    found = finding(bar=0.9, rival="chance")
    assert found.on_its_side(Measured(0.95, 0.5))
    assert not found.on_its_side(Measured(0.85, 0.5))
    assert not found.on_its_side(Measured(0.95, 0.99))
    assert not found.on_its_side(Measured(math.nan, 0.5))
    with pytest.raises(ValueError, match="missing"):
        found.on_its_side(Measured(0.95))
    with pytest.raises(ValueError, match="missing"):
        finding().on_its_side(Measured(1.0))
    with pytest.raises(ValueError, match="not named"):
        finding(bar=0.5).on_its_side(Measured(1.0, 0.2))


@pytest.mark.parametrize(
    ("sense", "value", "seen"), [("<", 1.0, False), ("<=", 1.0, True), (">", 1.0, False), (">=", 1.0, True)]
)
def test_the_bar_itself(sense, value, seen):
    assert finding(sense, bar=1.0).on_its_side(Measured(value)) is seen


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_kept_findings_are_of_this_code(lesson):
    record = results.read(lesson, FOLDER)
    assert record is not None, f"measure them: groundup claims {lesson.slug} --write"
    assert record["hash"] == hashes.experiment_hash(lesson), f"stale: groundup claims {lesson.slug} --write"
    assert record["seeds"] >= 5
    assert results.result_file(lesson, FOLDER).stat().st_size < 120_000
    assert [one["name"] for one in record["findings"]] == [one.name for one in lesson.findings]
    for kept, now in zip(record["findings"], lesson.findings, strict=True):
        assert len(kept["values"]) == record["seeds"]
        assert (kept["bar"], kept["sense"], kept["rival_is"]) == (now.bar, now.sense, now.rival)
        assert (kept["question"], kept["statement"], kept["paper"]) == (now.question, now.statement, now.paper)
        assert kept["verdict"] != "not seen" or now.miss, f"{now.name} is not seen, and the lesson does not say why"
        assert not (kept["verdict"] == "holds" and now.miss), f"{now.name} holds: its reason is out of date"


def test_kept_benchmark_is_of_this_code():
    record = load_bench(FOLDER)
    assert record is not None
    kept = {(row["lesson"], row["model"], row["at"]): row["hash"] for row in record["rows"]}
    now = {
        (lesson.slug, model.name, at): hashes.model_hash(model, size)
        for lesson in LESSONS
        for model in lesson.models
        for at, size in sizes(model).items()
    }
    assert kept == now, "stale: groundup bench --write"


def test_every_fast_form_has_earned_its_place():
    record = load_bench(FOLDER)
    assert record is not None
    for form in FAST.values():
        saved = [row["saved"] for row in record["rows"] if form.__name__ in row.get("fast", ())]
        assert max(saved, default=0) >= EARNED, f"{form.__name__}: groundup bench --write"


def test_overview_is_made_from_the_records():
    assert (FOLDER / "README.md").read_text() == tables.overview(LESSONS, FOLDER)


def runs(values, rivals=None, pairs=None, **metrics):
    """What ``groundup run --json`` gives for one finding, one run a value."""
    rivals = rivals or [None] * len(values)
    one = [{"value": value, "rival": rival, "pairs": pairs} for value, rival in zip(values, rivals, strict=True)]
    return [{"findings": [found], "processor_seconds": 2.0, "metrics": metrics} for found in one]


def judged(found, *seeds, **metrics):
    lesson = replace(find_lesson("char_rnn"), findings=(found,))
    record = results.summarise(lesson, runs(*seeds, **metrics), "numpy")
    return record["findings"][0], tables.findings_table(record)


def test_summary_judges_values_beside_their_rivals():
    record, table = judged(
        finding("<", rival="a straw man", unit="|r|", paper="Table 1: 7"), [0.1, 0.2, 0.3], [0.5] * 3
    )
    assert (record["median"], record["rival_median"]) == (0.2, 0.5)
    assert (record["verdict"], record["seeds_for"]) == ("holds", 3)
    assert record["difference"] == pytest.approx((-0.54841, -0.05159), abs=1e-4)  # −0.3 ± 4.302653 · 0.1/√3
    assert (
        "| *Is x large?* x is large | 0.2 \\|r\\| (0.1 … 0.3) | 0.5: a straw man; difference -0.5484 … -0.05159 |"
        in table
    )
    assert "| holds, 3/3 seeds | Table 1: 7 |" in table
    assert "`groundup claims char_rnn --seeds 3`" in table


def test_what_every_seed_notes_is_kept_one_value_a_seed():
    noted = [{"metrics": {"every seed": {"a": seed, "b": 2 * seed}}} for seed in range(3)]
    assert results.every_seed(noted) == {"a": [0, 1, 2], "b": [0, 2, 4]}
    assert results.every_seed([{"metrics": {}}]) == {}


def test_summary_counts_missing_numbers_against_the_finding():
    record, table = judged(finding("<", bar=1.0, miss="Too small."), [0.1, None, 0.9])
    assert (record["median"], record["verdict"], record["seeds_for"]) == (None, "not seen", 2)
    assert "no number" not in table
    assert "**not seen**, 2/3 seeds. *Too small.*" in table


def test_a_reason_has_the_runs_own_numbers_and_is_told_only_where_it_is_needed():
    found = finding(bar=1.0, miss="Only {share of it} of it are there.")
    record, _ = judged(found, [0.5, 0.6], **{"share of it": 0.25})
    assert record["miss"] == "Only 0.25 of it are there."
    assert judged(found, [2.0, 3.0], **{"share of it": 0.25})[0]["miss"] == ""
    with pytest.raises(KeyError):
        judged(found, [0.5, 0.6])


def test_what_a_paired_test_cannot_tell_does_not_hold():
    close = {"only_value": 3, "only_rival": 1, "of": 359}
    record, table = judged(finding(">", rival="the nearest digit"), [0.99, 0.99], [0.98, 0.98], close)
    assert record["pairs"][0]["p"] == pytest.approx(10 / 16)
    assert record["verdict"] == "mostly"
    assert "**mostly**, 2/2 seeds; paired test cannot tell, p = 0.62" in table
    clear = {"only_value": 30, "only_rival": 1, "of": 359}
    record, table = judged(finding(">", rival="the nearest digit"), [0.99, 0.99], [0.91, 0.91], clear)
    assert record["verdict"] == "holds"
    assert "the same with every seed" in table


def test_results_of_an_older_form_are_measured_again(tmp_path, monkeypatch):
    lesson = find_lesson("25")
    monkeypatch.setattr(measured_module, "results_folder", lambda: tmp_path)
    results.result_file(lesson, tmp_path).write_text('{"hash": "0", "claims": []}')
    assert results.kept(lesson) is None
    assert results.is_stale(lesson, tmp_path)
    assert tables.findings_text(lesson) is None
    assert lesson.slug not in tables.overview([lesson], tmp_path)


def test_what_is_stale_is_said_before_it_is_measured(tmp_path):
    lesson, other = find_lesson("25"), find_lesson("00")
    results.keep(lesson, tmp_path, "numpy", {"findings": [], "hash": "0", "seconds": 12.4}, {})
    assert results.to_measure([lesson, other], 5, tmp_path) == (
        f"To be measured: {lesson.name} (62 s), {other.name} (for the first time)."
    )
    assert results.to_measure([], 5, tmp_path) == "Nothing is stale."


def test_what_seed_0_found_comes_back_for_figures(tmp_path, monkeypatch):
    lesson = replace(find_lesson("25"), findings=(finding(bar=1.0),))
    monkeypatch.setattr(measured_module, "results_folder", lambda: tmp_path)
    steps = [float(step) for step in range(1000)]
    found = Result(
        metrics={"share": np.float32(0.123456789), "text": "x", "none": math.nan},
        curves={"main": {"step": steps, "loss": [1 / (1 + step) for step in steps]}},
        arrays={
            "small": np.arange(6).reshape(2, 3),
            "holes": np.array([1.0, math.nan]),
            "by size": {16: 1.0, 32: np.ones(2)},
            "huge": np.zeros(100_000),
            "object": object(),
        },
    )
    results.keep(lesson, tmp_path, "numpy", results.summarise(lesson, runs([2.0]), "numpy"), thinned(found))
    assert "drawn" not in (results.kept(lesson) or {"drawn": 0})
    folder = lesson.folder.name
    back = measured(folder, "metrics/*", "curves/*", "arrays/*")
    assert {name: back.pop(f"metrics/{name}") for name in ("share", "text")} == {"share": 0.12346, "text": "x"}
    curve = back.pop("curves/main")
    assert (curve["step"][0], curve["step"][-1], len(curve["loss"])) == (0, 999, 60)
    assert back == {
        "arrays/small": [[0, 1, 2], [3, 4, 5]],
        "arrays/holes": [1, None],
        "arrays/by size": {"16": 1.0, "32": [1, 1]},
    }
    with pytest.raises(UserError, match=r"does not keep arrays/huge"):
        measured(folder, "arrays/huge")
    name = lesson.findings[0].name
    assert measured(folder, f"findings/{name}") == {f"findings/{name}": 2.0}  # of seed 0


def test_what_is_kept_for_figures_stays_small():
    found = thinned(Result(arrays={str(name): np.random.default_rng(name).normal(size=1000) for name in range(20)}))
    assert len(json.dumps(found)) <= 80_000
    assert 5 < len(found["arrays"]) < 20


def test_number():
    assert [results.number(x) for x in (None, 3.0, 0.123456, 1234567.0, 1e-9)] == [
        "—",
        "3",
        "0.1235",
        "1.235e+06",
        "1e-09",
    ]
