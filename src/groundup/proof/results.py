"""Claims measured over seeds, kept in results/ with the hash of the code that made them."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

from groundup.data.measured import results_folder
from groundup.errors import UserError
from groundup.files import write_whole
from groundup.lesson import Lesson, Track, reaches
from groundup.proof.bench import bench_table, load_bench
from groundup.proof.hashes import experiment_hash
from groundup.proof.machine import machine


def measure(lesson: Lesson, seeds: int, track: Track, jobs: int, report: Callable[[str], None]) -> list[dict[str, Any]]:
    """Run a lesson's default budget with seeds 0 … seeds−1, each in a process of its own; their metrics.

    ``jobs`` of them run at a time.
    """

    def one(seed: int) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="groundup-") as folder:
            command = [
                sys.executable,
                "-m",
                "groundup",
                "run",
                lesson.slug,
                "--seed",
                str(seed),
                "--track",
                track,
            ]
            done = subprocess.run([*command, "--out", folder, "--json"], capture_output=True, text=True)
        if done.returncode not in (0, 1) or not done.stdout:
            raise UserError(f"{lesson.name} with seed {seed} failed: {done.stderr.strip()[-2000:]}")
        metrics = json.loads(done.stdout)
        met = sum(bool(claim["met"]) for claim in metrics["claims"])
        report(f"{lesson.name}, seed {seed}: {met} of {len(lesson.claims)} claims met in {metrics['seconds']} s")
        return metrics

    pool = ThreadPoolExecutor(jobs)
    try:
        return list(pool.map(one, range(seeds)))
    finally:
        pool.shutdown(cancel_futures=True)


def summarise(lesson: Lesson, runs: Sequence[dict[str, Any]], track: Track) -> dict[str, Any]:
    """The record that results/ keeps of a lesson: every seed's numbers, their median and spread, met or not."""
    claims = []
    for index, claim in enumerate(lesson.claims):
        values = [run["claims"][index]["measured"] for run in runs]
        baselines = [run["claims"][index]["baseline"] for run in runs]
        claims.append(
            {
                "name": claim.name,
                "statement": claim.statement,
                "unit": claim.unit,
                "sense": claim.sense,
                "bar": claim.bar,
                "baseline_is": claim.baseline,
                "values": values,
                "baselines": baselines,
                "median": median(values),
                "baseline_median": median(baselines),
                "met": reaches(claim.sense, median(values), claim.bar, median(baselines)),
                "seeds_met": sum(bool(run["claims"][index]["met"]) for run in runs),
                "miss": claim.miss,
            }
        )
    return {
        "lesson": lesson.slug,
        "track": track,
        "hash": experiment_hash(lesson),
        "date": date.today().isoformat(),
        "machine": machine(),
        "seeds": len(runs),
        "seconds": round(statistics.median(run["seconds"] for run in runs), 1),
        "claims": claims,
    }


def median(values: Iterable[float | None]) -> float | None:
    """The median, or None if any value is missing (a run that gave no number counts against the claim)."""
    numbers = list(values)
    known = [value for value in numbers if value is not None]
    return statistics.median(known) if known and len(known) == len(numbers) else None


def result_file(lesson: Lesson, folder: Path, track: Track = "numpy") -> Path:
    """Where a lesson's measured claims are kept."""
    return folder / f"{lesson.folder.name}{'' if track == 'numpy' else '_' + track}.json"


def kept(lesson: Lesson) -> dict[str, Any] | None:
    """A lesson's kept claims, or None if there are none. A wheel carries a copy of results/ as groundup/measured."""
    path = result_file(lesson, results_folder() or Path(__file__).parents[1] / "measured")
    return json.loads(path.read_text()) if path.exists() else None


def claims_text(lesson: Lesson) -> str | None:
    """The section of a notebook that shows a lesson's kept claims, or None if there are none."""
    record = kept(lesson)
    return f"## Measured\n\n{claims_table(record)}" if record else None


def claims_table(record: dict[str, Any]) -> str:
    """A lesson's measured claims as a Markdown table with medians and spread over seeds."""
    rows = ["| claim | measured | bar | baseline | met |", "|---|---|---|---|---|"]
    for claim in record["claims"]:
        bar = "" if claim["bar"] is None else f"{claim['sense']} {number(claim['bar'])}"
        baseline = "" if not claim["baseline_is"] else f"{number(claim['baseline_median'])} ({claim['baseline_is']})"
        met = "yes" if claim["met"] else "**no**"
        statement = claim["statement"] + (f" *Why not: {claim['miss']}*" if claim["miss"] and not claim["met"] else "")
        measured = f"{number(claim['median'])} {claim['unit']}".strip() + f" ({spread(claim['values'])})"
        cells = [statement, measured, bar, baseline, f"{met}, {claim['seeds_met']}/{record['seeds']} seeds"]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    about = record["machine"]
    rows += [
        "",
        f"Median of {record['seeds']} seeds (in brackets the smallest and largest), {record['track']} track,"
        f" {record['seconds']} s a run with one thread ({about['processor']}, {about['cores']} cores),"
        f" {record['date']}.",
    ]
    return "\n".join(rows)


def spread(values: Sequence[float | None]) -> str:
    """The smallest and the largest value."""
    numbers = [value for value in values if value is not None]
    return f"{number(min(numbers))} … {number(max(numbers))}" if numbers else "no number"


def number(value: float | None) -> str:
    """Four significant digits, whole numbers whole."""
    if value is None:
        return "—"
    if float(value).is_integer() and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


def is_stale(lesson: Lesson, folder: Path, track: Track = "numpy") -> bool:
    """Whether a lesson's kept claims are missing or were made by other code."""
    path = result_file(lesson, folder, track)
    return not path.exists() or json.loads(path.read_text())["hash"] != experiment_hash(lesson)


def overview(lessons: Sequence[Lesson], folder: Path) -> str:
    """results/README.md: every kept table."""
    parts = [
        "# Measured",
        "Made by `groundup claims --write` and `groundup bench --write`; the tests fail when a lesson's code no longer"
        " is the code that made its numbers.",
    ]
    for lesson in lessons:
        for track in lesson.tracks:
            path = result_file(lesson, folder, track)
            if path.exists():
                heading = f"## {lesson.name}" + ("" if track == "numpy" else f" ({track})")
                parts += [heading, claims_table(json.loads(path.read_text()))]
    record = load_bench(folder)
    if record is not None:
        parts += ["## NumPy against PyTorch", bench_table(record)]
    return "\n\n".join(parts) + "\n"


def write_overview(lessons: Sequence[Lesson], folder: Path) -> None:
    """Write results/README.md from the records beside it."""
    write_whole(folder / "README.md", overview(lessons, folder))
