"""Claims measured over seeds, kept in results/ with the hash of the code that made them."""

import ast
import hashlib
import importlib.util
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from groundup.errors import UserError
from groundup.lesson import Lesson, Track, reaches
from groundup.lessons import all_lessons
from groundup.params import write_whole

#: Modules that show or carry a run but cannot change what it measures.
NOT_HASHED = {
    "groundup.cli",
    "groundup.errors",
    "groundup.plots",
    "groundup.run",
    "groundup.lesson",
    "groundup.checks",
}


def code_hash(lesson: Lesson, modules: Sequence[str] = ("model", "experiment")) -> str:
    """A hash of the lesson's modules and of all of groundup that they import, comments and docstrings left out."""
    wanted = [f"{lesson.package}.{name}" for name in modules if (lesson.folder / f"{name}.py").exists()]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in seen or name in NOT_HASHED or name == lesson.package:
            continue
        seen.add(name)
        wanted += groundup_imports(module_file(name))
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(f"{name}\n{bare_source(module_file(name).read_text())}\n".encode())
    return digest.hexdigest()[:16]


def module_file(name: str) -> Path:
    """The source file of a module, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {name}", name=name)
    return Path(spec.origin)


def groundup_imports(path: Path) -> list[str]:
    """The groundup modules that a file imports, anywhere in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "groundup":
            found.append(node.module)
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                spec = importlib.util.find_spec(node.module)
                if spec and spec.submodule_search_locations and importlib.util.find_spec(full):
                    found.append(full)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "groundup"]
    return found


def bare_source(source: str) -> str:
    """The source without comments, docstrings, blank lines and trailing spaces; the same on every Python."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            for row in range(text.lineno - 1, text.end_lineno or text.lineno):
                lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def machine() -> dict[str, Any]:
    """Where something was measured."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        processor = names[0] if names else processor
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": [f"{pool['internal_api']} {pool['version']} {pool.get('architecture', '')}".strip() for pool in blas()],
    }


def blas() -> list[dict[str, Any]]:
    """The libraries behind NumPy's matrix products; which kernels they chose decides much of the speed."""
    return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]


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
        "hash": code_hash(lesson),
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


def results_folder() -> Path | None:
    """results/ of the checkout that this package runs from, or None for an installed package."""
    folder = Path(__file__).resolve().parents[2] / "results"
    return folder if folder.is_dir() else None


def kept(lesson: Lesson) -> dict[str, Any] | None:
    """A lesson's kept claims, or None if there are none. A wheel carries a copy of results/ as groundup/measured."""
    path = result_file(lesson, results_folder() or Path(__file__).parent / "measured")
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
    return not path.exists() or json.loads(path.read_text())["hash"] != code_hash(lesson)


def overview(folder: Path) -> str:
    """results/README.md: every kept table."""
    from groundup.bench import bench_table, load_bench

    parts = [
        "# Measured",
        "Made by `groundup claims --write` and `groundup bench --write`; the tests fail when a lesson's code no longer"
        " is the code that made its numbers.",
    ]
    for lesson in all_lessons():
        for track in lesson.tracks:
            path = result_file(lesson, folder, track)
            if path.exists():
                heading = f"## {lesson.name}" + ("" if track == "numpy" else f" ({track})")
                parts += [heading, claims_table(json.loads(path.read_text()))]
    record = load_bench(folder)
    if record is not None:
        parts += ["## NumPy against PyTorch", bench_table(record)]
    return "\n\n".join(parts) + "\n"


def write_overview(folder: Path) -> None:
    """Write results/README.md from the records beside it."""
    write_whole(folder / "README.md", overview(folder))
