"""Optimisers, learning-rate schedules and clipping.

An optimiser is a pair of functions: ``init(params)`` makes its state, a tree, and
``update(params, gradients, state, learning_rate)`` changes parameters and state in place, which is what keeps
a training step small in memory. The update rules agree with ``torch.optim`` to the last few bits.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from groundup.ops.types import Tree
from groundup.training.params import leaves, map_tree

Schedule = Callable[[int], float]


class Optimiser(NamedTuple):
    """``state = init(params)``, then ``update(params, gradients, state, learning_rate)`` once a step, in place."""

    init: Callable[[Tree], Tree]
    update: Callable[[Tree, Tree, Tree, float], None]


def sgd(momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0) -> Optimiser:
    """Stochastic gradient descent with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013).

    ``weight_decay`` adds λ·w to the gradient (an L2 penalty of λ/2·‖w‖²), as AlexNet §5 does.
    """

    def init(params: Tree) -> Tree:
        return {"velocity": map_tree(np.zeros_like, params)} if momentum else {}

    def step(param: np.ndarray, gradient: np.ndarray, velocity: np.ndarray | None, rate: float) -> None:
        direction = gradient + weight_decay * param if weight_decay else gradient
        if velocity is not None:
            velocity[...] = momentum * velocity + direction  # v ← β v + g
            direction = direction + momentum * velocity if nesterov else velocity
        param -= rate * direction

    def update(params: Tree, gradients: Tree, state: Tree, rate: float) -> None:
        if momentum:
            map_tree(lambda p, g, v: step(p, g, v, rate), params, gradients, state["velocity"])
        else:
            map_tree(lambda p, g: step(p, g, None, rate), params, gradients)

    return Optimiser(init, update)


def adagrad(epsilon: float = 1e-10) -> Optimiser:
    """Duchi, Hazan & Singer 2011: each weight's rate falls with the sum of its squared gradients."""

    def init(params: Tree) -> Tree:
        return {"squares": map_tree(np.zeros_like, params)}

    def step(param: np.ndarray, gradient: np.ndarray, squares: np.ndarray, rate: float) -> None:
        squares += gradient * gradient
        param -= rate * gradient / (np.sqrt(squares) + epsilon)

    def update(params: Tree, gradients: Tree, state: Tree, rate: float) -> None:
        map_tree(lambda p, g, s: step(p, g, s, rate), params, gradients, state["squares"])

    return Optimiser(init, update)


def rmsprop(decay: float = 0.99, epsilon: float = 1e-8) -> Optimiser:
    """Tieleman & Hinton 2012, lecture 6.5: Adagrad with a moving average in place of the sum."""

    def init(params: Tree) -> Tree:
        return {"squares": map_tree(np.zeros_like, params)}

    def step(param: np.ndarray, gradient: np.ndarray, squares: np.ndarray, rate: float) -> None:
        squares[...] = decay * squares + (1 - decay) * gradient**2
        param -= rate * gradient / (np.sqrt(squares) + epsilon)

    def update(params: Tree, gradients: Tree, state: Tree, rate: float) -> None:
        map_tree(lambda p, g, s: step(p, g, s, rate), params, gradients, state["squares"])

    return Optimiser(init, update)


def adam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.0) -> Optimiser:
    """Adam (Kingma & Ba 2015, Algorithm 1, arXiv:1412.6980).

    With ``weight_decay`` it is AdamW (Loshchilov & Hutter 2019): w ← w − η·λ·w, apart from the gradient step.
    """

    def init(params: Tree) -> Tree:
        return {
            "steps": np.zeros((), dtype=np.int64),
            "mean": map_tree(np.zeros_like, params),
            "square": map_tree(np.zeros_like, params),
        }

    def update(params: Tree, gradients: Tree, state: Tree, rate: float) -> None:
        state["steps"] += 1
        steps = int(state["steps"])

        def step(param: np.ndarray, gradient: np.ndarray, mean: np.ndarray, square: np.ndarray) -> None:
            mean[...] = beta1 * mean + (1 - beta1) * gradient  # m ← β₁ m + (1 − β₁) g
            square[...] = beta2 * square + (1 - beta2) * gradient**2  # v ← β₂ v + (1 − β₂) g²
            unbiased_mean = mean / (1 - beta1**steps)  # m̂
            unbiased_square = square / (1 - beta2**steps)  # v̂
            param -= rate * (unbiased_mean / (np.sqrt(unbiased_square) + epsilon) + weight_decay * param)

        map_tree(step, params, gradients, state["mean"], state["square"])

    return Optimiser(init, update)


def global_norm(gradients: Tree) -> float:
    """√Σ g² over every number of the tree."""
    return math.sqrt(sum(float(np.sum(leaf.astype(np.float64) ** 2)) for leaf in leaves(gradients)))


def clip_by_global_norm(gradients: Tree, maximum: float) -> tuple[Tree, float]:
    """Scale the whole tree down so that its norm is at most ``maximum`` (Pascanu, Mikolov & Bengio 2013, Algorithm 1).

    Returns the tree (the same one if nothing had to change) and the norm before clipping. The 1e-6 is
    torch's ``clip_grad_norm_``'s, so that twins stay equal.
    """
    norm = global_norm(gradients)
    scale = maximum / (norm + 1e-6)
    if scale >= 1:
        return gradients, norm
    return map_tree(lambda gradient: gradient * scale, gradients), norm


def constant(rate: float) -> Schedule:
    """The same learning rate at every step."""
    return lambda step: rate


def cosine(peak: float, steps: int, warmup: int = 0, final: float = 0.0) -> Schedule:
    """Linear warm-up to ``peak``, then half a cosine down to ``final`` (Loshchilov & Hutter 2017, eq. 5)."""

    def rate(step: int) -> float:
        if step < warmup:
            return peak * (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, steps - warmup))
        return final + 0.5 * (peak - final) * (1 + math.cos(math.pi * progress))

    return rate


def inverse_root(width: int, warmup: int, factor: float = 1.0) -> Schedule:
    """Vaswani et al. 2017, eq. 3: factor · width^−½ · min(step^−½, step · warmup^−3⁄2), steps counted from 1."""

    def rate(step: int) -> float:
        count = step + 1
        return factor * width**-0.5 * min(count**-0.5, count * warmup**-1.5)

    return rate
