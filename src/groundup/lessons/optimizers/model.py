"""A ravine to walk down, and a multilayer perceptron of any depth with a choice of how it begins."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from groundup.ops.activations import relu
from groundup.ops.init import linear_params
from groundup.ops.linear import linear
from groundup.ops.types import Array, Backward, Tree
from groundup.training.optim import Optimiser
from groundup.training.params import map_tree

Activation = Callable[[Array], tuple[Array, Backward]]


def ravine(w: Array, curvature: Array) -> tuple[Array, Backward]:
    """L = ½ Σ cᵢ wᵢ², a valley along the axes; w and c (n,). ``backward(dL)`` returns dw."""
    loss = 0.5 * np.sum(curvature * w**2)  # (3)
    return loss, lambda dloss=1.0: dloss * curvature * w  # (3)


def walk(optimiser: Optimiser, curvature: Array, start: Array, rate: float, steps: int, scale: float = 1.0) -> Array:
    """(steps + 1, n): the places that an optimiser visits in a ravine whose loss is multiplied by ``scale``."""
    w = {"w": start.astype(np.float64)}
    state, places = optimiser.init(w), [start.copy()]
    for _ in range(steps):
        _, backward = ravine(w["w"], curvature)
        optimiser.update(w, {"w": backward(scale)}, state, rate)
        places.append(w["w"].copy())
    return np.array(places)


def small(inputs: int, outputs: int) -> float:
    """0.01 whatever the width, as AlexNet's weights began (Krizhevsky et al. 2012, section 5)."""
    return 0.01


def xavier(inputs: int, outputs: int) -> float:
    """The standard deviation of Glorot & Bengio 2010, equation 12: a compromise between the two directions."""
    return math.sqrt(2 / (inputs + outputs))  # (20)


def he(inputs: int, outputs: int) -> float:
    """The standard deviation of He et al. 2015, equation 10: half of all ReLUs are silent."""
    return math.sqrt(2 / inputs)  # (21)


STARTS: dict[str, Callable[[int, int], float]] = {"small": small, "xavier": xavier, "he": he}


def init(rng: np.random.Generator, sizes: Sequence[int], start: str = "he", dtype: type = np.float32) -> Tree:
    """Parameters of layers sizes[0] → sizes[1] → …: normal weights with the spread that ``start`` says, biases 0."""
    spread = STARTS[start]
    return {"layers": [linear_params(rng, a, b, std=spread(a, b), dtype=dtype) for a, b in pairwise(sizes)]}


def mlp(params: Tree, x: Array, activation: Activation = relu) -> tuple[Array, Backward]:
    """Linear layers with an activation between them: x (B, ...), flattened to (B, inputs) → logits (B, classes).

    ``backward(d_logits)`` returns the gradient tree of ``params``.
    """
    x = x.reshape(len(x), -1)
    *hidden, last = params["layers"]
    closures = []
    # On the way forward every layer leaves its two closures on a list.
    for layer in hidden:
        z, linear_backward = linear(x, layer["weight"], layer["bias"])
        x, activation_backward = activation(z)
        closures.append((linear_backward, activation_backward))
    # The last layer stands alone: logits may be any numbers, so nothing bends them.
    logits, last_backward = linear(x, last["weight"], last["bias"])

    def backward(d_logits: Array) -> Tree:
        # The gradient enters where the logits left.
        dx, d_weight, d_bias = last_backward(d_logits)
        gradients = [{"weight": d_weight, "bias": d_bias}]
        # The list is read from its end: through the activation first, then through the weights.
        for linear_backward, activation_backward in reversed(closures):
            dx, d_weight, d_bias = linear_backward(activation_backward(dx))
            gradients.insert(0, {"weight": d_weight, "bias": d_bias})
        return {"layers": gradients}

    return logits, backward


def with_l2(optimiser: Optimiser, penalty: float) -> Optimiser:
    """The same optimiser on the loss plus ½·penalty·‖w‖²: its gradient is g + penalty·w."""

    def update(params: Tree, gradients: Tree, state: Tree, rate: float) -> None:
        penalised = map_tree(lambda gradient, w: gradient + penalty * w, gradients, params)  # (15)
        optimiser.update(params, penalised, state, rate)

    return Optimiser(optimiser.init, update)
