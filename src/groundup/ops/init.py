"""Parameters to begin with: subtrees with PyTorch's names and shapes."""

import math
from typing import Literal

import numpy as np

from groundup.ops.types import Array


def linear_params(
    rng: np.random.Generator,
    inputs: int,
    outputs: int,
    bias: bool = True,
    std: float | None = None,
    dtype: type = np.float32,
) -> dict[str, Array]:
    """{"weight": (outputs, inputs), "bias": (outputs,)} of a linear layer.

    By default both are uniform in ±1/√inputs, as in PyTorch; given ``std``, the weight is normal and the bias
    zero.
    """
    if std is not None:
        weight = rng.normal(0, std, (outputs, inputs))
        offsets = np.zeros(outputs)
    else:
        bound = 1 / math.sqrt(inputs)
        weight = rng.uniform(-bound, bound, (outputs, inputs))
        offsets = rng.uniform(-bound, bound, outputs) if bias else np.zeros(outputs)
    params: dict[str, Array] = {"weight": weight.astype(dtype)}
    if bias:
        params["bias"] = offsets.astype(dtype)
    return params


def embedding_params(
    rng: np.random.Generator, count: int, width: int, std: float = 1.0, dtype: type = np.float32
) -> dict[str, Array]:
    """{"weight": (count, width)} of an embedding, normal with standard deviation ``std``."""
    return {"weight": rng.normal(0, std, (count, width)).astype(dtype)}


def norm_params(width: int, dtype: type = np.float32) -> dict[str, Array]:
    """{"weight": ones (width,), "bias": zeros (width,)} of a normalisation: at first it only normalises."""
    return {"weight": np.ones(width, dtype), "bias": np.zeros(width, dtype)}


def conv_params(
    rng: np.random.Generator,
    inputs: int,
    outputs: int,
    size: int | tuple[int, ...],
    bias: bool = True,
    dtype: type = np.float32,
) -> dict[str, Array]:
    """{"weight": (outputs, inputs, height, width), "bias": zeros (outputs,)} of a convolution.

    ``size`` is the kernel's; a number means a square. The weight is normal with variance 2 / fan-in, which
    keeps the scale of activations through layers of ReLUs: He et al. 2015 (arXiv:1502.01852), section 2.2.
    """
    kernel = (size, size) if isinstance(size, int) else size
    std = math.sqrt(2 / (inputs * math.prod(kernel)))
    params: dict[str, Array] = {"weight": rng.normal(0, std, (outputs, inputs, *kernel)).astype(dtype)}
    if bias:
        params["bias"] = np.zeros(outputs, dtype)
    return params


def recurrent_params(
    rng: np.random.Generator,
    kind: Literal["rnn", "lstm", "gru"],
    inputs: int,
    hidden: int,
    dtype: type = np.float32,
) -> dict[str, Array]:
    """Parameters of a recurrent cell, uniform in ±1/√hidden, as in PyTorch.

    {"weight_ih": (gates·hidden, inputs), "weight_hh": (gates·hidden, hidden), "bias_ih", "bias_hh":
    (gates·hidden,)} with 1 gate for "rnn", 4 for "lstm", 3 for "gru". Raises KeyError for another kind.
    """
    rows = {"rnn": 1, "lstm": 4, "gru": 3}[kind] * hidden
    bound = 1 / math.sqrt(hidden)
    shapes = {
        "weight_ih": (rows, inputs),
        "weight_hh": (rows, hidden),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    }
    return {name: rng.uniform(-bound, bound, shape).astype(dtype) for name, shape in shapes.items()}
