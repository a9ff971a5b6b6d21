"""Names for what every operation deals in: arrays, trees of them, and the closures that pull gradients back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
Tree = Any  # dict[str, Tree] | list[Tree] | np.ndarray
#: A mask is a Boolean array, True where attention is allowed, or None for "everything".
Mask = np.ndarray | None
#: ``backward(upstream)`` returns the gradient of every array argument, in argument order.
Backward = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """A function, tiny arguments for it, and optionally the same function by PyTorch.

    name            unique; variants are written "layer_norm, batch 1"
    function        returns ``(value, backward)``
    arguments       draws a dict of arguments from a Generator: float64 arrays, parameter trees, options
    differentiable  the arguments that ``backward`` returns gradients for, in its order
    oracle          ``oracle(torch, **tensors)`` gives the value independently, or None where there is none
    """

    name: str
    function: Callable[..., Any]
    arguments: Callable[[np.random.Generator], dict[str, Any]]
    differentiable: Sequence[str]
    oracle: Callable[..., Any] | None = None
