"""Measured claims: judged rightly, and stale as soon as the code changes."""

import json
import math
from pathlib import Path

import pytest

from groundup.lesson import Claim, Measured
from groundup.lessons import all_lessons, find_lesson
from groundup.ops.fast import FAST
from groundup.proof import hashes, results
from groundup.proof.bench import EARNED, load_bench, sizes

FOLDER = Path(__file__).parents[1] / "results"
LESSONS = all_lessons()


def test_a_claim_needs_bar_and_baseline():
    claim = Claim("x", "x is large", ">=", bar=0.9, baseline="chance")
    assert claim.met(Measured(0.95, 0.5))
    assert not claim.met(Measured(0.85, 0.5))
    assert not claim.met(Measured(0.95, 0.99))
    assert not claim.met(Measured(math.nan, 0.5))
    with pytest.raises(ValueError, match="missing"):
        claim.met(Measured(0.95))
    with pytest.raises(ValueError, match="missing"):
        Claim("x", "x", ">").met(Measured(1.0))
    with pytest.raises(ValueError, match="not named"):
        Claim("x", "x", ">", bar=0.5).met(Measured(1.0, 0.2))


@pytest.mark.parametrize(
    ("sense", "value", "met"), [("<", 1.0, False), ("<=", 1.0, True), (">", 1.0, False), (">=", 1.0, True)]
)
def test_the_bar_itself(sense, value, met):
    assert Claim("x", "x", sense, bar=1.0).met(Measured(value)) is met


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_kept_claims_are_of_this_code(lesson):
    path = results.result_file(lesson, FOLDER)
    assert path.exists(), f"measure them: groundup claims {lesson.slug} --write"
    record = json.loads(path.read_text())
    assert record["hash"] == hashes.experiment_hash(lesson), f"stale: groundup claims {lesson.slug} --write"
    assert record["seeds"] >= 5
    assert [claim["name"] for claim in record["claims"]] == [claim.name for claim in lesson.claims]
    for kept, claim in zip(record["claims"], lesson.claims, strict=True):
        assert len(kept["values"]) == record["seeds"]
        assert (kept["bar"], kept["sense"]) == (claim.bar, claim.sense)
        assert kept["met"] or claim.miss, f"{claim.name} missed its bar, and the lesson does not say why"
        assert not (kept["met"] and claim.miss), f"{claim.name} is met: its excuse is out of date"


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
    assert (FOLDER / "README.md").read_text() == results.overview(LESSONS, FOLDER)


def test_summary_takes_medians_and_counts_missing_numbers_against_the_claim():
    lesson = find_lesson("char_rnn")

    def run(value):
        names = [claim.name for claim in lesson.claims]
        claims = [{"name": name, "measured": value, "baseline": 0.5, "met": value is not None} for name in names]
        return {"claims": claims, "seconds": 2.0}

    record = results.summarise(lesson, [run(0.1), run(0.2), run(0.9)], "numpy")
    assert record["claims"][0]["median"] == 0.2
    assert record["claims"][0]["met"]  # bits: smaller is better
    assert not record["claims"][1]["met"]  # tracking: larger is better
    record = results.summarise(lesson, [run(0.1), run(None), run(0.9)], "numpy")
    assert record["claims"][0]["median"] is None
    assert not record["claims"][0]["met"]
    table = results.claims_table(record)
    assert "no number" not in table
    assert "\\|r\\|" in table  # a unit's bars are not the table's


def test_number():
    assert [results.number(x) for x in (None, 3.0, 0.123456, 1234567.0, 1e-9)] == [
        "—",
        "3",
        "0.1235",
        "1.235e+06",
        "1e-09",
    ]
