"""NumPy against PyTorch: one training step of every lesson's model, side by side in one process."""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from groundup.errors import UserError
from groundup.lesson import Lesson, Model
from groundup.proof.hashes import model_hash
from groundup.proof.machine import machine

WARM_UP = 3


def bench_model(model: Model, pairs: int, threads: int) -> dict[str, float]:
    """Median milliseconds of a training step (forward, backward, optimiser) on both tracks, and their ratio.

    The steps alternate, so that a machine whose speed drifts drifts for both; the ratio is the median over pairs.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            rng = np.random.default_rng(0)
            learners = [model.learner(track, np.random.default_rng(0), **model.size) for track in ("numpy", "torch")]
            seconds: list[list[float]] = [[], []]
            for turn in range(WARM_UP + pairs):
                batch = model.batch(rng, **model.size)
                for learner, taken in zip(learners, seconds, strict=True):
                    started = time.perf_counter()
                    learner.step(batch, rng)
                    if turn >= WARM_UP:
                        taken.append(time.perf_counter() - started)
    finally:
        torch.set_num_threads(before)
    ratios = sorted(mine / theirs for mine, theirs in zip(*seconds, strict=True))
    return {
        "numpy_ms": 1000 * statistics.median(seconds[0]),
        "torch_ms": 1000 * statistics.median(seconds[1]),
        "ratio": statistics.median(ratios),
        "ratio_low": ratios[len(ratios) // 4],
        "ratio_high": ratios[3 * len(ratios) // 4],
    }


def peak_memory(lesson: Lesson, model: Model, threads: int) -> dict[str, float]:
    """Peak MiB that training needs beyond the process at rest, for both tracks, each in a fresh process."""
    found = {}
    for track in ("numpy", "torch"):
        command = [sys.executable, "-m", "groundup.proof.bench", lesson.package, model.name, track]
        limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | limits)
        if done.returncode:
            raise UserError(f"The memory of {lesson.name} could not be measured: {done.stderr.strip()[-500:]}")
        found[f"{track}_mib"] = float(done.stdout)
    return found


def training_memory(model: Model, track: str) -> float:
    """In this process: the growth of its resident peak from before the learner exists to after three steps, in MiB.

    A few steps at the tiny size come first, so that libraries that set themselves up on first use are not counted.
    """
    rng = np.random.default_rng(0)
    warm = model.learner(track, rng, **model.tiny)
    for _ in range(2):
        warm.step(model.batch(rng, **model.tiny), rng)
    with resident_growth() as growth:
        learner = model.learner(track, rng, **model.size)
        for _ in range(3):
            learner.step(model.batch(rng, **model.size), rng)
    return growth[0]


@contextmanager
def resident_growth() -> Any:
    """A list that holds, after the block, by how many MiB the peak resident size rose above the size before it."""
    growth: list[float] = []
    reset = Path("/proc/self/clear_refs")
    if not reset.exists():
        raise UserError("Peak memory is read from /proc, which this system does not have; use --no-memory.")
    reset.write_text("5")
    start = resident("VmRSS")
    yield growth
    growth.append((resident("VmHWM") - start) / 1024)


def resident(field: str) -> int:
    """A field of /proc/self/status, in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise UserError(f"/proc/self/status has no {field}.")


def bench(lessons: Sequence[Lesson], pairs: int, threads: int, memory: bool, report: Any) -> dict[str, Any]:
    """The benchmark's record: a row for every model, the machine, and the geometric mean of the ratios."""
    import torch

    rows = []
    for lesson in lessons:
        for model in lesson.models:
            row: dict[str, Any] = {
                "lesson": lesson.slug,
                "model": model.name,
                "hash": model_hash(model),
            }
            row |= bench_model(model, pairs, threads)
            if memory:
                row |= peak_memory(lesson, model, threads)
            rows.append(row)
            report(f"{lesson.name} {model.name}: {row['ratio']:.2f} times PyTorch's time")
    return {
        "date": date.today().isoformat(),
        "machine": {**machine(), "torch": torch.__version__},
        "threads": threads,
        "pairs": pairs,
        "rows": rows,
        "geometric_mean": geometric_mean([row["ratio"] for row in rows]),
    }


def geometric_mean(ratios: Sequence[float]) -> float:
    """exp of the mean logarithm; 1 for none."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 1.0


def bench_table(record: dict[str, Any]) -> str:
    """The record as a Markdown table."""
    rows = [
        "| lesson | model | NumPy ms | PyTorch ms | ratio (quartiles) | NumPy MiB | PyTorch MiB |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in record["rows"]:
        ratio = f"**{row['ratio']:.2f}** ({row['ratio_low']:.2f}–{row['ratio_high']:.2f})"
        memory = f"{row['numpy_mib']:.0f} | {row['torch_mib']:.0f}" if "numpy_mib" in row else "— | —"
        cells = f"{row['numpy_ms']:.1f} | {row['torch_ms']:.1f} | {ratio} | {memory}"
        rows.append(f"| {row['lesson']} | {row['model']} | {cells} |")
    about = record["machine"]
    rows += [
        "",
        f"Geometric mean of the ratios: **{record['geometric_mean']:.2f}**. One training step, float32, eager,"
        f" {record['threads']} thread{'s' * (record['threads'] > 1)}, median of {record['pairs']} alternating pairs;"
        f" NumPy {about['numpy']} ({', '.join(about['blas'])} kernels), PyTorch {about['torch']}, {about['processor']},"
        f" {record['date']}.",
    ]
    return "\n".join(rows)


def load_bench(folder: Path) -> dict[str, Any] | None:
    """The kept benchmark, or None."""
    path = folder / "bench.json"
    return json.loads(path.read_text()) if path.exists() else None


if __name__ == "__main__":
    from importlib import import_module

    asked = next(model for model in import_module(sys.argv[1]).LESSON.models if model.name == sys.argv[2])
    print(training_memory(asked, sys.argv[3]))
