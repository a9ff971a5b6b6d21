"""The NumPy learner: a model by hand in training. ``TorchLearner`` in ``torch`` has the same methods."""

from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.errors import UserError
from groundup.lesson import Batch
from groundup.ops.types import Tree
from groundup.training import params as trees
from groundup.training.optim import Optimiser, Schedule, clip_by_global_norm


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
