"""Gradient cases of attention: masks of every kind, memories of another length, one head and several."""

from typing import Any

import numpy as np

from groundup.ops.attention import (
    causal_mask,
    multi_head_attention,
    padding_mask,
    scaled_dot_product_attention,
)
from groundup.ops.types import Array, Backward, Case, Mask

NAMES = ("query", "key", "value", "out")


def self_attention(x: Array, params: dict[str, dict[str, Array]], heads: int, mask: Mask) -> tuple[Array, Backward]:
    """Multi-head attention of a sequence to itself: both gradients of x add."""
    y, back = multi_head_attention(x, x, params, heads, mask)

    def backward(dy: Array) -> tuple[Array, Any]:
        dx_query, dx_memory, d_params = back(dy)
        return dx_query + dx_memory, d_params

    return y, backward


def torch_attention(torch: Any, query: Any, key: Any, value: Any, mask: Any = None, scale: Any = None) -> Any:
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)


def torch_multi_head(torch: Any, x_query: Any, x_memory: Any, params: Any, heads: int, mask: Any = None) -> Any:
    """torch's own multi-head attention, which wants time first and True where attention is *forbidden*."""
    batch, queries, width = x_query.shape
    if mask is not None:
        every = (batch, heads, queries, x_memory.shape[1])
        mask = ~mask.expand(every).reshape(batch * heads, *every[2:])
    biases = [params[name]["bias"] for name in NAMES[:3] if "bias" in params[name]]
    weights = {f"{short}_proj_weight": params[name]["weight"] for short, name in zip("qkv", NAMES, strict=False)}
    memory = x_memory.transpose(0, 1)
    y, _ = torch.nn.functional.multi_head_attention_forward(
        x_query.transpose(0, 1),
        memory,
        memory,
        width,
        heads,
        None,  # the packed projections, which are given apart below
        torch.cat(biases) if biases else None,
        None,
        None,
        False,
        0.0,
        params["out"]["weight"],
        params["out"].get("bias"),
        training=False,
        need_weights=False,
        attn_mask=mask,
        use_separate_proj_weight=True,
        **weights,
    )
    return y.transpose(0, 1)


def torch_self_attention(torch: Any, x: Any, params: Any, heads: int, mask: Any = None) -> Any:
    return torch_multi_head(torch, x, x, params, heads, mask)


def attention_case(
    name: str,
    query: tuple[int, ...],
    keys: int,
    value_width: int,
    mask: Mask = None,
    scale: float | None = None,
    oracle: bool = True,
) -> Case:
    """query is (..., Tq, d); there are ``keys`` keys of the same width and as many values."""

    def arguments(rng: np.random.Generator) -> dict[str, Any]:
        return {
            "query": rng.normal(size=query),
            "key": rng.normal(size=(*query[:-2], keys, query[-1])),
            "value": rng.normal(size=(*query[:-2], keys, value_width)),
            "mask": mask,
            "scale": scale,
        }

    return Case(
        name=f"scaled_dot_product_attention{name}",
        function=scaled_dot_product_attention,
        arguments=arguments,
        differentiable=("query", "key", "value"),
        oracle=torch_attention if oracle else None,
    )


def draw_projections(rng: np.random.Generator, width: int, bias: bool = True) -> dict[str, dict[str, Array]]:
    """Query, key, value and output projections (D, D)."""
    return {
        name: {
            "weight": rng.normal(size=(width, width)),
            **({"bias": rng.normal(size=width)} if bias else {}),
        }
        for name in NAMES
    }


def multi_head_case(
    name: str,
    x_query: tuple[int, int, int],
    memory: int,
    heads: int,
    mask: Mask = None,
    bias: bool = True,
    oracle: bool = True,
) -> Case:
    """x_query is (B, Tq, D); the memory has the length given."""

    def arguments(rng: np.random.Generator) -> dict[str, Any]:
        batch, _, width = x_query
        return {
            "x_query": rng.normal(size=x_query),
            "x_memory": rng.normal(size=(batch, memory, width)),
            "params": draw_projections(rng, width, bias),
            "heads": heads,
            "mask": mask,
        }

    return Case(
        name=f"multi_head_attention{name}",
        function=multi_head_attention,
        arguments=arguments,
        differentiable=("x_query", "x_memory", "params"),
        oracle=torch_multi_head if oracle else None,
    )


def self_attention_case(name: str, x: tuple[int, int, int], heads: int, mask: Mask) -> Case:
    return Case(
        name=f"multi_head_attention, self-attention{name}",
        function=self_attention,
        arguments=lambda rng: {
            "x": rng.normal(size=x),
            "params": draw_projections(rng, x[-1]),
            "heads": heads,
            "mask": mask,
        },
        differentiable=("x", "params"),
        oracle=torch_self_attention,
    )


TWO_OF_FOUR = np.array([[True, True, True, False], [True, True, False, False]])  # real tokens of two examples
SPARSE = np.array([[True, False, True, False], [False, True, False, False], [True, True, True, True]])
ONE_BLIND = np.array([[True, False, True, False], [False, False, False, False], [True, True, True, True]])

CASES = [
    attention_case("", (2, 3, 4), 3, 4),
    attention_case(", batch 1", (1, 3, 2), 3, 2),
    attention_case(", no batch", (3, 2), 4, 2),
    attention_case(", length 1", (2, 1, 3), 1, 3),
    attention_case(", heads and a memory", (2, 2, 3, 4), 5, 2),
    attention_case(", scale", (2, 3, 4), 3, 4, scale=0.3),
    attention_case(", causal", (2, 4, 3), 4, 3, mask=causal_mask(4)),
    attention_case(", padding", (2, 2, 4, 3), 4, 3, mask=padding_mask(TWO_OF_FOUR)),
    attention_case(", causal and padding", (2, 2, 4, 3), 4, 3, mask=causal_mask(4) & padding_mask(TWO_OF_FOUR)),
    attention_case(", cross mask", (2, 3, 2), 4, 3, mask=SPARSE),
    # torch's own layer answers a query that may see nothing with nan, so these have no oracle.
    attention_case(", blind query", (2, 3, 2), 4, 3, mask=ONE_BLIND, oracle=False),
    multi_head_case("", (2, 3, 4), 3, heads=2),
    multi_head_case(", batch 1", (1, 3, 4), 2, heads=2),
    multi_head_case(", length 1", (2, 1, 4), 1, heads=2),
    multi_head_case(", heads 1", (2, 3, 3), 4, heads=1),
    multi_head_case(", a head per feature", (2, 2, 3), 3, heads=3),
    multi_head_case(", no bias", (2, 3, 4), 4, heads=2, bias=False),
    multi_head_case(", padded memory", (2, 3, 4), 4, heads=2, mask=padding_mask(TWO_OF_FOUR)),
    multi_head_case(", cross mask", (2, 3, 4), 4, heads=2, mask=SPARSE),
    multi_head_case(", blind query", (2, 3, 4), 4, heads=2, mask=ONE_BLIND, oracle=False),
    self_attention_case("", (2, 3, 4), 2, None),
    self_attention_case(", causal", (2, 4, 4), 2, causal_mask(4)),
    self_attention_case(", causal, all 1", (1, 1, 2), 1, causal_mask(1)),
]
