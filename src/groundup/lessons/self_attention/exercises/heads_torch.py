"""Exercise of self-attention in PyTorch: multi-head attention."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops import attention
from groundup.ops.types import Array, Mask
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import causal, special


def multi_head_attention(
    x: Array, w_query: Array, w_key: Array, w_value: Array, w_out: Array, heads: int, mask: Mask = None
) -> tuple[Array, Any]:
    """The library's, for self-attention without biases, and the weights as arguments."""
    weights = {"query": w_query, "key": w_key, "value": w_value, "out": w_out}
    params = {name: {"weight": weight} for name, weight in weights.items()}
    y, backward = attention.multi_head_attention(x, x, params, heads, mask)

    def back(dy: Array) -> tuple[Array, ...]:
        d_query, d_memory, d_params = backward(dy)
        return d_query + d_memory, *(d_params[name]["weight"] for name in weights)

    return y, back


def draw(rng: np.random.Generator, batch: int, length: int, width: int, heads: int, **options: Any) -> dict[str, Any]:
    weights = {name: rng.normal(size=(width, width)) for name in ("w_query", "w_key", "w_value", "w_out")}
    return {"x": rng.normal(size=(batch, length, width)), **weights, "heads": heads, **options}


def attention_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield draw(rng, 1, 2, 2, 1)
    yield draw(rng, 1, 2, 2, 2)
    yield draw(rng, 2, 3, 4, 2)
    yield draw(rng, 1, 4, 6, 3)
    yield draw(rng, 3, 2, 6, 2)
    yield draw(rng, 2, 2, 4, 2)
    yield draw(rng, 2, 1, 4, 4)
    yield draw(rng, 2, 4, 4, 2, mask=attention.causal_mask(4))
    keep = np.array([[True, True, False], [True, False, False]])
    yield draw(rng, 2, 3, 4, 2, mask=keep[:, None, None, :])
    lower = np.stack([np.eye(3, dtype=bool), np.ones((3, 3), bool)])
    yield draw(rng, 2, 3, 6, 2, mask=lower)  # another mask for each head
    each = rng.random((2, 2, 3, 3)) < 0.5
    yield draw(rng, 2, 3, 4, 2, mask=each | np.eye(3, dtype=bool))  # and for each example


def causal_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield draw(rng, 2, 4, 6, 3, mask=attention.causal_mask(4))


def large_behind_masks(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Scores of thousands, in part forbidden."""
    case = draw(rng, 2, 3, 4, 2, mask=attention.causal_mask(3))
    yield case | {name: 100 * case[name] for name in ("w_query", "w_key")}


MULTI_HEAD_ATTENTION_TORCH = Exercise(
    name="multi_head_attention_torch",
    title="Multi-head self-attention in PyTorch",
    functions=(multi_head_attention,),
    gives=("x", "w_query", "w_key", "w_value", "w_out"),
    track="torch",
    forbids=(
        "torch.nn.functional.scaled_dot_product_attention",
        "torch._C._nn.scaled_dot_product_attention",
        "torch.nn.functional.multi_head_attention_forward",
        "torch.nn.MultiheadAttention",
    ),
    task=r"""
Self-attention with $h$ heads, without biases:

$$Q = X W_Q^\top,\; K = X W_K^\top,\; V = X W_V^\top, \qquad
\text{head}_i = \text{softmax}\!\left(\frac{Q_i K_i^\top}{\sqrt{d}}\right) V_i, \qquad
Y = [\text{head}_0, \dots, \text{head}_{h-1}]\, W_O^\top$$

`x` is $(B, T, D)$; the four weights are $(D, D)$, one row for each output, as in `nn.Linear`. Head $i$ takes the
features $i d \dots (i+1) d - 1$ of $Q$, $K$ and $V$, counted from 0, with $d = D/h$, and leaves its result there.
`mask` is Boolean and broadcasts to $(B, h, T, T)$: `True` where a query (second to last axis) may look at a key (last);
every query may look at something. Return $Y$ $(B, T, D)$; autograd has to reach `x` and the weights.
`scaled_dot_product_attention` and `nn.MultiheadAttention` are forbidden; `softmax` is not.""",
    hints=(
        "Project, split the features into heads, let every head attend by itself, put the heads side by side again, "
        "project once more. As an axis before the time, the heads are one more batch axis.",
        r"$(B, T, D) \to (B, T, h, d) \to (B, h, T, d)$ by a reshape and a transpose, and back by the same in reverse; "
        r"scores over $\sqrt d$, the width of one head (Vaswani et al. 2017, section 3.2.2).",
        "`q = (x @ w_query.T).view(B, T, heads, d).transpose(1, 2)`, k and v alike; "
        "`scores = q @ k.transpose(-2, -1) / math.sqrt(d)`; `scores.masked_fill(~mask, -math.inf)`; "
        "`(softmax(scores) @ v).transpose(1, 2).reshape(B, T, D) @ w_out.T`.",
    ),
    why=r"""All heads together are one matrix product with $(D, D)$ weights: row block $i$ of $W_Q$ belongs to head $i$.
The features are the last axis, so a reshape to $(B, T, h, d)$ cuts them into heads without moving a number; only then
is the transpose right. To reshape directly to $(B, h, T, d)$ has the right shape as well, but mixes positions with
features: position 0 then sees others, whatever the mask says. On the way back the transpose comes first and the reshape
second. A score is a sum over the $d$ features of its head, so it is divided by $\sqrt d$, not by $\sqrt D$.""",
    difficulty=3,
    minutes=25,
    cases=attention_cases,
    checks=(causal(causal_cases, "x"), special("large scores behind masks", large_behind_masks)),
    solution="""
import math

import torch
from torch import Tensor


def multi_head_attention(
    x: Tensor,
    w_query: Tensor,
    w_key: Tensor,
    w_value: Tensor,
    w_out: Tensor,
    heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    \"\"\"Self-attention of x (B, T, D) with weights (D, D) -> (B, T, D). ``mask`` is True where a query may look.\"\"\"
    batch, length, width = x.shape
    head_width = width // heads

    def split(projected: Tensor) -> Tensor:  # (B, T, D) -> (B, heads, T, d)
        return projected.reshape(batch, length, heads, head_width).transpose(1, 2)

    query, key, value = split(x @ w_query.T), split(x @ w_key.T), split(x @ w_value.T)
    scores = query @ key.transpose(-2, -1) / math.sqrt(head_width)  # (B, heads, T, T)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    per_head = torch.softmax(scores, dim=-1) @ value  # (B, heads, T, d)
    return per_head.transpose(1, 2).reshape(batch, length, width) @ w_out.T
""",
    equivalent={
        "multi_head_attention: -2 → 2": "The keys of all heads have four axes: the second to last is number 2.",
    },
    wrong=(
        Wrong(
            "root of the whole width",
            {"math.sqrt(head_width)": "math.sqrt(width)"},
            "that divides the scores by √D, where a head has only d = D/h features",
        ),
        Wrong("not scaled", {" / math.sqrt(head_width)": ""}, "that does not scale the scores"),
        Wrong(
            "heads cut out of the time",
            {"reshape(batch, length, heads, head_width).transpose(1, 2)": "reshape(batch, heads, length, head_width)"},
            "that reshapes to (B, h, T, d) at once: that mixes positions with features",
        ),
        Wrong(
            "heads not put back",
            {"per_head.transpose(1, 2).reshape": "per_head.reshape"},
            "that reshapes the heads back without the transpose: positions and features are mixed",
        ),
        Wrong(
            "heads interleaved",
            {
                "reshape(batch, length, heads, head_width).transpose(1, 2)": "reshape(batch, length, head_width, "
                "heads).permute(0, 3, 1, 2)",
                "per_head.transpose(1, 2).reshape": "per_head.permute(0, 2, 3, 1).reshape",
            },
            "whose head i takes every h-th feature: a head's features should lie side by side",
        ),
        Wrong(
            "one head",
            {"head_width = width // heads": "head_width, heads = width, 1"},
            "with a single head, whatever `heads` says",
            crashes=True,
        ),
        Wrong("softmax over the queries", {"dim=-1": "dim=-2"}, "whose softmax runs over the queries"),
        Wrong("softmax over the heads", {"dim=-1": "dim=1"}, "whose softmax runs over the heads"),
        Wrong("mask the wrong way round", {"~mask": "mask"}, "that forbids where the mask is True"),
        Wrong(
            "masked after the softmax",
            {
                "scores = scores.masked_fill(~mask, -math.inf)": "pass",
                "torch.softmax(scores, dim=-1) @ value": "("
                "torch.softmax(scores, dim=-1) * (1 if mask is None else mask)) @ value",
            },
            "that masks after the softmax: the weights of the allowed keys no longer sum to 1",
        ),
        Wrong("no last projection", {" @ w_out.T": " + 0 * w_out.sum()"}, "that leaves the last projection out"),
        Wrong(
            "weights not transposed",
            {".reshape(batch, length, width) @ w_out.T": ".reshape(batch, length, width) @ w_out"},
            "that multiplies by W_O, not by its transpose",
        ),
        Wrong(
            "all weights not transposed",
            {"x @ w_query.T": "x @ w_query", "x @ w_key.T": "x @ w_key", "x @ w_value.T": "x @ w_value"},
            "that projects with the weights, not with their transposes",
        ),
        Wrong(
            "values from the keys", {"x @ w_value.T": "x @ w_key.T + 0 * w_value.sum()"}, "whose values are the keys"
        ),
        Wrong(
            "gradient cut",
            {"split(x @ w_key.T)": "split(x.detach() @ w_key.T)"},
            "through whose keys no gradient reaches `x`",
        ),
        Wrong(
            "the library's own",
            """
            import torch
            import torch.nn.functional as F

            def multi_head_attention(x, w_query, w_key, w_value, w_out, heads, mask=None):
                parts = [(x @ w.T).unflatten(-1, (heads, -1)).transpose(1, 2) for w in (w_query, w_key, w_value)]
                return F.scaled_dot_product_attention(*parts, attn_mask=mask).transpose(1, 2).flatten(2) @ w_out.T
            """,
            "that leaves the work to the library",
        ),
    ),
    right=(
        Right(
            "einsum over heads",
            """
            import torch

            def multi_head_attention(x, w_query, w_key, w_value, w_out, heads, mask=None):
                weights = (w.unflatten(0, (heads, -1)) for w in (w_query, w_key, w_value))
                q, k, v = (torch.einsum("btd,hed->bhte", x, w) for w in weights)
                s = torch.einsum("bhid,bhjd->bhij", q, k) * q.size(-1) ** -0.5
                if mask is not None:
                    s = torch.where(mask, s, s.new_tensor(float("-inf")))
                p = (s - s.logsumexp(-1, keepdim=True)).exp()
                return torch.einsum("bhij,bhjd,ehd->bie", p, v, w_out.unflatten(1, (heads, -1)))
            """,
        ),
        Right(
            "a module, head by head",
            """
            import torch
            from torch import nn

            class Head(nn.Module):
                def forward(self, q, k, v, keep):
                    scores = torch.bmm(q, k.mT) / q.shape[-1] ** 0.5
                    if keep is not None:
                        scores = scores + torch.zeros_like(scores).masked_fill(keep.logical_not(), float("-inf"))
                    return torch.bmm(scores.softmax(-1), v)

            def multi_head_attention(x, w_query, w_key, w_value, w_out, heads, mask=None):
                B, T, D = x.shape
                if mask is not None:
                    mask = mask.expand(B, heads, T, T)
                chunks = [nn.functional.linear(x, w).chunk(heads, dim=-1) for w in (w_query, w_key, w_value)]
                done = [Head()(*qkv, None if mask is None else mask[:, i]) for i, qkv in enumerate(zip(*chunks))]
                return nn.functional.linear(torch.cat(done, dim=-1), w_out)
            """,
        ),
    ),
)
