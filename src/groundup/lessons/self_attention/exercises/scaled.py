"""Exercises: scaled dot-product attention with its gradients, in NumPy."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.attention import causal_mask, scaled_dot_product_attention
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import causal, permuted, special


def draw(rng: np.random.Generator, query: tuple[int, ...], keys: int, width: int, **options: Any) -> dict[str, Any]:
    """query (..., Tq, d) with as many keys and values as asked for."""
    *lead, _, d = query
    return {
        "query": rng.normal(size=query),
        "key": rng.normal(size=(*lead, keys, d)),
        "value": rng.normal(size=(*lead, keys, width)),
        **options,
    }


def attention_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield draw(rng, (1, 2), 3, 1)
    yield draw(rng, (2, 2), 2, 2)
    yield draw(rng, (3, 2), 4, 5)
    yield draw(rng, (1, 4, 3), 2, 3)
    yield draw(rng, (2, 3, 4), 5, 2)
    yield draw(rng, (2, 2, 3, 2), 4, 3)
    yield draw(rng, (2, 1, 3), 1, 2)
    yield draw(rng, (4, 3), 4, 2, mask=causal_mask(4))
    yield draw(rng, (2, 2, 4, 3), 4, 3, mask=causal_mask(4))
    keep = np.array([[True, True, False, True], [True, False, False, False]])
    yield draw(rng, (2, 3, 4), 4, 2, mask=keep[:, None, :])
    yield draw(rng, (2, 2, 3, 2), 4, 3, mask=keep[:, None, None, :])


def attention_with_scale(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield from attention_cases(rng)
    yield draw(rng, (2, 3, 4), 3, 2, scale=0.3)
    yield draw(rng, (3, 2), 4, 2, scale=2.0, mask=rng.random((3, 4)) < 0.6)


def large_behind_masks(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Scores of thousands, the largest of them forbidden: only -∞ is below what is allowed."""
    for shape in [(2, 3), (2, 2, 3)]:
        case = draw(rng, shape, 3, 2)
        case["query"], case["key"] = np.full(shape, 100.0), 100 * case["key"]
        case["key"][..., 0, :], case["key"][..., 1, :], case["key"][..., 2, :] = 100.0, -100.0, -101.0
        yield {**case, "mask": np.array([[False, True, True], [False, True, False]])}


def blind_queries(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Queries that may look at nothing."""
    mask = np.array([[True, False, True], [False, False, False]])
    yield draw(rng, (2, 2), 3, 2, mask=mask)
    yield draw(rng, (3, 2, 2), 3, 2, mask=np.zeros((2, 3), bool))


def large_scores(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """One query with scores in the thousands, and one with ordinary ones: each row needs its own maximum."""
    case = draw(rng, (2, 3), 4, 2)
    yield case | {"query": case["query"] * np.array([[3000.0], [1.0]])}


def causal_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield draw(rng, (4, 2), 4, 3, mask=causal_mask(4))
    yield draw(rng, (2, 3, 2), 3, 3, mask=causal_mask(3))


def unordered_keys(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield draw(rng, (2, 3, 2), 5, 3)


#: The line as it stands in the function itself; it stands in `attention_weights` too.
SCALE = "scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else float(scale)\n    weights = attention_weights"

ATTENTION_TASK = r"""
$$\text{Attention}(Q, K, V) = \text{softmax}\!\left(\frac{Q K^\top}{\sqrt{d}}\right) V$$

`query` is $(\dots, T_q, d)$, `key` $(\dots, T_k, d)$ and `value` $(\dots, T_k, d_v)$, with equal leading axes of any
number (batch, heads); the result is $(\dots, T_q, d_v)$. `mask` is Boolean and broadcasts to $(\dots, T_q, T_k)$:
`True` where a query may look at a key."""

ATTENTION = Exercise(
    title="Scaled dot-product attention and its backward",
    functions=(scaled_dot_product_attention,),
    gives=("query", "key", "value"),
    task=ATTENTION_TASK
    + r""" `scale` takes the place of $1/\sqrt d$ where it is given. A query that may look at nothing gets zeros and
passes no gradient on. Scores of any size must do. Return `(y, backward)`; `backward(dy)` returns the gradients of
`query`, `key` and `value`. No loops.""",
    hints=(
        "Two matrix products with a softmax between them: the backward goes through the three in reverse. A forbidden "
        "key gets the score -inf before the softmax; take care of rows where all are forbidden.",
        r"With $P = \text{softmax}(S)$, $Y = PV$: $dV = P^\top dY$, $dP = dY V^\top$, "
        r"$dS = P \odot (dP - \sum_k P\, dP)$, $dQ = dS K/\sqrt d$, "
        r"$dK = dS^\top Q/\sqrt d$ (Vaswani et al. 2017, eq. 1).",
        "`scores = query @ key.swapaxes(-1, -2) * scale`; `scores = np.where(mask, scores, -np.inf)`; softmax along "
        "the last axis with the maximum (or 0 where it is -inf) taken off, dividing by the sum or by 1 where it is 0.",
    ),
    why=r"""Scores of independent entries have variance $d$: divided by $\sqrt d$ the softmax stays soft and its
gradient alive. Masking before the softmax leaves weights that sum to 1 over the allowed keys; multiplying the
weights by the mask afterwards does not. In the backward the scale appears twice, once for the queries and once for
the keys, because $S$ is linear in each.""",
    difficulty=3,
    minutes=30,
    cases=attention_with_scale,
    checks=(
        special("large scores", large_scores),
        special("large scores behind masks", large_behind_masks),
        special("queries that may look at nothing", blind_queries),
        causal(causal_cases, "key", "value"),
        permuted(unordered_keys, ("key", "value")),
    ),
    speed=lambda rng: draw(rng, (64, 8, 32, 16), 32, 16),
    equivalent={
        "subtract_maximum: x.max(axis=axis, keepdims=True, initial=-np.inf) → x.max(axis=-1, keepdims=True, "
        "initial=-np.inf)": ("Here the helper is called for the last axis alone."),
        "subtract_maximum: x.max(axis=axis, keepdims=True, initial=-np.inf) → x.max(axis=axis, keepdims=True)": (
            "The initial value serves rows without entries, which the task does not ask for."
        ),
        "subtract_maximum: 0 → 1": "A row's maximum is -∞ only where all of it is, and -∞ less any number is -∞.",
        "softmax: e.sum(axis=axis, keepdims=True) → e.sum(axis=-1, keepdims=True)": (
            "Here the helper is called for the last axis alone."
        ),
        "softmax: 1 → 2": "Only a row without any weight is divided by it: 0 / 2 is 0, too.",
    },
    wrong=(
        Wrong(
            "divided by d",
            {SCALE: SCALE.replace("math.sqrt(query.shape[-1])", "query.shape[-1]")},
            "that divides by d, not by its root",
        ),
        Wrong(
            "not scaled",
            {SCALE: SCALE.replace(" / math.sqrt(query.shape[-1])", "")},
            "that does not scale the scores",
        ),
        Wrong(
            "root of the wrong width",
            {SCALE: SCALE.replace("query", "value")},
            "that takes the root of the width of the values, not of the queries",
        ),
        Wrong(
            "softmax over the queries",
            {"softmax(scores)": "softmax(scores, -2)"},
            "whose softmax runs over the queries: each query's weights should sum to 1 over the keys",
        ),
        Wrong(
            "mask the wrong way round",
            {"scores.shape), scores, -np.inf)": "scores.shape), -np.inf, scores)"},
            "that forbids where the mask is True",
        ),
        Wrong(
            "masked after the softmax",
            {
                "scores = np.where(np.broadcast_to(mask, scores.shape), scores, -np.inf)": "pass",
                "    y = weights @ value\n": "    weights = weights if mask is None else weights * mask\n"
                "    y = weights @ value\n",
            },
            "that masks after the softmax: the weights of the allowed keys no longer sum to 1",
        ),
        Wrong(
            "-1e9 for forbidden",
            {"scores, -np.inf)": "scores, -1e9)"},
            "that adds -1e9 where it is forbidden: a query that may look at nothing then looks everywhere",
        ),
        Wrong(
            "NaN where all is forbidden",
            {"np.where(maximum == -np.inf, 0, maximum)": "maximum"},
            "that takes the maximum -∞ off a row of -∞: that is no number",
        ),
        Wrong(
            "no maximum taken off",
            {"np.exp(subtract_maximum(x, axis))": "np.exp(x)"},
            "whose exponentials overflow",
        ),
        Wrong(
            "query not scaled",
            {"scale * (d_scores @ key)": "d_scores @ key"},
            "whose gradient of query lacks the scale",
        ),
        Wrong(
            "key not scaled",
            {"scale * (d_scores.swapaxes": "(d_scores.swapaxes"},
            "whose gradient of key lacks the scale",
        ),
        Wrong(
            "softmax backward without the sum",
            {"weights * (d_weights - inner)": "weights * d_weights"},
            "whose backward of the softmax leaves the sum out",
        ),
        Wrong(
            "keys and values exchanged",
            {"return d_query, d_key, d_value": "return d_query, d_value, d_key"},
            "that returns the gradients of key and value in the wrong order",
        ),
        Wrong(
            "value's gradient by dy alone",
            {"weights.swapaxes(-1, -2) @ dy": "weights.mean(-2)[..., None] * dy.sum(-2)[..., None, :]"},
            "whose gradient of value averages over the queries",
        ),
        Wrong(
            "zero gradients",
            {"return d_query, d_key, d_value": "return 0 * d_query, 0 * d_key, 0 * d_value"},
            "whose gradients are 0",
        ),
        Wrong(
            "matrices only",
            {
                "scores = (query * scale) @ key.swapaxes(-1, -2)": "scores = (query * scale) @ key.T",
            },
            "that transposes all axes of the keys: right for matrices, not with a batch",
            crashes=True,
        ),
    ),
    right=(
        Right(
            "einsum",
            """
            import numpy as np

            def scaled_dot_product_attention(query, key, value, mask=None, scale=None):
                c = query.shape[-1] ** -0.5 if scale is None else scale
                s = c * np.einsum("...id,...jd->...ij", query, key)
                if mask is not None:
                    s = np.where(mask, s, -np.inf)
                top = s.max(-1, keepdims=True)
                e = np.exp(s - np.where(top == -np.inf, 0, top))
                z = e.sum(-1, keepdims=True)
                p = e / np.where(z == 0, 1, z)

                def pull(g):
                    dp = np.einsum("...id,...jd->...ij", g, value)
                    ds = p * (dp - np.einsum("...ij,...ij->...i", p, dp)[..., None])
                    return [
                        c * np.einsum("...ij,...jd->...id", ds, key),
                        c * np.einsum("...ij,...id->...jd", ds, query),
                        np.einsum("...ij,...id->...jd", p, g),
                    ]

                return np.einsum("...ij,...jd->...id", p, value), pull
            """,
        ),
        Right(
            "a class with helpers",
            """
            import math

            import numpy as np

            def _softmax(scores):
                peak = scores.max(axis=-1, keepdims=True)
                peak[~np.isfinite(peak)] = 0
                weights = np.exp(scores - peak)
                total = weights.sum(axis=-1, keepdims=True)
                np.divide(weights, total, out=weights, where=total > 0)
                return weights

            class Attention:
                def __init__(self, scale):
                    self.scale = scale

                def forward(self, q, k, v, mask):
                    self.q, self.k, self.v = q, k, v
                    scores = np.matmul(q, np.moveaxis(k, -1, -2)) * self.scale
                    if mask is not None:
                        scores = scores.copy()
                        scores[~np.broadcast_to(mask, scores.shape)] = -np.inf
                    self.p = _softmax(scores)
                    return np.matmul(self.p, v)

                def __call__(self, upstream):
                    d_p = np.matmul(upstream, np.moveaxis(self.v, -1, -2))
                    d_s = self.p * d_p
                    d_s = (d_s - self.p * d_s.sum(-1, keepdims=True)) * self.scale
                    d_s_t, p_t = np.moveaxis(d_s, -1, -2), np.moveaxis(self.p, -1, -2)
                    return np.matmul(d_s, self.k), np.matmul(d_s_t, self.q), np.matmul(p_t, upstream)

            def scaled_dot_product_attention(q, k, v, *, mask=None, scale=None):
                layer = Attention(1 / math.sqrt(q.shape[-1]) if scale is None else scale)
                return layer.forward(q, k, v, mask), layer
            """,
        ),
    ),
)
