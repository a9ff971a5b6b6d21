"""Attention: masks, scaled dot-product attention and multi-head attention.

Source: Vaswani et al. 2017, "Attention is all you need", section 3.2. Masks are Boolean, True where a query
may look at a key. A query that may look at nothing gets zeros, and passes no gradient on.
"""

import math
from typing import Any

import numpy as np

from groundup.ops.activations import softmax
from groundup.ops.linear import linear
from groundup.ops.types import Array, Backward, Mask


def causal_mask(length: int) -> Array:
    """(T, T) lower triangle: position t sees itself and everything before it, nothing after."""
    return np.tri(length, dtype=bool)


def padding_mask(keep: Array) -> Array:
    """(B, T), True for real tokens -> (B, 1, 1, T): no head and no query of an example sees its padding."""
    return keep[:, None, None, :]


def attention_weights(query: Array, key: Array, mask: Mask = None, scale: float | None = None) -> Array:
    """softmax(Q Kᵀ · scale) along the keys: (..., Tq, d), (..., Tk, d) -> (..., Tq, Tk).

    ``mask`` broadcasts to (..., Tq, Tk); ``scale`` is 1/√d unless given. Rows sum to 1, or to 0 where the
    mask forbids every key. Not differentiable: for looking at.
    Raises TypeError for a mask that is not Boolean, such as one of 0 and -∞.
    """
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    scores = (query * scale) @ key.swapaxes(-1, -2)
    if mask is not None:
        if mask.dtype != np.bool_:
            raise TypeError(f"a mask is Boolean, True where a query may look, not {mask.dtype}")
        scores = np.where(np.broadcast_to(mask, scores.shape), scores, -np.inf)
    weights, _ = softmax(scores)
    return weights


def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, mask: Mask = None, scale: float | None = None
) -> tuple[Array, Backward]:
    """Attention(Q, K, V) = softmax(Q Kᵀ / √d) V (Vaswani et al. 2017, eq. 1).

    query (..., Tq, d), key (..., Tk, d), value (..., Tk, dv) with equal leading axes -> (..., Tq, dv).
    ``mask`` and ``scale`` as in ``attention_weights``. ``backward(dy)`` returns (dquery, dkey, dvalue).
    """
    # The scores of longer vectors spread wider; dividing by √d keeps the softmax from choosing a single key.
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    weights = attention_weights(query, key, mask, scale)  # (..., Tq, Tk)
    # A query reads the mean of the values under its weights.
    y = weights @ value

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        # A value hears from every query that read it, as loudly as it was read.
        d_value = weights.swapaxes(-1, -2) @ dy  # because y = weights @ value
        d_weights = dy @ value.swapaxes(-1, -2)  # likewise
        # Weights sum to 1, so a score moves by how much its weight's gradient differs from the weighted mean of all.
        inner = (y * dy).sum(axis=-1, keepdims=True)  # the mean of d_weights under the weights
        d_scores = weights * (d_weights - inner)  # the softmax's own backward
        # A score is a product of a query and a key, and so the gradient of each is made of the other.
        d_query = scale * (d_scores @ key)  # because scores = scale · query @ keyᵀ
        d_key = scale * (d_scores.swapaxes(-1, -2) @ query)  # likewise
        return d_query, d_key, d_value

    return y, backward


def split_heads(x: Array, heads: int) -> Array:
    """(B, T, D) -> (B, heads, T, D/heads), a view. Its gradient is ``merge_heads`` of the upstream one.

    Raises ValueError if the heads do not divide D.
    """
    batch, length, width = x.shape
    if width % heads:
        raise ValueError(f"a width of {width} does not divide into {heads} heads")
    return x.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)


def merge_heads(x: Array) -> Array:
    """(B, heads, T, D/heads) -> (B, T, D). Its gradient is ``split_heads`` of the upstream one."""
    batch, heads, length, width = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, length, heads * width)


def multi_head_attention(
    x_query: Array, x_memory: Array, params: dict[str, dict[str, Array]], heads: int, mask: Mask = None
) -> tuple[Array, Backward]:
    """MultiHead(Q, K, V) = Concat(head_1, ..., head_h) W_O (Vaswani et al. 2017, section 3.2.2).

    x_query (B, Tq, D) asks, x_memory (B, Tk, D) answers -> (B, Tq, D). ``params`` holds "query", "key",
    "value" and "out", each with a "weight" (D, D) and perhaps a "bias" (D).
    ``mask`` broadcasts to (B, heads, Tq, Tk). ``backward(dy)`` returns (dx_query, dx_memory, dparams);
    self-attention passes x twice and adds the first two.
    Raises ValueError if the heads do not divide D.
    """

    def project(name: str, x: Array) -> tuple[Array, Backward]:
        return linear(x, params[name]["weight"], params[name].get("bias"))

    # What asks, what is compared and what is read are three linear maps of the vectors, each learned.
    query, back_query = project("query", x_query)
    key, back_key = project("key", x_memory)
    value, back_value = project("value", x_memory)
    # A head attends within its own slice of the width, so that several patterns of reading fit side by side.
    per_head, back_attention = scaled_dot_product_attention(
        split_heads(query, heads), split_heads(key, heads), split_heads(value, heads), mask
    )  # (B, heads, Tq, D/heads)
    # The last map mixes what the heads have found.
    y, back_out = project("out", merge_heads(per_head))

    def backward(dy: Array) -> tuple[Array, Array, dict[str, Any]]:
        d_params = {}

        def named(name: str, dx: Array, *d_affine: Array) -> Array:
            d_params[name] = dict(zip(("weight", "bias"), d_affine, strict=False))
            return dx

        # The same stations from the end: the mix, the heads, their attention.
        d_merged = named("out", *back_out(dy))
        d_query, d_key, d_value = back_attention(split_heads(d_merged, heads))
        # Keys and values were both made of the memory, so it gets the sum of two gradients.
        dx_query = named("query", *back_query(merge_heads(d_query)))
        dx_key = named("key", *back_key(merge_heads(d_key)))
        dx_value = named("value", *back_value(merge_heads(d_value)))
        dx_memory = dx_key + dx_value
        return dx_query, dx_memory, {name: d_params[name] for name in params}

    return y, backward
