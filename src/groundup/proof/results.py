"""Findings measured over seeds, kept in results/ with the hash of the code that made them, and read from there."""

import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

from groundup.data.measured import kept_folder
from groundup.errors import UserError
from groundup.files import write_whole
from groundup.lesson import Finding, Lesson, Track
from groundup.proof.hashes import experiment_hash
from groundup.proof.machine import machine
from groundup.proof.measure import split_probability, verdict

Record = dict[str, Any]


def measure(lesson: Lesson, seeds: int, track: Track, jobs: int, report: Callable[[str], None]) -> list[Record]:
    """Run a lesson's default budget with seeds 0 … seeds−1, each in a process of its own; what each run found.

    ``jobs`` of them run at a time. A run's "drawn" is what its figures need, thinned.
    """

    def one(seed: int) -> Record:
        command = [sys.executable, "-m", "groundup", "run", lesson.slug, "--seed", str(seed), "--track", track]
        with tempfile.TemporaryDirectory(prefix="groundup-") as folder:
            done = subprocess.run([*command, "--out", folder, "--json"], capture_output=True, text=True)
            if done.returncode or not done.stdout:
                raise UserError(f"{lesson.name} with seed {seed} failed: {done.stderr.strip()[-2000:]}")
            found = json.loads(done.stdout) | {"drawn": json.loads((Path(folder) / "drawn.json").read_text())}
        seen = sum(bool(finding["on_its_side"]) for finding in found["findings"])
        report(f"{lesson.name}, seed {seed}: {seen} of {len(lesson.findings)} findings seen in {found['seconds']} s")
        return found

    pool = ThreadPoolExecutor(jobs)
    try:
        return list(pool.map(one, range(seeds)))
    finally:
        pool.shutdown(cancel_futures=True)


def summarise(lesson: Lesson, runs: Sequence[Record], track: Track) -> Record:
    """The record that results/ keeps of a lesson: every seed's numbers, intervals and verdicts."""
    return {
        "lesson": lesson.slug,
        "track": track,
        "hash": experiment_hash(lesson),
        "date": date.today().isoformat(),
        "machine": machine(),
        "seeds": len(runs),
        "seconds": round(statistics.median(run["processor_seconds"] for run in runs), 1),
        "command": f"groundup claims {lesson.slug} --seeds {len(runs)}"
        + ("" if track == "numpy" else f" --track {track}"),
        "findings": [summary(finding, index, runs) for index, finding in enumerate(lesson.findings)],
    }


def summary(finding: Finding, index: int, runs: Sequence[Record]) -> Record:
    """What the seeds say of one finding."""
    found = [run["findings"][index] for run in runs]
    values = [one["value"] for one in found]
    rivals = [one["rival"] for one in found] if finding.rival else []
    pairs = [
        {**one["pairs"], "p": split_probability(one["pairs"]["only_value"], one["pairs"]["only_rival"])}
        for one in found
        if one["pairs"]
    ]
    judged = verdict(finding.sense, values, finding.bar, rivals or None, [pair["p"] for pair in pairs])
    return {
        "name": finding.name,
        "question": finding.question,
        "statement": finding.statement,
        "unit": finding.unit,
        "sense": finding.sense,
        "bar": finding.bar,
        "rival_is": finding.rival,
        "values": values,
        "rivals": rivals,
        "median": median(values),
        "rival_median": median(rivals),
        "interval": judged.interval,
        "difference": judged.difference,
        "pairs": pairs,
        "verdict": judged.word,
        "seeds_for": judged.seeds_for,
        "paper": finding.paper,
        "miss": filled(finding.miss, runs) if judged.word != "holds" else "",
    }


def filled(text: str, runs: Sequence[Record]) -> str:
    """A reason with the runs' own numbers: ``{name}`` becomes the median of that number among their metrics.

    Raises KeyError if a run has no number of this name.
    """

    def fill(name: re.Match[str]) -> str:
        return number(median([run["metrics"][name[1]] for run in runs]))

    return re.sub(r"\{([^{}]+)\}", fill, text)


def every_seed(runs: Sequence[Record]) -> dict[str, list[Any]]:
    """What each run put under the metric "every seed", by name, one value a seed: for tables of a lesson's text."""
    noted = [run["metrics"].get("every seed", {}) for run in runs]
    return {name: [one[name] for one in noted] for name in noted[0]}


def median(values: Iterable[float | None]) -> float | None:
    """The median, or None if any value is missing (a run that gave no number counts against the finding)."""
    numbers = list(values)
    known = [value for value in numbers if value is not None]
    return statistics.median(known) if known and len(known) == len(numbers) else None


def number(value: float | None) -> str:
    """Four significant digits, whole numbers whole, with commas."""
    if value is None:
        return "—"
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:.4g}"


def result_file(lesson: Lesson, folder: Path, track: Track = "numpy") -> Path:
    """Where a lesson's findings are kept."""
    return folder / f"{lesson.folder.name}{'' if track == 'numpy' else '_' + track}.json"


def keep(lesson: Lesson, folder: Path, track: Track, record: Record, drawn: Record) -> None:
    """Write a lesson's record, and beside it, in one line, what the figures of its seed 0 need."""
    text = json.dumps(record, indent=1).removesuffix("\n}")
    write_whole(result_file(lesson, folder, track), f'{text},\n "drawn": {json.dumps(drawn)}\n}}\n')


def read(lesson: Lesson, folder: Path, track: Track = "numpy") -> Record | None:
    """A lesson's record in a folder; None if there is none, or one of an older form, which is measured again."""
    path = result_file(lesson, folder, track)
    record = json.loads(path.read_text()) if path.exists() else {}
    return record if "findings" in record else None


def kept(lesson: Lesson) -> Record | None:
    """A lesson's kept record without what figures need, or None."""
    record = read(lesson, kept_folder())
    return record and {key: value for key, value in record.items() if key != "drawn"}


def to_measure(lessons: Sequence[Lesson], seeds: int, folder: Path, track: Track = "numpy") -> str:
    """A sentence on what will be measured and how long that took when it was measured last."""
    if not lessons:
        return "Nothing is stale."
    words = []
    for lesson in lessons:
        old = read(lesson, folder, track)
        time = f"{seeds * old['seconds']:.0f} s" if old else "for the first time"
        words.append(f"{lesson.name} ({time})")
    return f"To be measured: {', '.join(words)}."


def is_stale(lesson: Lesson, folder: Path, track: Track = "numpy") -> bool:
    """Whether a lesson's kept findings are missing or were made by other code."""
    record = read(lesson, folder, track)
    return record is None or record["hash"] != experiment_hash(lesson)
