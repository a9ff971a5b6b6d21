"""Proof: numerical gradients, independent oracles, and parity of a hand-written model with its PyTorch twin.

Every check returns the errors it measured; whoever calls decides by the limits below. The planted-mistake tests
call these same functions.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from groundup.ops.types import Case, Tree
from groundup.proof.layouts import rearranged, reversed_axes, strided
from groundup.training.learner import as_tuple
from groundup.training.params import flatten, map_tree

if TYPE_CHECKING:
    from groundup.lesson import Model

GRADIENT_LIMIT = 1e-6  # relative, against central differences in float64
ORACLE_LIMIT = 1e-8  # relative, against PyTorch in float64
LAYOUT_LIMIT = 1e-10  # relative: another layout of the same numbers may only change the order of summation
PARITY_STEPS = 20


@dataclass(frozen=True)
class Proof:
    """One measured error and the limit it must keep."""

    subject: str
    check: str
    error: float
    limit: float

    @property
    def passed(self) -> bool:
        """An error that is not a number does not pass."""
        return self.error <= self.limit


def check_case(case: Case, seed: int = 0, oracle: bool = True) -> list[Proof]:
    """All checks of one case: gradient, oracle, and the manners that the one convention demands."""
    arguments = case.arguments(np.random.default_rng(seed))
    rng = np.random.default_rng(seed + 1)
    found = [
        Proof(
            case.name,
            "gradient",
            gradient_error(case.function, arguments, case.differentiable, rng),
            GRADIENT_LIMIT,
        ),
        Proof(case.name, "backward twice", repeat_error(case.function, arguments, case.differentiable, rng), 0.0),
        Proof(case.name, "arguments kept", mutation_error(case.function, arguments, rng), 0.0),
        Proof(case.name, "float32 kept", dtype_error(case.function, arguments, case.differentiable, rng), 0.0),
        Proof(case.name, "layouts", layout_error(case.function, arguments, case.differentiable, rng), LAYOUT_LIMIT),
    ]
    if oracle and case.oracle is not None:
        error = oracle_error(case.function, case.oracle, arguments, case.differentiable, rng)
        found.append(Proof(case.name, "oracle", error, ORACLE_LIMIT))
    return found


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> tuple[Any, Callable[..., Any]]:
    """Call with copies of the Generators among the arguments, so that every call draws the same numbers."""
    fresh = {
        name: copy.deepcopy(value) if isinstance(value, np.random.Generator) else value
        for name, value in arguments.items()
    }
    value, backward = function(**fresh)
    return value, backward


def draw_upstream(value: Any, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A random upstream gradient for every output. Never ones: a sum hides what cancels in it."""
    return tuple(rng.normal(size=np.shape(part)).astype(np.asarray(part).dtype) for part in as_tuple(value))


def gradient_error(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    differentiable: Sequence[str],
    rng: np.random.Generator,
    step: float = 1e-5,
) -> float:
    """The largest relative error of ``backward`` against central differences, element by element.

    For outputs y and a random upstream u the scalar Σ u·y is differentiated by
    (f(x + h) − f(x − h)) / 2h for every element of every differentiable argument. Errors are relative to the
    largest gradient of the same array, or to a thousandth of the largest of all where an array has (nearly) none.
    """
    value, backward = call(function, arguments)
    upstream = draw_upstream(value, rng)
    analytic = flatten(dict(zip(differentiable, as_tuple(backward(*upstream)), strict=True)))
    numeric = {}
    for name, array in flatten({name: arguments[name] for name in differentiable}).items():
        if array.dtype != np.float64:
            raise TypeError(f"{name} is {array.dtype}: gradients are proven in float64")
        probe = array.copy()
        replaced = substitute(arguments, name, probe)
        gradient = np.empty_like(probe)
        for index in np.ndindex(probe.shape):
            kept = probe[index]
            width = step * max(1.0, abs(float(kept)))
            probe[index] = kept + width
            above = weighted_sum(call(function, replaced)[0], upstream)
            probe[index] = kept - width
            below = weighted_sum(call(function, replaced)[0], upstream)
            probe[index] = kept
            gradient[index] = (above - below) / (2 * width)
        numeric[name] = gradient
    return largest_error(analytic, numeric)


def substitute(arguments: Mapping[str, Any], dotted: str, array: np.ndarray) -> dict[str, Any]:
    """The same arguments with one leaf replaced, the trees on the way to it copied."""
    head, _, rest = dotted.partition(".")

    def replace(tree: Tree, path: str) -> Tree:
        if not path:
            return array
        key, _, below = path.partition(".")
        if isinstance(tree, list):
            return [replace(item, below) if str(index) == key else item for index, item in enumerate(tree)]
        return {name: replace(item, below) if name == key else item for name, item in tree.items()}

    return {name: replace(value, rest) if name == head else value for name, value in arguments.items()}


def weighted_sum(value: Any, upstream: tuple[np.ndarray, ...]) -> float:
    """Σ u·y over all outputs. Where y is −∞ (a masked log-probability) it takes no part."""
    total = 0.0
    for part, weight in zip(as_tuple(value), upstream, strict=True):
        part = np.asarray(part)
        total += float(np.sum(weight * np.where(np.isfinite(part), part, 0.0)))
    return total


def largest_error(found: Mapping[str, Any], expected: Mapping[str, Any]) -> float:
    """The largest relative error over arrays of the same names; infinite if names or shapes differ."""
    if found.keys() != expected.keys():
        return math.inf
    overall = max((float(np.max(np.abs(array), initial=0.0)) for array in expected.values()), default=0.0)
    worst = 0.0
    for name, array in expected.items():
        if np.shape(found[name]) != np.shape(array):
            return math.inf
        scale = max(float(np.max(np.abs(array), initial=0.0)), 1e-3 * overall, 1e-12)
        error = float(np.max(np.abs(np.asarray(found[name]) - array), initial=0.0)) / scale
        worst = max(worst, error if math.isfinite(error) else math.inf)
    return worst


def repeat_error(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    differentiable: Sequence[str],
    rng: np.random.Generator,
) -> float:
    """Zero if a second ``backward``, with another one in between, returns the same bits, else infinite."""
    value, backward = call(function, arguments)
    upstream = draw_upstream(value, rng)
    first = copy.deepcopy(as_tuple(backward(*upstream)))
    backward(*draw_upstream(value, rng))
    second = as_tuple(backward(*upstream))
    return 0.0 if same_bits(list(first), list(second)) else math.inf


def mutation_error(function: Callable[..., Any], arguments: Mapping[str, Any], rng: np.random.Generator) -> float:
    """Zero if neither the call nor ``backward`` changes an argument or the upstream gradient, else infinite."""
    arrays = {name: value for name, value in arguments.items() if not isinstance(value, np.random.Generator)}
    before = copy.deepcopy(arrays)
    value, backward = call(function, arguments)
    upstream = draw_upstream(value, rng)
    kept = copy.deepcopy(upstream)
    backward(*upstream)
    return 0.0 if same_bits(arrays, before) and same_bits(list(upstream), list(kept)) else math.inf


def same_bits(a: Tree, b: Tree) -> bool:
    """Whether two trees have equal leaves, NaN being equal to NaN."""
    a, b = flatten(a), flatten(b)
    return a.keys() == b.keys() and all(
        np.array_equal(a[name], b[name], equal_nan=True) if isinstance(a[name], np.ndarray) else a[name] == b[name]
        for name in a
        if isinstance(a[name], np.ndarray | int | float | str | bool)
    )


def dtype_error(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    differentiable: Sequence[str],
    rng: np.random.Generator,
) -> float:
    """Zero if float32 arguments give float32 values and gradients, else infinite."""
    value, backward = call(function, {name: as_float32(value) for name, value in arguments.items()})
    gradients = flatten(dict(zip(differentiable, as_tuple(backward(*draw_upstream(value, rng))), strict=True)))
    arrays = [*as_tuple(value), *gradients.values()]
    return 0.0 if all(np.asarray(array).dtype == np.float32 for array in arrays) else math.inf


def as_float32(value: Any) -> Any:
    """Float arrays of a tree in float32; anything else as it is."""
    if isinstance(value, dict | list):
        return map_tree(as_float32, value)
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def layout_error(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    differentiable: Sequence[str],
    rng: np.random.Generator,
) -> float:
    """The largest relative change of value and gradients where arguments and upstream lie otherwise in memory."""
    upstream = draw_upstream(call(function, arguments)[0], rng)

    def results(layout: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
        value, backward = call(function, {name: rearranged(value, layout) for name, value in arguments.items()})
        gradients = as_tuple(backward(*(rearranged(part, layout) for part in upstream)))
        found = {"value": list(as_tuple(value))} | dict(zip(differentiable, gradients, strict=True))
        return {name: np.nan_to_num(array) for name, array in flatten(found).items()}

    expected = results(np.ascontiguousarray)
    return max(largest_error(results(layout), expected) for layout in (np.asfortranarray, strided, reversed_axes))


def oracle_error(
    function: Callable[..., Any],
    oracle: Callable[..., Any],
    arguments: Mapping[str, Any],
    differentiable: Sequence[str],
    rng: np.random.Generator,
) -> float:
    """The largest relative error of value and gradients against PyTorch's own function and autograd."""
    import torch

    value, backward = call(function, arguments)
    upstream = draw_upstream(value, rng)
    gradients = flatten(dict(zip(differentiable, as_tuple(backward(*upstream)), strict=True)))

    def tensor(leaf: Any, grad: bool) -> Any:
        return torch.tensor(leaf, requires_grad=grad) if isinstance(leaf, np.ndarray) else leaf

    tensors = {
        name: map_tree(lambda leaf, grad=name in differentiable: tensor(leaf, grad), value)
        for name, value in arguments.items()
    }
    expected = as_tuple(oracle(torch, **tensors))
    total = sum((part * torch.tensor(weight)).sum() for part, weight in zip(expected, upstream, strict=True))
    watched = flatten({name: tensors[name] for name in differentiable})
    autograd = torch.autograd.grad(total, list(watched.values()), allow_unused=True)
    values = {f"value {index}": part.detach().numpy() for index, part in enumerate(expected)}
    mine = {f"value {index}": part for index, part in enumerate(as_tuple(value))}
    theirs = {
        name: np.zeros(leaf.shape) if gradient is None else gradient.numpy()
        for (name, leaf), gradient in zip(watched.items(), autograd, strict=True)
    }
    return max(largest_error(mine, values), largest_error(gradients, theirs))


def model_case(model: "Model", seed: int = 0) -> Case:
    """A model as a case: outputs and loss together, with random upstreams, so that both backwards are proven."""
    learner: Any = model.learner("numpy", np.random.default_rng(seed), dtype=np.float64, **model.tiny)

    def arguments(rng: np.random.Generator) -> dict[str, Any]:
        batch = map_tree(as_float64, {**learner.carry, **model.batch(rng, **model.tiny)})
        params = map_tree(lambda leaf: leaf + 0.1 * rng.normal(size=leaf.shape), learner.params)
        return {"params": params, "batch": batch, "rng": np.random.default_rng(seed)}

    def outputs_and_loss(params: Tree, batch: Mapping[str, np.ndarray], rng: np.random.Generator) -> Any:
        outputs, backward = learner.forward(params, batch, rng)
        loss, loss_backward = learner.criterion(outputs, batch)

        def both(*upstream: Any) -> Tree:
            d_loss = float(upstream[-1])
            through_loss = as_tuple(loss_backward())
            return backward(*(d_loss * a + b for a, b in zip(through_loss, upstream[:-1], strict=True)))

        return (*as_tuple(outputs), loss), both

    return Case(f"model {model.name}", outputs_and_loss, arguments, ("params",))


def as_float64(value: Any) -> Any:
    """Float arrays in float64; anything else as it is."""
    return value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype == np.float32 else value


def check_model(model: "Model", seed: int = 0) -> list[Proof]:
    """A model's gradient check and manners."""
    return check_case(model_case(model, seed), seed)


def check_parity(model: "Model", seed: int = 0, steps: int = PARITY_STEPS) -> list[Proof]:
    """A model against its twin in float64, from the same parameters, on the same batches, without dropout.

    Compared are the outputs, the gradient of every parameter, the parameters after one optimiser step, and the
    losses of ``steps`` steps, relative to the largest number of each. A parameter without any gradient fails:
    dead networks agree about everything.
    """
    size = {**model.tiny, **({"dropout": 0.0} if "dropout" in model.tiny else {})}
    learners = [
        model.learner(track, np.random.default_rng(seed), dtype=np.float64, **size) for track in ("numpy", "torch")
    ]
    rng = np.random.default_rng(seed + 1)
    batches = [map_tree(as_float64, model.batch(rng, **size)) for _ in range(steps)]
    outputs, gradients, losses, after = [], [], [], []
    for learner in learners:
        outputs.append({str(index): part for index, part in enumerate(as_tuple(learner.outputs(batches[0])))})
        gradients.append({name: array.copy() for name, array in flatten(learner.gradients(batches[0])[1]).items()})
        curve = [learner.step(batches[0], np.random.default_rng(seed))]
        after.append({name: array.copy() for name, array in flatten(learner.parameters()).items()})
        curve += [learner.step(batch, np.random.default_rng(seed)) for batch in batches[1:]]
        losses.append({"loss": np.array(curve)})
    dead = [name for name, gradient in gradients[1].items() if not gradient.any()]
    alive = Proof(f"model {model.name}", "all parameters learn", math.inf if dead else 0.0, 0.0)
    return [alive] + [
        Proof(f"model {model.name}", check, largest_error(mine, theirs), ORACLE_LIMIT)
        for check, (mine, theirs) in {
            "outputs": outputs,
            "gradients": gradients,
            "one step": after,
            f"{steps}-step losses": losses,
        }.items()
    ]
