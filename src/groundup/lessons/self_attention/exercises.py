"""Exercises on attention: the function and its gradients, its PyTorch version, and the norm that goes with it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.attention import causal_mask, scaled_dot_product_attention
from groundup.ops.norms import layer_norm
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
        special("queries that may look at nothing", blind_queries),
        causal(causal_cases, "key", "value"),
        permuted(unordered_keys, ("key", "value")),
    ),
    speed=lambda rng: draw(rng, (64, 8, 32, 16), 32, 16),
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
            {"weights.max(axis=-1, ": "weights.max(axis=-2, ", "weights.sum(axis=-1, ": "weights.sum(axis=-2, "},
            "whose softmax runs over the queries: each query's weights should sum to 1 over the keys",
        ),
        Wrong(
            "mask the wrong way round",
            {"np.where(mask, 0.0, -np.inf)": "np.where(mask, -np.inf, 0.0)"},
            "that forbids where the mask is True",
        ),
        Wrong(
            "masked after the softmax",
            {
                "weights += np.where(mask, 0.0, -np.inf).astype(weights.dtype)": "pass",
                "    y = weights @ value\n": "    weights = weights if mask is None else weights * mask\n"
                "    y = weights @ value\n",
            },
            "that masks after the softmax: the weights of the allowed keys no longer sum to 1",
        ),
        Wrong(
            "-1e9 for forbidden",
            {"np.where(mask, 0.0, -np.inf)": "np.where(mask, 0.0, -1e9)"},
            "that adds -1e9 where it is forbidden: a query that may look at nothing then looks everywhere",
        ),
        Wrong(
            "NaN where all is forbidden",
            {"max(axis=-1, keepdims=True), np.finfo(weights.dtype).min)": "max(axis=-1, keepdims=True), -np.inf)"},
            "that takes the maximum -∞ off a row of -∞: that is no number",
        ),
        Wrong(
            "no maximum taken off",
            {"    weights -= np.maximum(weights.max(axis=-1, keepdims=True), np.finfo(weights.dtype).min)\n": ""},
            "whose exponentials overflow",
        ),
        Wrong("query not scaled", {"        d_query *= scale\n": ""}, "whose gradient of query lacks the scale"),
        Wrong("key not scaled", {"        d_key *= scale\n": ""}, "whose gradient of key lacks the scale"),
        Wrong(
            "softmax backward without the sum",
            {"        d_scores -= np.vecdot(y, dy)[..., None]\n": ""},
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
                "weights = (query * scale) @ key.swapaxes(-1, -2)": "weights = (query * scale) @ key.T",
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

ATTENTION_TORCH = Exercise(
    name="scaled_dot_product_attention_torch",
    title="Scaled dot-product attention in PyTorch",
    functions=(scaled_dot_product_attention,),
    gives=("query", "key", "value"),
    track="torch",
    forbids=(
        "torch.nn.functional.scaled_dot_product_attention",
        "torch._C._nn.scaled_dot_product_attention",
        "torch.nn.functional.multi_head_attention_forward",
        "torch.nn.MultiheadAttention.forward",
    ),
    task=ATTENTION_TASK
    + r""" Every query may look at something. Return the result; autograd has to reach `query`, `key` and `value`
through it. `torch.nn.functional.scaled_dot_product_attention` is forbidden, and so is `MultiheadAttention`;
`softmax` is not.""",
    hints=(
        "Scores, mask, softmax along the keys, product with the values: four lines, for any number of leading axes.",
        r"$P = \text{softmax}(Q K^\top/\sqrt d)$, where forbidden scores are $-\infty$, then $PV$ "
        r"(Vaswani et al. 2017, eq. 1).",
        "`scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])`, then "
        "`scores.masked_fill(~mask, -math.inf)`.",
    ),
    why=r"""The dot product of two vectors of $d$ independent entries has variance $d$, so dividing by $\sqrt d$
keeps the scores at variance 1 and the softmax away from its flat ends. `transpose(-2, -1)` and `dim=-1` count from
the back, so the same lines serve one head and many. Filling with $-\infty$ before the softmax, rather than
multiplying by 0 after it, keeps the weights of a row at sum 1.""",
    difficulty=2,
    minutes=15,
    cases=attention_cases,
    checks=(special("large scores", large_scores), causal(causal_cases, "key", "value")),
    solution="""
import math

import torch
from torch import Tensor


def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    \"\"\"softmax(Q Kᵀ / √d) V: query (..., Tq, d), key (..., Tk, d), value (..., Tk, dv) -> (..., Tq, dv).

    ``mask`` is Boolean, True where a query may look at a key.
    \"\"\"
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (..., Tq, Tk)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return torch.softmax(scores, dim=-1) @ value
""",
    wrong=(
        Wrong("divided by d", {"math.sqrt(query.shape[-1])": "query.shape[-1]"}, "that divides by d, not by its root"),
        Wrong("not scaled", {" / math.sqrt(query.shape[-1])": ""}, "that does not scale the scores"),
        Wrong("softmax over the queries", {"dim=-1": "dim=-2"}, "whose softmax runs over the queries"),
        Wrong("mask the wrong way round", {"~mask": "mask"}, "that forbids where the mask is True"),
        Wrong(
            "gradient cut",
            {"scores = query @ key": "scores = query.detach() @ key"},
            "through which no gradient reaches `query`",
        ),
        Wrong(
            "first two axes",
            {"key.transpose(-2, -1)": "key.transpose(0, 1)"},
            "that is right for matrices only",
            crashes=True,
        ),
        Wrong(
            "the library's own",
            "from torch.nn import functional as F\n\n"
            "def scaled_dot_product_attention(query, key, value, mask=None):\n"
            "    return F.scaled_dot_product_attention(query, key, value, mask)\n",
            "that leaves the work to the library",
        ),
    ),
    right=(
        Right(
            "einsum and exp",
            """
            import torch

            def scaled_dot_product_attention(query, key, value, mask=None):
                s = torch.einsum("...id,...jd->...ij", query, key) * query.size(-1) ** -0.5
                if mask is not None:
                    s = torch.where(mask, s, torch.tensor(float("-inf"), dtype=s.dtype))
                e = (s - s.amax(-1, keepdim=True)).exp()
                return torch.einsum("...ij,...jd->...id", e / e.sum(-1, keepdim=True), value)
            """,
        ),
    ),
)


def layer_norm_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(3,), (1, 4), (2, 3), (3, 2), (4, 3), (2, 3, 4), (2, 1, 3, 2)]:
        width = shape[-1]
        yield {"x": rng.normal(size=shape), "gain": rng.normal(size=width), "bias": rng.normal(size=width)}
    yield {"x": 3 + 0.01 * rng.normal(size=(2, 3)), "gain": rng.normal(size=3), "bias": rng.normal(size=3)}
    yield {"x": rng.normal(size=(2, 4)), "gain": rng.normal(size=4), "bias": rng.normal(size=4), "eps": 0.1}


def constant_rows(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": np.array([[2.0, 2.0, 2.0], [0.0, 1.0, 3.0]]), "gain": rng.normal(size=3), "bias": rng.normal(size=3)}


def far_from_zero(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": 1e6 + rng.normal(size=(2, 4)), "gain": rng.normal(size=4), "bias": rng.normal(size=4)}


LAYER_NORM = Exercise(
    title="Layer normalisation and its backward",
    functions=(layer_norm,),
    gives=("x", "gain", "bias"),
    task=r"""
Normalise every position over its features, then scale and shift:

$$\mu = \frac1D \sum_i x_i, \qquad \sigma^2 = \frac1D \sum_i (x_i - \mu)^2, \qquad
y_i = g_i\, \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + b_i$$

`x` is $(\dots, D)$ with any number of leading axes, `gain` and `bias` are $(D,)$. Return `(y, backward)`;
`backward(dy)` returns the gradients of `x`, `gain` and `bias`. Shapes need not be checked. No loops.""",
    hints=(
        "μ and σ depend on every feature of the position, so each input reaches the output on three ways. gain and "
        "bias are shared by all positions: their gradients are sums over all leading axes.",
        r"With $\hat x = (x-\mu)/\sigma$ and $q = dy \odot g$: $dx = \frac1\sigma\left(q - \overline{q} - \hat x\, "
        r"\overline{q \hat x}\right)$, means over the features (Ba et al. 2016, eqs. 3 and 4, differentiated).",
        "`q = dy * gain; dx = (q - q.mean(-1, keepdims=True) - x_hat * (q * x_hat).mean(-1, keepdims=True)) / sigma`; "
        "`dgain = (dy * x_hat).reshape(-1, D).sum(0)`, `dbias = dy.reshape(-1, D).sum(0)`.",
    ),
    why=r"""Adding a constant to a position, or scaling it, leaves $\hat x$ as it is (but for ε). So the gradient can
have no part along the constant vector and none along $\hat x$: the two means take just these parts out of $q$.
Leaving one of them out, or using $dy$ in place of $q = dy \odot g$, still looks plausible and trains badly.""",
    difficulty=3,
    minutes=25,
    cases=layer_norm_cases,
    checks=(special("constant rows", constant_rows), special("far from zero", far_from_zero)),
    tolerance=1e-7,
    speed=lambda rng: {"x": rng.normal(size=(200, 100, 16)), "gain": np.ones(16), "bias": np.zeros(16)},
    wrong=(
        Wrong(
            "epsilon outside the root",
            {"inverse = (variance[:, None] + eps) ** -0.5": "inverse = 1 / (variance[:, None] ** 0.5 + eps)"},
            "in which epsilon stands outside the root",
        ),
        Wrong(
            "no epsilon", {"(variance[:, None] + eps) ** -0.5": "variance[:, None] ** -0.5"}, "that leaves epsilon out"
        ),
        Wrong(
            "an epsilon of its own",
            {"[:, None] + eps)": "[:, None] + 1e-5)"},
            "that does not use the `eps` it is given",
        ),
        Wrong(
            "unbiased variance",
            {"np.vecdot(normalised, normalised) / D": "np.vecdot(normalised, normalised) / (D - 1)"},
            "that divides the variance by D − 1 (ddof=1)",
        ),
        Wrong(
            "divided by the variance",
            {"+ eps) ** -0.5": "+ eps) ** -1.0"},
            "that divides by the variance, not its root",
        ),
        Wrong(
            "variance of large numbers",
            {
                "np.vecdot(normalised, normalised) / D": "(rows**2).mean(-1) - rows.mean(-1) ** 2",
            },
            "that takes the variance as mean(x²) − mean(x)²: far from zero the two cancel",
        ),
        Wrong(
            "statistics over the batch",
            {
                "(rows @ averaging)[:, None]": "rows.mean(axis=0)",
                "variance = np.vecdot(normalised, normalised) / D": "variance = (normalised**2).mean(axis=0)",
                "(variance[:, None] + eps)": "(variance + eps)",
            },
            "that normalises every feature over the batch: that is batch normalisation",
        ),
        Wrong("mean term dropped", {"        undone += mean_g[:, None]\n": ""}, "whose dx lacks the mean of dy · gain"),
        Wrong(
            "variance term dropped",
            {"undone = np.multiply(normalised, mean_gx[:, None], out=product)": "undone = np.zeros_like(product)"},
            "whose dx lacks the term of the variance",
        ),
        Wrong("dx without σ", {"        dx_rows *= inverse\n": ""}, "whose dx is not divided by σ"),
        Wrong(
            "gain not in dx",
            {
                "mean_g = upstream @ (gain * averaging)": "mean_g = upstream @ averaging",
                "mean_gx = product @ (gain * averaging)": "mean_gx = product @ averaging",
                "dx = dy * gains": "dx = dy.copy()",
            },
            "whose dx forgets the gain",
        ),
        Wrong(
            "gain on the outside only",
            {
                "mean_g = upstream @ (gain * averaging)": "mean_g = upstream @ averaging",
                "mean_gx = product @ (gain * averaging)": "mean_gx = product @ averaging",
            },
            "whose means are of dy, where they should be of dy · gain",
        ),
        Wrong(
            "dgain of x", {"dgain = ones @ product": "dgain = ones @ (upstream * rows)"}, "whose dgain uses x, not x̂"
        ),
        Wrong(
            "two axes only",
            {"dgain = ones @ product": "dgain = product.reshape(x.shape).sum(axis=0)"},
            "whose dgain sums over the first axis only: with more leading axes it has the wrong shape",
        ),
        Wrong(
            "dgain and dbias exchanged",
            {"return dx, dgain, dbias": "return dx, dbias, dgain"},
            "that swaps dgain and dbias",
        ),
        Wrong(
            "changes x",
            {"= rows - (rows @ averaging)[:, None]": "= rows\n    rows -= (rows @ averaging)[:, None]"},
            "that changes x",
        ),
        Wrong(
            "changes dy",
            {"dx = dy * gains": "dx = np.multiply(dy, gains, out=dy)"},
            "that changes dy",
        ),
        Wrong(
            "second backward differs",
            {"mean_gx[:, None], out=product)": "mean_gx[:, None], out=normalised)"},
            "that uses up what it keeps",
        ),
    ),
    right=(
        Right(
            "the chain rule, step by step",
            """
            import numpy as np

            def layer_norm(x, gain, bias, eps=1e-5):
                D = x.shape[-1]
                mu = x.mean(-1, keepdims=True)
                xmu = x - mu
                var = (xmu * xmu).mean(-1, keepdims=True)
                std = np.sqrt(var + eps)
                xhat = xmu / std
                lead = tuple(range(x.ndim - 1))

                def backward(dout):
                    dbias, dgain = dout.sum(axis=lead), (dout * xhat).sum(axis=lead)
                    dxhat = dout * gain
                    dstd = -(dxhat * xmu).sum(-1, keepdims=True) / std**2
                    dvar = dstd * 0.5 / std
                    dxmu = dxhat / std + dvar * 2 * xmu / D
                    dmu = -dxmu.sum(-1, keepdims=True)
                    return [dxmu + dmu / D, dgain, dbias]

                return xhat * gain + bias, backward
            """,
        ),
        Right(
            "a projection by einsum",
            """
            from typing import NamedTuple

            import numpy as np

            class Kept(NamedTuple):
                unit: np.ndarray
                inverse: np.ndarray

            def _statistics(x, eps):
                inverse = 1 / np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)
                return Kept((x - np.mean(x, axis=-1, keepdims=True)) * inverse, inverse)

            def layer_norm(x, gain, bias, eps=1e-5):
                kept = _statistics(x, eps)

                def backward(dy):
                    q = np.einsum("...d,d->...d", dy, gain)
                    along = np.einsum("...d,...d->...", q, kept.unit)[..., None] / x.shape[-1]
                    dx = kept.inverse * (q - q.mean(-1, keepdims=True) - along * kept.unit)
                    return dx, (dy * kept.unit).reshape(-1, len(gain)).sum(0), dy.reshape(-1, len(gain)).sum(0)

                return np.einsum("...d,d->...d", kept.unit, gain) + bias, backward
            """,
        ),
    ),
)

EXERCISES = (ATTENTION, ATTENTION_TORCH, LAYER_NORM)
