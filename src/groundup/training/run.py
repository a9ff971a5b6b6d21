"""One run of a lesson's experiment: its seed, budget, folder and progress bar, and the files it leaves behind."""

import contextlib
import csv
import hashlib
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from threadpoolctl import threadpool_limits

from groundup.errors import UserError
from groundup.files import sweep, write_whole
from groundup.lesson import Batch, Budget, Curves, Learner, Lesson, Result, Track, apart
from groundup.plots import save as save_figure
from groundup.training.forms import fast_forms
from groundup.training.loop import fit, load_checkpoint
from groundup.training.memory import keep_freed_memory
from groundup.training.streams import random_stream
from groundup.training.thin import thinned

T = TypeVar("T")
FIRST_LOOK = 3.0  # seconds of steps, after which the rest can be estimated
LONG = 120.0  # seconds of waiting that are worth a sentence
LARGEST = 1_000_000_000  # bytes of a file that is worth hashing; no text that large is read
BUDGETS = ("smoke", "default", "long")


@dataclass
class Run:
    """What an experiment is given. ``options`` are the lesson's own (None where the user said nothing).

    ``threads`` is for matrix products: models as small as these are fastest with one.
    """

    lesson: Lesson
    track: Track = "numpy"
    seed: int = 0
    budget: Budget = "default"
    folder: Path | None = None
    resume: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        self.started = time.monotonic()
        self.data = {name: fingerprint(Path(value)) for name, value in self.options.items() if value is not None}
        self.console = Console(stderr=True, quiet=self.quiet)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
            console=self.console,
            disable=self.quiet or not self.console.is_terminal,
        )

    def rng(self, *names: str) -> np.random.Generator:
        """The stream of random numbers for a purpose, the same for both tracks."""
        return random_stream(self.seed, *names)

    def pick(self, smoke: T, default: T, long: T | None = None) -> T:
        """The value for this run's budget; ``long`` is ``default`` unless it is given."""
        return {"smoke": smoke, "default": default, "long": default if long is None else long}[self.budget]

    def say(self, text: str) -> None:
        """A line above the progress bar: a sample as the model learns, say."""
        self.progress.console.print(text, markup=False, highlight=False)

    def checkpoint(self, name: str) -> Path | None:
        """Where the checkpoint of a model goes, if this run has a folder."""
        return self.folder / f"{name}.safetensors" if self.folder else None

    def fit(
        self,
        name: str,
        learner: Learner,
        next_batch: Callable[[np.random.Generator], Batch],
        steps: int,
        evaluate: Callable[[Learner], dict[str, float]] | None = None,
        every: int = 100,
        about: Mapping[str, Any] | None = None,
        notes: dict[str, Any] | None = None,
    ) -> Curves:
        """``training.fit`` with this run's seed, checkpoint and progress bar.

        ``about`` goes into the checkpoint: what is needed to use the model later (sizes, vocabulary). ``notes``
        is what ``evaluate`` writes down on the way (samples): it survives a resume.
        """
        metadata = {"lesson": self.lesson.slug, "model": name, "track": self.track, "seed": self.seed}
        metadata |= {"budget": self.budget, "steps": steps, "about": dict(about or {}), "data": self.data}
        task = self.progress.add_task(name, total=steps, loss="")
        began: list[tuple[int, float]] = []  # the first step of this run, and when it was done

        def report(step: int, loss: float) -> None:
            self.progress.update(task, completed=step, loss=f"loss {loss:.4f}")
            now = time.monotonic()
            if not began:
                began.append((step, now))
            elif len(began) == 1 and now - began[0][1] > FIRST_LOOK:
                began.append((step, now))
                left = (now - began[0][1]) / (step - began[0][0]) * (steps - step)
                if left > LONG:
                    self.say(f"{name}: about {left / 60:.0f} minutes for {steps - step} more steps; Ctrl-C keeps them.")

        return fit(
            learner, next_batch, steps, self.rng("training", name), evaluate, every,
            self.checkpoint(name), self.resume, metadata, report, notes,
        )  # fmt: skip


def run_lesson(run: Run) -> Result:
    """Run the experiment, with fast forms where there are any.

    If the run has a folder, leave numbers, curves, figures and checkpoints there.
    """
    if run.folder is not None:
        prepare_folder(run.folder)
        demand_nothing_greater(run, run.folder)
    keep_freed_memory()
    with fast_forms(), limited_to(run.threads, run.track), run.progress:
        result = run.lesson.experiment(run)
    missing = {finding.name for finding in run.lesson.findings} ^ set(result.measured)
    if missing:
        raise AssertionError(f"{run.lesson.name}: findings and measurements differ in {sorted(missing)}")
    if run.folder is not None:
        write_result(run, result, run.folder)
    return result


@contextlib.contextmanager
def limited_to(threads: int, track: Track) -> Iterator[None]:
    """Let the matrix products of a track use so many threads, and as many as before afterwards."""
    with threadpool_limits(threads, user_api="blas"):
        if track == "numpy":
            yield
            return
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def prepare_folder(folder: Path) -> None:
    """Make the folder and prove that it can be written to, before any training. Raises UserError."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"Cannot write to {folder}: it is a file, not a folder.")
    probe = folder / ".groundup"
    write_whole(probe, b"")
    probe.unlink()
    sweep(folder)


def demand_nothing_greater(run: Run, folder: Path) -> None:
    """Raise UserError where a model stands that was trained for longer: a smoke run would write over it."""
    for path in sorted(folder.glob("*.safetensors")):
        with contextlib.suppress(UserError):  # not ours, and not written to
            kept = load_checkpoint(path)[1]["run"].get("budget")
            if kept in BUDGETS and BUDGETS.index(kept) > BUDGETS.index(run.budget):
                break
    else:
        return
    raise UserError(
        f"{folder} holds a model of the {kept} budget, which a {run.budget} run would replace:"
        " name another folder with --out, or remove it first."
    )


def fingerprint(path: Path) -> str:
    """What tells the user's data from other data: a hash of a file's bytes, of the names and sizes in a folder.

    A path that cannot be read gives "", and whoever reads it says why.
    """
    digest = hashlib.sha256()
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.is_file():
                    digest.update(os.fsencode(f"{file.relative_to(path)}\0{file.stat().st_size}\n"))
        elif path.is_file() and path.stat().st_size < LARGEST:
            digest.update(path.read_bytes())
        else:
            return ""
    except OSError:
        return ""
    return digest.hexdigest()[:16]


def write_result(run: Run, result: Result, folder: Path) -> None:
    """metrics.json, curves.csv, drawn.json (thinned: what results/ keeps for figures) and figures/*.png."""
    write_whole(folder / "metrics.json", json.dumps(describe(run, result), indent=2, allow_nan=False) + "\n")
    write_whole(folder / "curves.csv", curves_csv(result.curves))
    write_whole(folder / "drawn.json", json.dumps(thinned(result), allow_nan=False) + "\n")
    for name, figure in run.lesson.figures(result).items():
        save_figure(figure, folder / "figures" / f"{name}.png")


def describe(run: Run, result: Result) -> dict[str, Any]:
    """A run as JSON: NaN and infinity become null."""
    judged = is_judged(run)
    findings = []
    for finding in run.lesson.findings:
        measured = result.measured[finding.name]
        findings.append(
            {
                "name": finding.name,
                "question": finding.question,
                "statement": finding.statement,
                "value": measured.value,
                "rival": measured.rival,
                "rival_is": finding.rival,
                "sense": finding.sense,
                "bar": finding.bar,
                "unit": finding.unit,
                "paper": finding.paper,
                "pairs": count_pairs(*measured.pairs) if measured.pairs else None,
                "on_its_side": finding.on_its_side(measured) if judged else None,
            }
        )
    return plain(
        {
            "lesson": run.lesson.slug,
            "track": run.track,
            "seed": run.seed,
            "budget": run.budget,
            "options": {name: value for name, value in run.options.items() if value is not None},
            "seconds": round(time.monotonic() - run.started, 1),
            "processor_seconds": round(time.process_time(), 1),  # of the process: no matter what else the machine does
            "findings": findings,
            "metrics": result.metrics,
        }
    )


def count_pairs(value: np.ndarray, rival: np.ndarray) -> dict[str, int]:
    """How many examples only the value's model got right, how many only the rival's, and of how many."""
    only_value, only_rival = apart(value, rival)
    return {"only_value": only_value, "only_rival": only_rival, "of": len(value)}


def is_judged(run: Run) -> bool:
    """Findings are about the default data at the default budget or more; other runs only show their numbers."""
    return run.budget != "smoke" and all(value is None for value in run.options.values())


def plain(value: Any) -> Any:
    """NumPy scalars, arrays and paths as JSON types."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def curves_csv(curves: dict[str, Curves]) -> str:
    """All curves in one table: a column ``model`` and one for every measured name."""
    columns = list(dict.fromkeys(name for curve in curves.values() for name in curve))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", *columns])
    for model, curve in curves.items():
        for row in range(len(curve["step"])):
            writer.writerow([model, *(curve[name][row] if name in curve else "" for name in columns)])
    return text.getvalue()
