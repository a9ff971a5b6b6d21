"""The PyTorch learner: a twin in training, with the same methods as ``learner.NumpyLearner``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from groundup.lesson import Batch
from groundup.ops.types import Tree
from groundup.training import params as trees
from groundup.training.learner import as_tuple, demand_same_shapes
from groundup.training.optim import Schedule


class TorchLearner:
    """A twin in training.

    module     the twin, its parameters already loaded (``load_params``)
    forward    ``forward(module, batch) -> outputs``, the batch's arrays being tensors
    criterion  ``criterion(outputs, batch) -> loss``
    optimiser  a ``torch.optim`` optimiser over the module's parameters; ``schedule`` sets its rate every step
    clip, carry, carried  as in ``NumpyLearner``
    """

    def __init__(
        self,
        module: torch.nn.Module,
        forward: Callable[..., Any],
        criterion: Callable[..., torch.Tensor],
        optimiser: torch.optim.Optimizer,
        schedule: Schedule,
        clip: float | None = None,
        carry: Batch | None = None,
        carried: Callable[[Any], dict[str, torch.Tensor]] | None = None,
    ) -> None:
        self.module = module
        self.forward = forward
        self.criterion = criterion
        self.optimiser = optimiser
        self.schedule = schedule
        self.clip = clip
        self.carry = as_tensors(carry or {})
        self.carried = carried
        self.steps = 0
        self.draws = any(isinstance(part, torch.nn.Dropout) and part.p for part in module.modules())

    def step(self, batch: Batch, rng: np.random.Generator) -> float:
        tensors = as_tensors(batch)
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule(self.steps)
        self.module.train()
        if self.draws:  # dropout draws from torch's global generator: seed it for this step, then put it back
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(int(rng.integers(2**62)))
                outputs = self.forward(self.module, {**self.carry, **tensors})
        else:
            outputs = self.forward(self.module, {**self.carry, **tensors})
        loss = self.criterion(outputs, tensors)
        self.optimiser.zero_grad()
        loss.backward()
        if self.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.module.parameters(), self.clip)
        self.optimiser.step()
        if self.carried:
            self.carry = {name: tensor.detach() for name, tensor in self.carried(outputs).items()}
        self.steps += 1
        return loss.item()

    def outputs(self, batch: Batch) -> Any:
        self.module.eval()
        with torch.no_grad():
            outputs = self.forward(self.module, {**self.carry, **as_tensors(batch)})
        arrays = tuple(output.numpy() for output in as_tuple(outputs))
        return arrays if isinstance(outputs, tuple) else arrays[0]

    def loss(self, batch: Batch) -> float:
        self.module.eval()
        tensors = as_tensors(batch)
        with torch.no_grad():
            return self.criterion(self.forward(self.module, {**self.carry, **tensors}), tensors).item()

    def gradients(self, batch: Batch) -> tuple[float, Tree]:
        self.module.eval()
        self.module.zero_grad()
        tensors = as_tensors(batch)
        loss = self.criterion(self.forward(self.module, {**self.carry, **tensors}), tensors)
        loss.backward()
        return loss.item(), gradient_tree(self.module)

    def parameters(self) -> Tree:
        return trees.unflatten({name: tensor.numpy() for name, tensor in self.module.state_dict().items()})

    def state(self) -> Tree:
        moments = {
            f"{index}.{name}": value.numpy()
            for index, slots in self.optimiser.state_dict()["state"].items()
            for name, value in slots.items()
            if value is not None
        }
        return {
            "params": {name: tensor.numpy() for name, tensor in self.module.state_dict().items()},
            "optimiser": moments,
            "carry": {name: tensor.numpy() for name, tensor in self.carry.items()},
            "steps": np.array(self.steps),
        }

    def restore(self, state: Tree) -> None:
        demand_same_shapes({"params": self.parameters()}, {"params": state["params"]})
        load_params(self.module, state["params"])
        slots: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in trees.flatten(state.get("optimiser", {})).items():
            index, _, slot = name.partition(".")
            slots.setdefault(int(index), {})[slot] = torch.tensor(value)
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": slots})
        self.carry = as_tensors(state.get("carry", {}))
        self.steps = int(state["steps"])


def as_tensors(batch: Batch) -> dict[str, torch.Tensor]:
    """The same arrays as tensors, sharing memory."""
    return {name: torch.from_numpy(np.asarray(array, order="C")) for name, array in batch.items()}


def load_params(module: torch.nn.Module, params: Tree) -> None:
    """Copy a NumPy parameter tree into a module: the flat names and shapes are its ``state_dict``'s."""
    flat = {name: torch.tensor(np.asarray(leaf)) for name, leaf in trees.flatten(params).items()}
    module.to(next(iter(flat.values())).dtype)
    module.load_state_dict(flat)


def gradient_tree(module: torch.nn.Module) -> Tree:
    """The gradients of a module's parameters as a NumPy tree."""
    return trees.unflatten(
        {name: part.grad.numpy().copy() for name, part in module.named_parameters() if part.grad is not None}
    )
