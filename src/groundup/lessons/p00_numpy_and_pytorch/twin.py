"""The same network as a PyTorch practitioner would write it, and the PyTorch side of the table of calls."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from groundup.lessons.p00_numpy_and_pytorch.table import Row
from groundup.ops.types import Array


class MLP(nn.Module):
    """Linear, ReLU, linear."""

    def __init__(self, inputs: int = 64, hidden: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.readout = nn.Linear(hidden, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.readout(F.relu(self.hidden(images.flatten(1))))


def run_call(row: Row, arrays: dict[str, Array], upstream: Array) -> tuple[Array, dict[str, Array]]:
    """The value of a row's PyTorch call and, by autograd, the gradients of (upstream · value) that the row names."""
    tensors = {name: torch.tensor(array, requires_grad=name in row.gradients) for name, array in arrays.items()}
    value: Any = eval(row.call, {"torch": torch, "F": F, **tensors})
    gradients: tuple[Tensor, ...] = ()
    if row.gradients:
        gradients = torch.autograd.grad(value, [tensors[name] for name in row.gradients], torch.tensor(upstream))
    by_name = zip(row.gradients, gradients, strict=True)
    return value.detach().numpy(), {name: gradient.numpy() for name, gradient in by_name}
