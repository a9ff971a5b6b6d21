"""The training loop: one for every lesson and both tracks.

A *learner* owns parameters and takes steps: ``NumpyLearner`` in ``learner``, ``TorchLearner`` in ``torch``. Both have
the same methods, so that experiments, proofs and benchmarks are written once. ``fit`` drives either.
"""

import contextlib
import copy
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from groundup.errors import UserError
from groundup.lesson import Batch, Curves, Learner
from groundup.ops.types import Tree
from groundup.training import params as trees

CHECKPOINT_FORMAT = 1
SECONDS_BETWEEN_CHECKPOINTS = 20.0


class Stopped(Exception):
    """Ctrl-C arrived between two steps; ``checkpoint`` is the file from which training goes on exactly."""

    def __init__(self, step: int, steps: int, checkpoint: Path | None) -> None:
        super().__init__(f"stopped at step {step} of {steps}")
        self.step, self.steps, self.checkpoint = step, steps, checkpoint


def fit(
    learner: Learner,
    next_batch: Callable[[np.random.Generator], Batch],
    steps: int,
    rng: np.random.Generator,
    evaluate: Callable[[Learner], dict[str, float]] | None = None,
    every: int = 100,
    checkpoint: Path | None = None,
    resume: bool = False,
    metadata: dict[str, Any] | None = None,
    report: Callable[[int, float], None] = lambda step, loss: None,
    notes: dict[str, Any] | None = None,
) -> Curves:
    """Train for ``steps`` steps and return the curves.

    Curves have a row at step 0, every ``every`` steps and at the end: ``step``, ``seconds``, ``training`` (mean
    loss of the batches since the row before; at step 0 the first batch's) and whatever ``evaluate`` measures.
    All randomness of training comes from ``rng``, whose state is in the checkpoint with the parameters, the
    optimiser's state and the curves: stopped and resumed equals never stopped, bit for bit. ``evaluate`` must
    not draw from ``rng``. What it writes into ``notes`` (JSON types) is kept with the curves and is there again
    when the run goes on. The first Ctrl-C, or SIGTERM, lets the step end, saves and raises ``Stopped``.

    Raises UserError if the checkpoint to resume from is another model's, another run's, or broken.
    """
    metadata = json.loads(json.dumps(metadata or {}))
    curves: Curves = {}
    losses: list[float] = []
    done, seconds = 0, 0.0
    if resume and checkpoint is not None and checkpoint.exists():
        state, saved = load_checkpoint(checkpoint)
        if not saved.keys() >= {"rng", "curves", "losses", "step", "seconds"}:
            raise UserError(f"{checkpoint} was not written by this version's training loop.")
        for key in metadata.keys() | saved["run"].keys():
            if saved["run"].get(key) != metadata.get(key):
                if key == "data":
                    raise UserError(f"Cannot resume from {checkpoint}: it was trained on other data than this run's.")
                raise UserError(
                    f"Cannot resume from {checkpoint}: its {key} is {saved['run'].get(key)!r},"
                    f" this run's is {metadata.get(key)!r}."
                )
        learner.restore(state)
        rng.bit_generator.state = saved["rng"]
        curves, losses = saved["curves"], saved["losses"]
        done, seconds = saved["step"], saved["seconds"]
        if notes is not None:
            notes.update(saved.get("notes") or {})

    def save(step: int) -> None:
        if checkpoint is not None:
            about = {
                "format": CHECKPOINT_FORMAT,
                "run": metadata,
                "step": step,
                "rng": rng.bit_generator.state,
            }
            about |= {"curves": curves, "losses": losses, "seconds": seconds, "notes": notes}
            trees.save(checkpoint, learner.state(), about)

    def record(step: int, training: float) -> None:
        row = {"step": step, "seconds": round(seconds, 3), "training": training}
        for name, value in (row | (evaluate(learner) if evaluate else {})).items():
            curves.setdefault(name, []).append(value)

    with between_steps() as interrupted:
        last_save = time.monotonic()
        while done < steps:
            if not curves:
                record(0, learner.loss(next_batch(copy.deepcopy(rng))))
            started = time.monotonic()
            losses.append(learner.step(next_batch(rng), rng))
            seconds += time.monotonic() - started
            done += 1
            report(done, losses[-1])
            if done % every == 0 or done == steps:
                record(done, float(np.mean(losses)))
                losses.clear()
            if done == steps or interrupted() or time.monotonic() - last_save > SECONDS_BETWEEN_CHECKPOINTS:
                save(done)
                last_save = time.monotonic()
            if interrupted() and done < steps:
                raise Stopped(done, steps, checkpoint)
    return curves


def load_model(path: Path, lesson: str) -> tuple[Tree, dict[str, Any]]:
    """The parameters of a checkpoint and the notes that its experiment left for using them.

    Raises UserError if the file is no checkpoint of this lesson.
    """
    state, saved = load_checkpoint(path)
    run = saved["run"]
    if run.get("lesson") != lesson:
        raise UserError(f"{path} is a checkpoint of {run.get('lesson')}, not of {lesson}.")
    if not isinstance(run.get("about"), dict):
        raise UserError(f"{path} does not say how its model is used: it was not written by `groundup run`.")
    return state["params"], run["about"]


def load_checkpoint(path: Path) -> tuple[Tree, dict[str, Any]]:
    """The state and the metadata of a checkpoint. Raises UserError if the file is none of this format."""
    state, saved = trees.load(path)
    named = isinstance(state, dict) and "params" in state and isinstance(saved.get("run"), dict)
    if saved.get("format") != CHECKPOINT_FORMAT or not named:
        raise UserError(f"{path} is no checkpoint of groundup: it was not written by this version's training loop.")
    return state, saved


@contextlib.contextmanager
def between_steps() -> Iterator[Callable[[], bool]]:
    """Hold back the first Ctrl-C or SIGTERM until it is asked for; a second one interrupts at once."""
    pressed = threading.Event()

    def handle(number: int, frame: Any) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
