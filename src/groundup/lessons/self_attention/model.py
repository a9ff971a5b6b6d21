"""Self-attention as it is invented: loops, matrices, the scale, blocks that are merged, several heads.

query (n, d), key (m, d) and value (m, width) are the rows that ask, that are compared and that are read.
"""

import math
from collections.abc import Iterator
from functools import reduce
from itertools import pairwise

import numpy as np

from groundup.ops.activations import relu, softmax
from groundup.ops.attention import multi_head_attention
from groundup.ops.embedding import embedding
from groundup.ops.init import embedding_params, linear_params
from groundup.ops.linear import linear
from groundup.ops.types import Array, Backward, Tree

#: What a tile of keys contributes to every query: largest score (n, 1), sum of the exponentials of the scores
#: less that maximum (n, 1), and the values weighted by these exponentials (n, width).
Partial = tuple[Array, Array, Array]


def attend_with_loops(query: Array, key: Array, value: Array) -> tuple[Array, Backward]:
    """softmax(Q Kᵀ) V written number by number, to be read and not to be used.

    query (n, d), key (m, d), value (m, width) -> (n, width). ``backward(dy)`` returns (dquery, dkey, dvalue).
    """
    (n, d), (m, width) = query.shape, value.shape
    weights = np.zeros((n, m), query.dtype)
    y = np.zeros((n, width), query.dtype)
    for i in range(n):
        scores = [sum(float(query[i, u]) * float(key[j, u]) for u in range(d)) for j in range(m)]  # (2)
        largest = max(scores)  # (12)
        exponentials = [math.exp(score - largest) for score in scores]  # (3), (12)
        total = sum(exponentials)  # (3)
        for j in range(m):
            weights[i, j] = exponentials[j] / total  # (3)
            for c in range(width):
                y[i, c] += weights[i, j] * value[j, c]  # (1)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        d_query, d_key, d_value = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
        for i in range(n):
            d_weights = [sum(float(dy[i, c]) * float(value[j, c]) for c in range(width)) for j in range(m)]  # (4)
            mean = sum(float(weights[i, j]) * d_weights[j] for j in range(m))  # (6)
            for j in range(m):
                d_score = float(weights[i, j]) * (d_weights[j] - mean)  # (6)
                for u in range(d):
                    d_query[i, u] += d_score * float(key[j, u])  # (7)
                    d_key[j, u] += d_score * float(query[i, u])  # (7)
                for c in range(width):
                    d_value[j, c] += weights[i, j] * dy[i, c]  # (4)
        return d_query, d_key, d_value

    return y, backward


def attend(query: Array, key: Array, value: Array) -> tuple[Array, Backward]:
    """softmax(Q Kᵀ) V: the same numbers by two matrix products.

    query (..., n, d), key (..., m, d), value (..., m, width) with equal leading axes -> (..., n, width).
    ``backward(dy)`` returns (dquery, dkey, dvalue).
    """
    # All scores at once, then each row of them a distribution over the keys.
    weights, softmax_backward = softmax(query @ key.swapaxes(-1, -2))  # (8) A (..., n, m)
    # Every query's mean of the values.
    y = weights @ value  # (8)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        # A value hears from every query that read it, as loudly as it was read.
        d_value = weights.swapaxes(-1, -2) @ dy  # (9) Y = A V: dV = Aᵀ dY
        # The weights hear what their values were good for; the softmax turns that into gradients of the scores.
        d_scores = softmax_backward(dy @ value.swapaxes(-1, -2))  # (9) dA = dY Vᵀ, then through the softmax
        # A score is a product of a query and a key, and so the gradient of each is made of the other.
        return d_scores @ key, d_scores.swapaxes(-1, -2) @ query, d_value  # (9) S = Q Kᵀ: dQ = dS K, dK = dSᵀ Q

    return y, backward


def attend_scaled(query: Array, key: Array, value: Array) -> tuple[Array, Backward]:
    """softmax(Q Kᵀ / √d) V, equation 1 of Vaswani et al. 2017 (arXiv:1706.03762); shapes as in ``attend``."""
    scale = 1 / math.sqrt(query.shape[-1])  # (11)
    y, attend_backward = attend(query * scale, key, value)  # (11)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        d_scaled, d_key, d_value = attend_backward(dy)
        return d_scaled * scale, d_key, d_value

    return y, backward


def partial_attention(query: Array, key: Array, value: Array) -> Partial:
    """What the keys of one tile contribute, as if there were no others: the scaling is the caller's."""
    scores = query @ key.T  # (n, tile)
    maximum = scores.max(axis=-1, keepdims=True)  # (15)
    exponentials = np.exp(scores - maximum)  # (15)
    return maximum, exponentials.sum(axis=-1, keepdims=True), exponentials @ value  # (15)


def merge(a: Partial, b: Partial) -> Partial:
    """The partial result of two sets of keys together.

    Source: Milakov & Gimelshein 2018 (arXiv:1805.02867), section 3.1, with the weighted values carried along.
    Each side is brought to the common maximum. The order does not matter, so nobody has to wait for a turn.
    """
    maximum = np.maximum(a[0], b[0])  # (16)
    shrink_a, shrink_b = np.exp(a[0] - maximum), np.exp(b[0] - maximum)  # (16)
    return maximum, a[1] * shrink_a + b[1] * shrink_b, a[2] * shrink_a + b[2] * shrink_b  # (16)


def tiles(start: int, stop: int, block: int) -> Iterator[slice]:
    """start … stop in slices of at most ``block``."""
    for first in range(start, stop, block):
        yield slice(first, min(first + block, stop))


def attend_in_blocks(query: Array, key: Array, value: Array, block: int, workers: int = 4) -> tuple[Array, Backward]:
    """softmax(Q Kᵀ / √d) V without ever holding the (n, m) weights: memory O(n · (block + d + width)).

    Each worker owns a contiguous share of the keys and values and walks over it in tiles of ``block``; the
    workers' partial results are merged at the end. Nothing of size (n, m) is kept for ``backward(dy)``, which
    returns (dquery, dkey, dvalue): it computes the weights of each tile again from the log-sum-exp of the
    scores, one number a query (Dao et al. 2022, arXiv:2205.14135, section 3.1 and appendix B).
    Shapes as in ``attend_with_loops``. Raises ValueError unless block and workers are at least 1.
    """
    if block < 1 or workers < 1:
        raise ValueError(f"block and workers must be at least 1, not {block} and {workers}")
    scale = 1 / math.sqrt(query.shape[-1])  # (11)
    scaled = query * scale  # (11)
    borders = [len(key) * worker // workers for worker in range(workers + 1)]
    shares = [(start, stop) for start, stop in pairwise(borders) if start < stop]

    def work(start: int, stop: int) -> Partial:
        partials = (partial_attention(scaled, key[t], value[t]) for t in tiles(start, stop, block))
        return reduce(merge, partials)  # two partial results at a time

    maximum, total, weighted = reduce(merge, (work(*share) for share in shares))
    y = weighted / total  # (11)
    log_sum = maximum + np.log(total)  # (17) (n, 1)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        mean = (y * dy).sum(axis=-1, keepdims=True)  # (18) Σ_j A dA = Σ_c Y dY: no weights needed
        d_scaled, d_key, d_value = np.zeros_like(query), np.empty_like(key), np.empty_like(value)
        for share in shares:
            for t in tiles(*share, block):
                weights = np.exp(scaled @ key[t].T - log_sum)  # (17) A of this tile
                d_value[t] = weights.T @ dy  # (9)
                d_scores = weights * (dy @ value[t].T - mean)  # (9)
                d_scaled += d_scores @ key[t]  # (9)
                d_key[t] = d_scores.T @ scaled  # (9)
        return scale * d_scaled, d_key, d_value

    return y, backward


def self_attention(x: Array, params: Tree, heads: int) -> tuple[Array, Backward]:
    """Multi-head attention of a sequence to itself: x (B, T, D) asks, is compared and is read.

    ``params`` as in ``multi_head_attention``. ``backward(dy)`` returns (dx, dparams).
    """
    y, attention_backward = multi_head_attention(x, x, params, heads)

    def backward(dy: Array) -> tuple[Array, Tree]:
        dx_asking, dx_asked, d_params = attention_backward(dy)
        return dx_asking + dx_asked, d_params

    return y, backward


def init(
    rng: np.random.Generator,
    names: int,
    contents: int,
    width: int,
    mixer: str = "attention",
    dtype: type = np.float32,
) -> Tree:
    """Parameters of ``card_reader`` or, for ``mixer="mean"``, of ``mean_reader``: equally many.

    The table has a row for every name, content, first question and second question.
    """
    parts = ("query", "key", "value", "out") if mixer == "attention" else ("value", "out", "hidden", "output")
    return {
        "embedding": embedding_params(rng, 3 * names + contents, width, dtype=dtype),
        mixer: {part: linear_params(rng, width, width, dtype=dtype) for part in parts},
        "readout": linear_params(rng, width, 2 * contents, dtype=dtype),
    }


def embed_cards(cards: Array, table: Array) -> tuple[Array, Backward]:
    """A card's vector is the sum of its fields' vectors: cards (B, T, 4) integers -> (B, T, D).

    ``backward(dx)`` returns the gradient of the table.
    """
    fields, embedding_backward = embedding(cards, table)  # (B, T, 4, D)

    def backward(dx: Array) -> Array:
        every_field = np.broadcast_to(dx[:, :, None], (*cards.shape, dx.shape[-1]))  # a sum hands on to all its terms
        return embedding_backward(every_field)

    return fields.sum(axis=2), backward


def card_reader(params: Tree, cards: Array, heads: int) -> tuple[Array, Backward]:
    """One self-attention layer and a linear readout: cards (B, T, 4) -> logits (B, T, 2, contents).

    A logit for each content, for the two questions of every card. ``backward(dlogits)`` returns the gradient
    tree of ``params``.
    """
    x, embed_backward = embed_cards(cards, params["embedding"]["weight"])
    y, attention_backward = self_attention(x, params["attention"], heads)
    flat, readout_backward = linear(y, params["readout"]["weight"], params["readout"]["bias"])
    logits = flat.reshape(*flat.shape[:2], 2, -1)

    def backward(d_logits: Array) -> Tree:
        d_y, d_weight, d_bias = readout_backward(d_logits.reshape(flat.shape))
        d_x, d_attention = attention_backward(d_y)
        return {
            "embedding": {"weight": embed_backward(d_x)},
            "attention": d_attention,
            "readout": {"weight": d_weight, "bias": d_bias},
        }

    return logits, backward


def mean_reader(params: Tree, cards: Array) -> tuple[Array, Backward]:
    """The baseline: every card gets the same plain mean of all cards, then a hidden layer of its own.

    h = x + W_o mean_t(W_v x_t);  logits = readout(h + W_2 relu(W_1 h)). Shapes as in ``card_reader``.
    """
    part = params["mean"]
    x, embed_backward = embed_cards(cards, params["embedding"]["weight"])
    values, value_backward = linear(x, part["value"]["weight"], part["value"]["bias"])
    pooled, out_backward = linear(values.mean(axis=1, keepdims=True), part["out"]["weight"], part["out"]["bias"])
    h = x + pooled
    inner, hidden_backward = linear(h, part["hidden"]["weight"], part["hidden"]["bias"])
    active, relu_backward = relu(inner)
    extra, output_backward = linear(active, part["output"]["weight"], part["output"]["bias"])
    flat, readout_backward = linear(h + extra, params["readout"]["weight"], params["readout"]["bias"])
    logits = flat.reshape(*flat.shape[:2], 2, -1)

    def backward(d_logits: Array) -> Tree:
        d_sum, *d_readout = readout_backward(d_logits.reshape(flat.shape))
        d_active, *d_output = output_backward(d_sum)
        d_inside, *d_hidden = hidden_backward(relu_backward(d_active))
        d_h = d_sum + d_inside
        d_mean, *d_out = out_backward(d_h.sum(axis=1, keepdims=True))
        d_values = np.broadcast_to(d_mean / values.shape[1], values.shape)
        d_inside, *d_value = value_backward(d_values)
        d_x = d_h + d_inside

        def named(gradients: list[Array]) -> Tree:
            return dict(zip(("weight", "bias"), gradients, strict=True))

        found = {"value": d_value, "out": d_out, "hidden": d_hidden, "output": d_output}
        return {
            "embedding": {"weight": embed_backward(d_x)},
            "mean": {name: named(gradients) for name, gradients in found.items()},
            "readout": named(d_readout),
        }

    return logits, backward
