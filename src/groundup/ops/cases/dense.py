"""Gradient cases of the dense blocks: products, embedding, activations, losses, dropout."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.ops.activations import gelu, log_softmax, relu, sigmoid, softmax, tanh
from groundup.ops.dropout import dropout
from groundup.ops.embedding import embedding
from groundup.ops.linear import linear, matmul
from groundup.ops.losses import bce_with_logits, cross_entropy, mse
from groundup.ops.types import Array, Backward, Case

Arguments = Callable[[np.random.Generator], dict[str, Any]]


def normal(**shapes: tuple[int, ...]) -> Arguments:
    """Arguments that are all normal arrays of the given shapes."""
    return lambda rng: {name: rng.normal(size=shape) for name, shape in shapes.items()}


def away_from_zero(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random signs and sizes of at least 0.1, because a ReLU has no numerical derivative at 0."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.1, 2, shape)


def masked_softmax(scores: Array, mask: Array) -> tuple[Array, Backward]:
    """Softmax with -∞ where ``mask`` is False; its gradient there has to be 0 without further help."""
    return softmax(np.where(mask, scores, -np.inf))


def classification(*shape: int, classes: int, **options: Any) -> Arguments:
    """Logits (*shape, classes), random targets (*shape), and the options given."""
    return lambda rng: {
        "logits": rng.normal(size=(*shape, classes)),
        "targets": rng.integers(0, classes, shape),
        **options,
    }


def torch_cross_entropy(
    torch: Any, logits: Any, targets: Any, label_smoothing: float = 0.0, ignore_index: int = -100
) -> Any:
    return torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        targets.reshape(-1),
        label_smoothing=label_smoothing,
        ignore_index=ignore_index,
    )


def torch_bce(torch: Any, logits: Any, targets: Any) -> Any:
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)


def linear_case(name: str, x: tuple[int, ...], outputs: int, bias: bool = True) -> Case:
    shapes = {"x": x, "weight": (outputs, x[-1])} | ({"bias": (outputs,)} if bias else {})
    return Case(
        name=name,
        function=linear,
        arguments=normal(**shapes),
        differentiable=("x", "weight", "bias") if bias else ("x", "weight"),
        oracle=lambda torch, **tensors: torch.nn.functional.linear(*tensors.values()),
    )


def matmul_case(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> Case:
    return Case(
        name=name,
        function=matmul,
        arguments=normal(a=a, b=b),
        differentiable=("a", "b"),
        oracle=lambda torch, a, b: torch.matmul(a, b),
    )


def embedding_case(name: str, indices: Any) -> Case:
    return Case(
        name=name,
        function=embedding,
        arguments=lambda rng: {"indices": np.array(indices), "weight": rng.normal(size=(5, 3))},
        differentiable=("weight",),
        oracle=lambda torch, indices, weight: torch.nn.functional.embedding(indices, weight),
    )


def cross_entropy_case(name: str, arguments: Arguments) -> Case:
    return Case(
        name=name,
        function=cross_entropy,
        arguments=arguments,
        differentiable=("logits",),
        oracle=torch_cross_entropy,
    )


CASES: list[Case] = [
    linear_case("linear", (2, 3, 4), outputs=5),
    linear_case("linear, no leading axis", (4,), outputs=3),
    linear_case("linear, no bias", (3, 4), outputs=2, bias=False),
    linear_case("linear, one row, one input, one output", (1, 1), outputs=1),
    matmul_case("matmul", (3, 4), (4, 2)),
    matmul_case("matmul, batch of heads", (2, 2, 3, 4), (2, 2, 4, 3)),
    matmul_case("matmul, broadcast on both sides", (2, 1, 3, 4), (3, 4, 2)),
    matmul_case("matmul, one matrix for the batch", (3, 2, 4), (4, 2)),
    matmul_case("matmul, batch 1 of rows", (1, 1, 4), (1, 4, 1)),
    # Indices repeat, so that gradients must add up, and leave a row of the table unused.
    embedding_case("embedding", [[0, 3, 3], [1, 3, 0]]),
    embedding_case("embedding, one axis", [4, 0, 4]),
    embedding_case("embedding, one token", 2),
    embedding_case("embedding, batch 1, length 1", [[1]]),
    Case(
        name="relu",
        function=relu,
        arguments=lambda rng: {"x": away_from_zero(rng, (2, 3, 4))},
        differentiable=("x",),
        oracle=lambda torch, x: torch.relu(x),
    ),
    Case(
        name="relu, one element",
        function=relu,
        arguments=lambda rng: {"x": away_from_zero(rng, (1,))},
        differentiable=("x",),
        oracle=lambda torch, x: torch.relu(x),
    ),
    Case(
        name="tanh",
        function=tanh,
        arguments=normal(x=(2, 3, 4)),
        differentiable=("x",),
        oracle=lambda torch, x: torch.tanh(x),
    ),
    Case(
        name="sigmoid",
        function=sigmoid,
        arguments=normal(x=(2, 3, 4)),
        differentiable=("x",),
        oracle=lambda torch, x: torch.sigmoid(x),
    ),
    Case(
        name="gelu",
        function=gelu,
        arguments=lambda rng: {"x": 2 * rng.normal(size=(2, 3, 4))},
        differentiable=("x",),
        oracle=lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
    ),
    Case(
        name="softmax",
        function=softmax,
        arguments=normal(x=(2, 3, 4)),
        differentiable=("x",),
        oracle=lambda torch, x: torch.softmax(x, -1),
    ),
    Case(
        name="softmax, middle axis",
        function=softmax,
        arguments=lambda rng: {"x": rng.normal(size=(2, 3, 4)), "axis": 1},
        differentiable=("x",),
        oracle=lambda torch, x, axis: torch.softmax(x, axis),
    ),
    Case(
        name="softmax, length 1",
        function=softmax,
        arguments=normal(x=(3, 1)),
        differentiable=("x",),
        oracle=lambda torch, x: torch.softmax(x, -1),
    ),
    Case(
        name="softmax, one row",
        function=softmax,
        arguments=normal(x=(4,)),
        differentiable=("x",),
        oracle=lambda torch, x: torch.softmax(x, -1),
    ),
    Case(
        name="softmax, causal mask",
        function=masked_softmax,
        arguments=lambda rng: {"scores": rng.normal(size=(2, 4, 4)), "mask": np.tri(4, dtype=bool)},
        differentiable=("scores",),
        oracle=lambda torch, scores, mask: torch.softmax(scores.masked_fill(~mask, -math.inf), -1),
    ),
    Case(
        name="softmax, a row masked altogether",  # no oracle: PyTorch answers nan
        function=masked_softmax,
        arguments=lambda rng: {
            "scores": rng.normal(size=(3, 2)),
            "mask": np.array([[False, False], [True, False], [True, True]]),
        },
        differentiable=("scores",),
    ),
    Case(
        name="log_softmax",
        function=log_softmax,
        arguments=normal(x=(2, 3, 4)),
        differentiable=("x",),
        oracle=lambda torch, x: torch.log_softmax(x, -1),
    ),
    Case(
        name="log_softmax, first axis",
        function=log_softmax,
        arguments=lambda rng: {"x": rng.normal(size=(3, 2)), "axis": 0},
        differentiable=("x",),
        oracle=lambda torch, x, axis: torch.log_softmax(x, axis),
    ),
    Case(
        name="log_softmax, one row",
        function=log_softmax,
        arguments=normal(x=(4,)),
        differentiable=("x",),
        oracle=lambda torch, x: torch.log_softmax(x, -1),
    ),
    cross_entropy_case("cross_entropy", classification(3, classes=4)),
    cross_entropy_case("cross_entropy, sequences", classification(2, 3, classes=4)),
    cross_entropy_case("cross_entropy, no leading axis", classification(classes=4)),
    cross_entropy_case("cross_entropy, batch 1, one class", classification(1, classes=1)),
    cross_entropy_case("cross_entropy, smoothed", classification(2, 3, classes=4, label_smoothing=0.1)),
    cross_entropy_case(
        "cross_entropy, ignoring -100",
        classification(2, 3, classes=4, targets=np.array([[0, -100, 3], [-100, 1, 1]]), ignore_index=-100),
    ),
    cross_entropy_case(
        "cross_entropy, smoothed, ignoring a class",
        classification(4, classes=4, targets=np.array([2, 0, 1, 0]), label_smoothing=0.2, ignore_index=0),
    ),
    Case(
        name="mse",
        function=mse,
        arguments=normal(prediction=(2, 3, 4), target=(2, 3, 4)),
        differentiable=("prediction",),
        oracle=lambda torch, prediction, target: torch.nn.functional.mse_loss(prediction, target),
    ),
    Case(
        name="mse, one number",
        function=mse,
        arguments=normal(prediction=(1,), target=(1,)),
        differentiable=("prediction",),
        oracle=lambda torch, prediction, target: torch.nn.functional.mse_loss(prediction, target),
    ),
    Case(
        name="bce_with_logits",
        function=bce_with_logits,
        arguments=lambda rng: {
            "logits": 3 * rng.normal(size=(2, 3)),
            "targets": rng.integers(0, 2, (2, 3)).astype(float),
        },
        differentiable=("logits",),
        oracle=torch_bce,
    ),
    Case(
        name="bce_with_logits, probabilities as targets",
        function=bce_with_logits,
        arguments=lambda rng: {"logits": rng.normal(size=(4,)), "targets": rng.uniform(size=(4,))},
        differentiable=("logits",),
        oracle=torch_bce,
    ),
    Case(
        name="dropout",  # no oracle: PyTorch draws another mask
        function=dropout,
        arguments=lambda rng: {"x": rng.normal(size=(3, 4)), "rate": 0.4, "rng": np.random.default_rng(1)},
        differentiable=("x",),
    ),
    Case(
        name="dropout, rate 0",
        function=dropout,
        arguments=lambda rng: {"x": rng.normal(size=(3, 4)), "rate": 0.0, "rng": np.random.default_rng(1)},
        differentiable=("x",),
        oracle=lambda torch, x, rate, rng: torch.nn.functional.dropout(x, rate),
    ),
]
