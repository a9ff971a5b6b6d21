"""Exercise: scaled dot-product attention in PyTorch."""

from groundup.lessons.self_attention.exercises.scaled import (
    ATTENTION_TASK,
    attention_cases,
    causal_cases,
    large_behind_masks,
    large_scores,
)
from groundup.ops.attention import scaled_dot_product_attention
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import causal, special

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
        "torch.nn.MultiheadAttention",
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
    checks=(
        special("large scores", large_scores),
        special("large scores behind masks", large_behind_masks),
        causal(causal_cases, "key", "value"),
    ),
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
