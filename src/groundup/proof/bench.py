"""NumPy against PyTorch: one training step of every lesson's model at two sizes, side by side in one process.

NumPy is timed twice: as ``groundup run`` trains, with the fast forms, and in the readable form that the lesson prints.
The process is the one that ``groundup run`` makes, for both tracks: threads, and freed memory that stays.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from groundup.errors import UserError
from groundup.lesson import Lesson, Model
from groundup.proof.hashes import fast_among, model_hash, reach
from groundup.proof.machine import machine
from groundup.training.forms import fast_forms
from groundup.training.memory import give_back_freed_memory, keep_freed_memory

WARM_UP = 3
AS_RUN, READABLE, MEMORY = 0.75, 0.9, 1.5  # bars: geometric means of the times over lesson sizes; each peak
EARNED = 0.15  # of a whole step of some lesson, which a fast form has to save


def sizes(model: Model) -> dict[str, Mapping[str, Any]]:
    """What the model is timed at: the lesson's own size and, if its record names one, a larger one."""
    own = {"lesson": model.size}
    return own | {"larger": {**model.size, **model.larger}} if model.larger else own


def bench_model(model: Model, size: Mapping[str, Any], pairs: int, threads: int) -> dict[str, Any]:
    """Median milliseconds of a training step (forward, backward, optimiser) on both tracks, and their ratio.

    The steps alternate, so that a machine whose speed drifts drifts for all; ratios are medians over the turns.
    ``fast`` names the fast forms that the model reaches, ``saved`` is the share of a readable step that they save.
    A model that reaches none is run and read in the same form, and that is measured once.
    """
    import torch

    fast = [form.__name__ for form in fast_among(reach([model.learner, model.batch]))]
    ways: dict[str, Any] = {"run": ("numpy", fast_forms), "torch": ("torch", nullcontext)}
    if fast:
        ways["read"] = ("numpy", nullcontext)
    keep_freed_memory()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            rng = np.random.default_rng(0)
            learners = [model.learner(track, np.random.default_rng(0), **size) for track, _ in ways.values()]
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            for turn in range(WARM_UP + pairs):
                batch = model.batch(rng, **size)
                for learner, (way, (_, form)) in zip(learners, ways.items(), strict=True):
                    with form():
                        started = time.perf_counter()
                        learner.step(batch, rng)
                        taken = time.perf_counter() - started
                    if turn >= WARM_UP:
                        seconds[way].append(taken)
    finally:
        torch.set_num_threads(before)
    run, read = seconds["run"], seconds.get("read", seconds["run"])
    ratios = sorted(mine / theirs for mine, theirs in zip(run, seconds["torch"], strict=True))
    return {
        "numpy_ms": 1000 * statistics.median(run),
        "torch_ms": 1000 * statistics.median(seconds["torch"]),
        "ratio": statistics.median(ratios),
        "readable": statistics.median(mine / theirs for mine, theirs in zip(read, seconds["torch"], strict=True)),
        "ratio_low": ratios[len(ratios) // 4],
        "ratio_high": ratios[3 * len(ratios) // 4],
        "fast": fast,
        "saved": 1 - statistics.median(quick / plain for quick, plain in zip(run, read, strict=True)),
    }


def peak_memory(lesson: Lesson, model: Model, at: str, threads: int) -> dict[str, float]:
    """Peak MiB that training needs beyond the process at rest, for both tracks, each in a fresh process."""
    found = {}
    for track in ("numpy", "torch"):
        command = [sys.executable, "-m", "groundup.proof.bench", lesson.package, model.name, at, track]
        limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | limits)
        if done.returncode:
            raise UserError(f"The memory of {lesson.name} could not be measured: {done.stderr.strip()[-500:]}")
        found[f"{track}_mib"] = float(done.stdout)
    return found


def training_memory(model: Model, size: Mapping[str, Any], track: str) -> float:
    """In this process: the growth of its resident peak from before the learner exists to after three steps, in MiB.

    A few steps at the tiny size come first, so that libraries that set themselves up on first use are not counted.
    """
    keep_freed_memory()
    rng = np.random.default_rng(0)
    warm = model.learner(track, rng, **model.tiny)
    for _ in range(2):
        warm.step(model.batch(rng, **model.tiny), rng)
    with fast_forms(), resident_growth() as growth:
        learner = model.learner(track, rng, **size)
        for _ in range(3):
            learner.step(model.batch(rng, **size), rng)
    return growth[0]


@contextmanager
def resident_growth() -> Any:
    """A list that holds, after the block, by how many MiB the peak resident size rose above the size before it."""
    growth: list[float] = []
    reset = Path("/proc/self/clear_refs")
    if not reset.exists():
        raise UserError("Peak memory is read from /proc, which this system does not have; use --no-memory.")
    give_back_freed_memory()  # else what the libraries' start has left over would be used again and not be counted
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
    """The benchmark's record: a row for every model and size, the machine, and the geometric means of the ratios.

    The larger size, whose steps take long, is timed by a third as many pairs.
    """
    import torch

    rows = []
    for lesson in lessons:
        for model in lesson.models:
            for at, size in sizes(model).items():
                row: dict[str, Any] = {
                    "lesson": lesson.slug,
                    "model": model.name,
                    "hash": model_hash(model, size),
                    "at": at,
                    "size": dict(size),
                    "pairs": pairs if at == "lesson" else max(5, pairs // 3),
                }
                row |= bench_model(model, size, row["pairs"], threads)
                if memory:
                    row |= peak_memory(lesson, model, at, threads)
                rows.append(row)
                report(f"{lesson.name} {model.name}, {at} size: {row['ratio']:.2f} times PyTorch's time")
    return {
        "date": date.today().isoformat(),
        "machine": {**machine(), "torch": torch.__version__},
        "threads": threads,
        "rows": rows,
        "means": {
            at: {form: geometric_mean([row[form] for row in rows if row["at"] == at]) for form in ("ratio", "readable")}
            for at in ("lesson", "larger")
        },
    }


def geometric_mean(ratios: Sequence[float]) -> float:
    """exp of the mean logarithm; 1 for none."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 1.0


def bench_table(record: dict[str, Any]) -> str:
    """The record as Markdown: a table, what was measured, and whether the bars are reached."""
    rows = [
        "| model | size | NumPy ms | PyTorch ms | as run (quartiles) | readable | NumPy MiB | PyTorch MiB | memory |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    own: dict[str, Any] = {}
    for row in record["rows"]:
        own = row["size"] if row["at"] == "lesson" else own
        changed = {name: value for name, value in row["size"].items() if row["at"] == "lesson" or value != own[name]}
        cells = [
            f"{row['lesson']}: {row['model']}" if row["at"] == "lesson" else "… larger",
            ", ".join(f"{name} {value}" for name, value in changed.items()),
            f"{row['numpy_ms']:.1f}",
            f"{row['torch_ms']:.1f}",
            f"**{row['ratio']:.2f}** ({row['ratio_low']:.2f}–{row['ratio_high']:.2f})",
            f"{row['readable']:.2f}",
            *([f"{row['numpy_mib']:.1f}", f"{row['torch_mib']:.1f}"] if "numpy_mib" in row else ["—", "—"]),
            "—" if (memory := memory_ratio(row)) is None else f"{memory:.2f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    about, own_mean, larger_mean = record["machine"], record["means"]["lesson"], record["means"]["larger"]
    pairs = " and ".join(str(count) for count in sorted({row["pairs"] for row in record["rows"]}, reverse=True))
    rows += [
        "",
        f"Geometric means of NumPy's time over PyTorch's, at the lessons' sizes: **{own_mean['ratio']:.2f}** as run"
        f" ({verdict(own_mean['ratio'], AS_RUN)}), **{own_mean['readable']:.2f}** in the readable form"
        f" ({verdict(own_mean['readable'], READABLE)}); at the larger sizes {larger_mean['ratio']:.2f} as run,"
        f" {larger_mean['readable']:.2f} readable." + fast_sentence(record["rows"]) + memory_sentence(record["rows"]),
        "",
        f"One training step, float32, eager, {record['threads']} thread{'s' * (record['threads'] > 1)}, median of"
        f" {pairs} alternating pairs; NumPy {about['numpy']} ({', '.join(about['blas'])} kernels),"
        f" PyTorch {about['torch']}, {about['processor']}, {record['date']}.",
    ]
    return "\n".join(rows)


def verdict(value: float, bar: float) -> str:
    """How a number stands to its bar, in words."""
    return f"at most {bar}, as it should be" if value <= bar else f"above the bar of {bar}"


def fast_sentence(rows: Sequence[Mapping[str, Any]]) -> str:
    """What each fast form saves of the step where it saves most, which is what earns it a place; "" without any."""
    best = {
        name: max((row for row in rows if name in row.get("fast", ())), key=lambda row: row["saved"])
        for name in sorted({name for row in rows for name in row.get("fast", ())})
    }
    return "".join(
        f" The fast form of `{name}` saves {row['saved']:.0%} of a step of {row['lesson']}: {row['model']}"
        f" ({'earned' if row['saved'] >= EARNED else 'not earned'}: the bar is {EARNED:.0%})."
        for name, row in best.items()
    )


def memory_ratio(row: Mapping[str, Any]) -> float | None:
    """NumPy's peak over PyTorch's; None if it was not measured, or PyTorch's is nothing."""
    return row["numpy_mib"] / row["torch_mib"] if row.get("torch_mib") else None


def memory_sentence(rows: Sequence[Mapping[str, Any]]) -> str:
    """How often the bar of the peak memory is missed; "" if memory was not measured."""
    ratios = [ratio for row in rows if (ratio := memory_ratio(row)) is not None]
    within = f"{sum(ratio <= MEMORY for ratio in ratios)} of {len(ratios)} rows"
    return f" Peak memory is at most {MEMORY} times PyTorch's in {within}." if ratios else ""


def load_bench(folder: Path) -> dict[str, Any] | None:
    """The kept benchmark, or None if there is none, or none in the form of today."""
    path = folder / "bench.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    return record if "means" in record else None


if __name__ == "__main__":
    from importlib import import_module

    asked = next(model for model in import_module(sys.argv[1]).LESSON.models if model.name == sys.argv[2])
    print(training_memory(asked, sizes(asked)[sys.argv[3]], sys.argv[4]))
