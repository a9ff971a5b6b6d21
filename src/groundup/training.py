"""The training loop: one for every lesson and both tracks.

A *learner* owns parameters and takes steps. ``NumpyLearner`` is here; ``TorchLearner`` in ``torch_training``
has the same methods, so that experiments, proofs and benchmarks are written once. ``fit`` drives either.
"""

import contextlib
import copy
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from groundup import params as trees
from groundup.errors import UserError
from groundup.optim import Optimiser, Schedule, clip_by_global_norm
from groundup.params import Tree

Batch = dict[str, np.ndarray]
Curves = dict[str, list[float]]
CHECKPOINT_FORMAT = 1
SECONDS_BETWEEN_CHECKPOINTS = 20.0


class Learner(Protocol):
    """What a model in training can do, on either track. Arrays in and out are NumPy's."""

    steps: int  # taken so far

    def step(self, batch: Batch, rng: np.random.Generator) -> float:
        """One optimiser step; returns the loss of the batch before it."""

    def outputs(self, batch: Batch) -> Any:
        """The model's outputs in evaluation mode (no dropout)."""

    def loss(self, batch: Batch) -> float:
        """The loss of a batch in evaluation mode."""

    def gradients(self, batch: Batch) -> tuple[float, Tree]:
        """The loss of a batch and the gradient tree, without dropout, before clipping."""

    def parameters(self) -> Tree:
        """The parameter tree."""

    def state(self) -> Tree:
        """Everything that the next step depends on, as a tree."""

    def restore(self, state: Tree) -> None:
        """Go on from a ``state``. Raises UserError if it belongs to another model."""


class NumpyLearner:
    """A model by hand in training.

    params     the parameter tree; changed in place by ``step``
    forward    ``forward(params, batch, rng) -> (outputs, backward)``; ``rng`` is None in evaluation mode;
               ``backward`` takes the gradient of every output and returns the gradient tree of ``params``
    criterion  ``criterion(outputs, batch) -> (loss, backward)``; ``backward()`` returns the gradient of the
               outputs (a tuple if there are several)
    schedule   step number to learning rate
    clip       largest global gradient norm, or None
    carry      arrays that the outputs of one step hand to the next batch, with their first values (a batch may
               bring its own instead); ``carried``
               picks them out of the outputs (truncated BPTT carries the hidden state)
    """

    def __init__(
        self,
        params: Tree,
        forward: Callable[..., Any],
        criterion: Callable[..., Any],
        optimiser: Optimiser,
        schedule: Schedule,
        clip: float | None = None,
        carry: Batch | None = None,
        carried: Callable[[Any], Batch] | None = None,
    ) -> None:
        self.params = params
        self.forward = forward
        self.criterion = criterion
        self.optimiser = optimiser
        self.schedule = schedule
        self.clip = clip
        self.carry = carry or {}
        self.carried = carried
        self.optimiser_state = optimiser.init(params)
        self.steps = 0

    def step(self, batch: Batch, rng: np.random.Generator) -> float:
        outputs, backward = self.forward(self.params, {**self.carry, **batch}, rng)
        loss, loss_backward = self.criterion(outputs, batch)
        if self.carried:
            self.carry = self.carried(outputs)
        upstream = loss_backward()
        del outputs, loss_backward
        gradients = backward(*as_tuple(upstream))
        if self.clip is not None:
            gradients, _ = clip_by_global_norm(gradients, self.clip)
        self.optimiser.update(self.params, gradients, self.optimiser_state, self.schedule(self.steps))
        self.steps += 1
        return float(loss)

    def outputs(self, batch: Batch) -> Any:
        return self.forward(self.params, {**self.carry, **batch}, None)[0]

    def loss(self, batch: Batch) -> float:
        return float(self.criterion(self.outputs(batch), batch)[0])

    def gradients(self, batch: Batch) -> tuple[float, Tree]:
        outputs, backward = self.forward(self.params, {**self.carry, **batch}, None)
        loss, loss_backward = self.criterion(outputs, batch)
        return float(loss), backward(*as_tuple(loss_backward()))

    def parameters(self) -> Tree:
        return self.params

    def state(self) -> Tree:
        return {
            "params": self.params,
            "optimiser": self.optimiser_state,
            "carry": self.carry,
            "steps": np.array(self.steps),
        }

    def restore(self, state: Tree) -> None:
        demand_same_shapes(self.state(), state)
        self.params = state["params"]
        self.optimiser_state = state.get("optimiser", {})
        self.carry = state.get("carry", {})
        self.steps = int(state["steps"])


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A tuple as it is, anything else as a tuple of one."""
    return value if isinstance(value, tuple) else (value,)


def demand_same_shapes(mine: Tree, theirs: Tree) -> None:
    """Raise UserError unless two states have the same names, shapes and dtypes."""
    mine, theirs = trees.flatten(mine), trees.flatten(theirs)
    if sorted(mine) != sorted(theirs):
        odd = sorted(set(mine) ^ set(theirs))[0]
        raise UserError(f"The checkpoint belongs to another model: they differ in {odd}.")
    for name, leaf in mine.items():
        if leaf.shape != theirs[name].shape or leaf.dtype != theirs[name].dtype:
            raise UserError(
                f"The checkpoint belongs to another model: {name} is {theirs[name].dtype}{theirs[name].shape},"
                f" not {leaf.dtype}{leaf.shape}."
            )


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
) -> Curves:
    """Train for ``steps`` steps and return the curves.

    Curves have a row at step 0, every ``every`` steps and at the end: ``step``, ``seconds``, ``training`` (mean
    loss of the batches since the row before; at step 0 the first batch's) and whatever ``evaluate`` measures.
    All randomness of training comes from ``rng``, whose state is in the checkpoint with the parameters, the
    optimiser's state and the curves: stopped and resumed equals never stopped, bit for bit. ``evaluate`` must
    not draw from ``rng``. The first Ctrl-C lets the step end, saves and raises ``Stopped``.

    Raises UserError if the checkpoint to resume from is another model's, another run's, or broken.
    """
    metadata = json.loads(json.dumps(metadata or {}))
    curves: Curves = {}
    losses: list[float] = []
    done, seconds = 0, 0.0
    if resume and checkpoint is not None and checkpoint.exists():
        state, saved = trees.load(checkpoint)
        if saved.get("format") != CHECKPOINT_FORMAT or "rng" not in saved:
            raise UserError(f"{checkpoint} was not written by this version's training loop.")
        for key in metadata.keys() | saved["run"].keys():
            if saved["run"].get(key) != metadata.get(key):
                raise UserError(
                    f"Cannot resume from {checkpoint}: its {key} is {saved['run'].get(key)!r},"
                    f" this run's is {metadata.get(key)!r}."
                )
        learner.restore(state)
        rng.bit_generator.state = saved["rng"]
        curves, losses = saved["curves"], saved["losses"]
        done, seconds = saved["step"], saved["seconds"]

    def save(step: int) -> None:
        if checkpoint is not None:
            about = {
                "format": CHECKPOINT_FORMAT,
                "run": metadata,
                "step": step,
                "rng": rng.bit_generator.state,
            }
            about |= {"curves": curves, "losses": losses, "seconds": seconds}
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
    state, saved = trees.load(path)
    if saved.get("format") != CHECKPOINT_FORMAT or "params" not in state:
        raise UserError(f"{path} is not a checkpoint of groundup.")
    if saved["run"].get("lesson") != lesson:
        raise UserError(f"{path} is a checkpoint of {saved['run'].get('lesson')}, not of {lesson}.")
    return state["params"], saved["run"]["about"]


@contextlib.contextmanager
def between_steps() -> Iterator[Callable[[], bool]]:
    """Hold back the first Ctrl-C until it is asked for; a second one interrupts at once."""
    pressed = threading.Event()

    def handle(number: int, frame: Any) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    before = signal.signal(signal.SIGINT, handle)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
