"""What every lesson must have and do, found through its record."""

import json
import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from groundup.data import baselines
from groundup.lessons import all_lessons
from groundup.notebooks import build as notebooks
from groundup.notebooks import run as notebook_runs
from groundup.proof.results import filled, kept
from groundup.reader.executed import executed
from groundup.training.loop import load_model
from groundup.training.run import Run, describe, run_lesson

ROOT = Path(__file__).resolve().parents[1]
LESSONS = all_lessons()
BY_SLUG = {lesson.slug: lesson for lesson in LESSONS}
RUNS = [pytest.param(lesson, track, id=f"{lesson.slug}-{track}") for lesson in LESSONS for track in lesson.tracks]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_record(lesson):
    assert lesson.folder.name == (f"p{lesson.number}_{lesson.slug}" if lesson.number else lesson.slug)
    assert lesson.text.exists()
    assert 1 <= len(lesson.findings) <= 5
    assert len({finding.name for finding in lesson.findings}) == len(lesson.findings)
    assert set(lesson.needs) <= BY_SLUG.keys() - {lesson.slug}
    assert lesson.summary
    assert re.findall(r"^# # (.+)$", lesson.text.read_text(encoding="utf-8"), re.MULTILINE)[0] == lesson.title
    assert 0 < lesson.minutes < 600
    assert bool(lesson.models) == ("torch" in lesson.tracks)
    for finding in lesson.findings:
        assert finding.bar is not None or finding.rival
        assert finding.question.endswith("?")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_text_cells_hold_nothing_but_text(lesson):
    """A mark of a cell with a slip in it (``# % name=...``) makes the cell's code a part of the text above."""
    _, *cells = re.split(r"(?m)^# %%", lesson.text.read_text(encoding="utf-8"))
    for cell in cells:
        first, *lines = cell.rstrip("\n").split("\n")
        if "[markdown]" in first:
            assert [line for line in lines if line.strip() and not re.match(r"#( (?!% )|$)", line)] == [], first


@cache
def counted(function, *packed):
    """What a function of ``data.baselines`` answers; arrays are given as dtype and bytes."""
    return function(*(np.frombuffer(one[1], one[0]) if isinstance(one, tuple) else one for one in packed))


@pytest.fixture
def count_once(monkeypatch):
    """N-grams of the novels, which know no chance, are counted once: that takes half of a smoke run of a lesson."""
    for name in ("ngram_counts", "stored_numbers"):
        function = getattr(baselines, name)
        monkeypatch.setattr(
            baselines,
            name,
            lambda *given, function=function: counted(
                function, *((one.dtype.str, one.tobytes()) if isinstance(one, np.ndarray) else one for one in given)
            ),
        )


@pytest.mark.parametrize(("lesson", "track"), RUNS)
def test_smoke_run(lesson, track, tmp_path, count_once):
    run = Run(lesson, track, seed=0, budget="smoke", folder=tmp_path, quiet=True)
    result = run_lesson(run)
    record = json.loads((tmp_path / "metrics.json").read_text())
    assert record["lesson"] == lesson.slug
    assert all(finding["on_its_side"] is None for finding in record["findings"])
    assert all("{" not in filled(finding.miss, [record]) for finding in lesson.findings)
    assert json.loads((tmp_path / "drawn.json").read_text()).keys() == {"curves", "arrays", "metrics"}
    figures = sorted(path.name for path in (tmp_path / "figures").glob("*.png"))
    assert figures
    assert all((tmp_path / "figures" / name).stat().st_size > 5000 for name in figures)
    assert (tmp_path / "curves.csv").read_text().startswith("model,")
    for name in result.curves:
        path = tmp_path / f"{name}.safetensors"
        if path.exists():
            params, _ = load_model(path, lesson.slug)
            assert params
    if track == "numpy":  # the same seed gives the same numbers
        again = Run(lesson, track, 0, "smoke", quiet=True)
        first = numbers(lesson, record)
        assert first == numbers(lesson, describe(again, run_lesson(again)))
        assert any(value is None or math.isfinite(value) for value in first.values())


def numbers(lesson, record):
    """The measured numbers of a run, but for those that are times."""
    timed = {finding.name for finding in lesson.findings if finding.unit.startswith("times")}
    return {found["name"]: found["value"] for found in record["findings"] if found["name"] not in timed}


@pytest.mark.parametrize(("lesson", "track"), RUNS)
def test_notebook_stands_alone(lesson, track):
    """It runs where groundup is missing; outputs that the site's build keeps, by the hash of all that made them, do."""
    notebook = notebooks.build(lesson.text, track)
    assert notebooks.dumps(notebook) == notebooks.dumps(notebooks.build(lesson.text, track))
    done = executed(lesson, track, notebook, ROOT / "build" / "executed")
    print(f"{lesson.name}, {track}: {sum(done.seconds.values()):.1f} s of a processor")
    assert not notebook_runs.problems(done.notebook)


@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if lesson.models], ids=lambda lesson: lesson.slug)
def test_notebook_trains_the_model_of_the_table(lesson):
    """What it measures with seed 0 is no farther from that seed's kept number than seeds are from one another."""
    notebook = notebooks.build(lesson.text, "numpy")
    found = executed(lesson, "numpy", notebook, ROOT / "build" / "executed").measured
    findings = {finding["name"]: finding["values"] for finding in (kept(lesson) or {"findings": []})["findings"]}
    assert found
    for name, value in found.items():
        values = findings[name]
        assert abs(value - values[0]) <= max(values) - min(values) + 1e-6 * abs(value), (name, value, values)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_torch_notebook_only_with_a_twin(lesson):
    assert (notebooks.build(lesson.text, "torch") is not None) == ("torch" in lesson.tracks)
