"""Gradient cases of what works on images and channels: normalisation, convolution, pooling."""

from collections.abc import Callable
from typing import Any

import numpy as np

from groundup.ops.conv import conv2d
from groundup.ops.norms import batch_norm, layer_norm, local_response_norm
from groundup.ops.pooling import avg_pool2d, max_pool2d
from groundup.ops.types import Array, Backward, Case

Arguments = Callable[[np.random.Generator], dict[str, Any]]


def channels_first(torch: Any, function: Callable[..., Any], x: Any, *arguments: Any, **options: Any) -> Any:
    """PyTorch's function of an (N, C, ...) tensor, for x (N, ..., C)."""
    return torch.movedim(function(torch.movedim(x, -1, 1), *arguments, **options), 1, -1)


# ------------------------------------------------------------------------------------------------- layer_norm


def layer_norm_case(variant: str, *shape: int, **options: float) -> Case:
    """layer_norm of x (*shape)."""

    def arguments(rng: np.random.Generator) -> dict[str, Any]:
        x, gain, bias = 2 + rng.normal(size=shape), rng.normal(size=shape[-1]), rng.normal(size=shape[-1])
        return {"x": x, "gain": gain, "bias": bias, **options}

    def oracle(torch: Any, x: Any, gain: Any, bias: Any, eps: float = 1e-5) -> Any:
        return torch.nn.functional.layer_norm(x, shape[-1:], gain, bias, eps)

    return Case("layer_norm" + variant, layer_norm, arguments, ("x", "gain", "bias"), oracle)


# ------------------------------------------------------------------------------------------------- batch_norm


def batch_norm_output(**arguments: Any) -> tuple[Array, Backward]:
    """batch_norm without its running statistics: they are buffers, and no gradient flows through them."""
    (y, _, _), backward = batch_norm(**arguments)
    return y, backward


def batch_norm_case(variant: str, *shape: int, **options: Any) -> Case:
    """batch_norm of x (*shape), with running statistics that are not those of the batch."""

    def arguments(rng: np.random.Generator) -> dict[str, Any]:
        gain, bias, mean = (rng.normal(size=shape[-1]) for _ in range(3))
        x, var = 2 + rng.normal(size=shape), rng.uniform(0.5, 2, shape[-1])
        return {"x": x, "gain": gain, "bias": bias, "running_mean": mean, "running_var": var, **options}

    def oracle(torch: Any, x: Any, gain: Any, bias: Any, running_mean: Any, running_var: Any, **options: Any) -> Any:
        options = {"training": True, **options}
        return channels_first(
            torch, torch.nn.functional.batch_norm, x, running_mean, running_var, gain, bias, **options
        )

    return Case("batch_norm" + variant, batch_norm_output, arguments, ("x", "gain", "bias"), oracle)


# ---------------------------------------------------------------------------------------- local_response_norm


def local_response_norm_case(variant: str, *shape: int, **options: Any) -> Case:
    """local_response_norm of x (*shape); PyTorch's alpha is divided by the size, the paper's is not."""

    def oracle(torch: Any, x: Any, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> Any:
        return channels_first(torch, torch.nn.functional.local_response_norm, x, size, alpha * size, beta, k)

    return Case(
        "local_response_norm" + variant,
        local_response_norm,
        lambda rng: {"x": rng.normal(size=shape), **options},
        ("x",),
        oracle,
    )


# ----------------------------------------------------------------------------------------------------- conv2d


def conv2d_case(
    variant: str, image: tuple[int, ...], weight: tuple[int, ...], with_bias: bool = True, **options: Any
) -> Case:
    """conv2d of an image (N, H, W, C) with a weight (O, C, kh, kw)."""

    def arguments(rng: np.random.Generator) -> dict[str, Any]:
        bias = {"bias": rng.normal(size=weight[0])} if with_bias else {}
        return {"x": rng.normal(size=image), "weight": rng.normal(size=weight), **bias, **options}

    def oracle(torch: Any, x: Any, weight: Any, bias: Any = None, **options: Any) -> Any:
        return channels_first(torch, torch.nn.functional.conv2d, x, weight, bias, **options)

    differentiable = ("x", "weight", "bias") if with_bias else ("x", "weight")
    return Case("conv2d" + variant, conv2d, arguments, differentiable, oracle)


# ---------------------------------------------------------------------------------------------------- pooling


def max_pool2d_case(variant: str, *shape: int, **options: Any) -> Case:
    """max_pool2d of x (*shape), with values 0.1 apart: no small step changes which is the largest."""

    def arguments(rng: np.random.Generator) -> dict[str, Any]:
        count = int(np.prod(shape))
        return {"x": 0.1 * (rng.permutation(count).reshape(shape) - count // 2), **options}

    def oracle(torch: Any, x: Any, size: Any, **options: Any) -> Any:
        return channels_first(torch, torch.nn.functional.max_pool2d, x, size, **options)

    return Case("max_pool2d" + variant, max_pool2d, arguments, ("x",), oracle)


def avg_pool2d_case(variant: str, *shape: int, **options: Any) -> Case:
    """avg_pool2d of x (*shape)."""

    def oracle(torch: Any, x: Any, size: Any, **options: Any) -> Any:
        return channels_first(torch, torch.nn.functional.avg_pool2d, x, size, **options)

    return Case(
        "avg_pool2d" + variant,
        avg_pool2d,
        lambda rng: {"x": rng.normal(size=shape), **options},
        ("x",),
        oracle,
    )


CASES: list[Case] = [
    layer_norm_case("", 3, 4, 5),
    layer_norm_case(", one axis", 6),
    layer_norm_case(", two axes", 4, 6),
    layer_norm_case(", batch 1", 1, 3, 4),
    layer_norm_case(", large eps", 3, 4, eps=0.5),
    batch_norm_case("", 3, 2, 2, 4),
    batch_norm_case(", no positions", 5, 3),
    batch_norm_case(", batch 1", 1, 2, 3, 2),
    batch_norm_case(", momentum and eps", 4, 3, 2, momentum=0.3, eps=0.1),
    batch_norm_case(", evaluation", 3, 2, 2, 4, training=False),
    batch_norm_case(", evaluation of one value", 1, 3, training=False),
    local_response_norm_case("", 2, 2, 3, 7, alpha=0.3),
    local_response_norm_case(", the paper's constants", 1, 2, 2, 6),
    local_response_norm_case(", even size", 2, 2, 1, 6, size=4, alpha=0.3, beta=0.6, k=1.5),
    local_response_norm_case(", fewer channels than the window", 2, 1, 2, 2, size=7, alpha=0.3),
    local_response_norm_case(", size 1", 1, 2, 2, 3, size=1, alpha=0.3),
    local_response_norm_case(", one channel", 1, 2, 2, 1, alpha=0.3),
    conv2d_case("", (2, 5, 5, 3), (4, 3, 3, 3), padding=1),
    conv2d_case(", no bias", (2, 4, 5, 2), (3, 2, 3, 3), with_bias=False),
    conv2d_case(", stride 2", (2, 6, 7, 2), (3, 2, 3, 3), stride=2, padding=1),
    conv2d_case(", pixels that no window reaches", (1, 6, 8, 2), (2, 2, 2, 2), stride=3),
    conv2d_case(", dilation 2", (2, 6, 6, 2), (2, 2, 3, 3), dilation=2, padding=2),
    conv2d_case(", pairs", (2, 5, 7, 2), (3, 2, 2, 3), stride=(2, 1), padding=(0, 2), dilation=(1, 2)),
    conv2d_case(", batch 1", (1, 4, 4, 1), (2, 1, 3, 3)),
    conv2d_case(", one by one", (2, 3, 4, 3), (5, 3, 1, 1)),
    conv2d_case(", kernel as large as the image", (3, 4, 3, 2), (2, 2, 4, 3)),
    max_pool2d_case("", 2, 4, 4, 3, size=2),
    max_pool2d_case(", overlapping", 2, 5, 7, 2, size=3, stride=2),
    max_pool2d_case(", padding", 2, 5, 4, 2, size=3, stride=2, padding=1),
    max_pool2d_case(", pairs", 1, 5, 6, 2, size=(2, 3), stride=(1, 2), padding=(1, 0)),
    max_pool2d_case(", a window of 400 pixels", 1, 20, 21, 1, size=20, stride=1),
    avg_pool2d_case("", 2, 4, 4, 3, size=2),
    avg_pool2d_case(", overlapping", 2, 5, 7, 2, size=3, stride=2),
    avg_pool2d_case(", padding", 2, 5, 4, 2, size=3, stride=2, padding=1),
    avg_pool2d_case(", pairs", 1, 5, 6, 2, size=(2, 3), stride=(1, 2), padding=(1, 0)),
]
