"""Exercises: cutting vectors into heads, and attention with several of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.attention import (
    merge_heads,
    multi_head_attention,
    scaled_dot_product_attention,
    split_heads,
)
from groundup.ops.linear import linear
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import permuted, raises, special


def split_and_merge(split_heads: Any, merge_heads: Any, x: Any, heads: int, y: Any) -> Any:
    return split_heads(x, heads), merge_heads(y)


def heads_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for batch, length, heads, width in [
        (1, 1, 2, 1),
        (1, 2, 2, 1),
        (1, 3, 2, 2),
        (2, 3, 1, 4),
        (3, 2, 4, 3),
        (2, 2, 2, 2),
    ]:
        x = rng.normal(size=(batch, length, heads * width))
        yield {"x": x, "heads": heads, "y": rng.normal(size=(batch, heads, length, width))}


def heads_that_do_not_divide(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": rng.normal(size=(2, 3, 4)), "heads": 3, "y": rng.normal(size=(1, 1, 1, 1))}


SPLIT_HEADS = Exercise(
    name="split_heads",
    title="Cutting vectors into heads and joining them again",
    functions=(split_heads, merge_heads),
    use=split_and_merge,
    task=r"""
Write both directions. `split_heads(x, heads)` cuts each vector of $x$, $(B, T, D)$, into pieces of
$D/h$ neighbouring features, one for each of the $h$ heads: the result $z$ is $(B, h, T, D/h)$ with

$$z_{b,i,t,k} = x_{b,t,\,i D/h + k}$$

and a ValueError is raised if $h$ does not divide $D$. `merge_heads(x)` undoes it:
$(B, h, T, D/h) \to (B, T, D)$.""",
    hints=(
        "A reshape never moves a number: it only cuts the row of numbers in memory at other places. Which axis can be "
        "cut in two by a reshape alone, and what has to move afterwards?",
        r"First $(B, T, D) \to (B, T, h, D/h)$, then exchange the axes of $t$ and $i$: $(B, h, T, D/h)$ "
        r"(the heads of Vaswani et al. 2017, section 3.2.2).",
        "`x.reshape(B, T, heads, D // heads).transpose(0, 2, 1, 3)`; and back: transpose with the same axes first, "
        "then `reshape(B, T, heads * width)`.",
    ),
    why=r"""In memory the feature is the axis that runs fastest, so $D$ can be split into $(h, D/h)$ where it stands,
and the head's axis is then carried past the time axis. A reshape straight to $(B, h, T, D/h)$ has the right shape and
the wrong contents: it gives head 0 the first positions instead of the first features, and the causal mask no longer
means anything.""",
    difficulty=1,
    minutes=8,
    cases=heads_cases,
    checks=(raises("heads that do not divide", (ValueError,), heads_that_do_not_divide),),
    loops="Over the heads, though none is needed.",
    equivalent={
        "split_heads: if width % heads: … → if False: …": (
            "`reshape` raises a ValueError, too, where the pieces do not fit."
        ),
    },
    wrong=(
        Wrong(
            "split by reshape alone",
            {
                "x.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)": "x.reshape(batch, heads, "
                "length, width // heads)"
            },
            "that splits by a reshape alone: the heads then hold other positions, not other features",
        ),
        Wrong(
            "features dealt out in turn",
            {
                "x.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)": "x.reshape(batch, length, "
                "width // heads, heads).transpose(0, 3, 1, 2)"
            },
            "that deals the features out to the heads in turn, where each head should get neighbours",
        ),
        Wrong(
            "axes left",
            {"width // heads).transpose(0, 2, 1, 3)": "width // heads)"},
            "that leaves the head's axis behind the time axis",
        ),
        Wrong(
            "merged by reshape alone",
            {"x.transpose(0, 2, 1, 3).reshape(batch, length": "x.reshape(batch, length"},
            "that merges by a reshape alone, without carrying the head's axis back",
        ),
        Wrong(
            "heads interleaved",
            {"x.transpose(0, 2, 1, 3).reshape(batch, ": "x.transpose(0, 2, 3, 1).reshape(batch, "},
            "that merges the features of all heads in turn",
        ),
        Wrong(
            "the rest dropped",
            {
                "    if width % heads:\n": "    x = x[..., : width // heads * heads]\n    if False:\n",
            },
            "that drops features if the heads do not divide D",
        ),
    ),
    right=(
        Right(
            "cut and joined",
            """
            import numpy as np

            def split_heads(x, heads):
                return np.stack(np.split(x, heads, axis=-1), axis=1)

            def merge_heads(x):
                return np.concatenate([x[:, head] for head in range(x.shape[1])], axis=-1)
            """,
        ),
        Right(
            "einsum",
            """
            import numpy as np

            def split_heads(x, h):
                if x.shape[2] % h:
                    raise ValueError("no")
                return np.einsum("bthk->bhtk", x.reshape(*x.shape[:2], h, -1)).copy()

            def merge_heads(z):
                y = np.moveaxis(z, 1, 2)
                return y.reshape(*y.shape[:2], -1)
            """,
        ),
    ),
)


def layer(
    rng: np.random.Generator, batch: int, asking: int, asked: int, width: int, heads: int, bias: bool = True
) -> dict[str, Any]:
    """Arguments of ``multi_head_attention``."""

    def part() -> dict[str, Any]:
        weight = {"weight": rng.normal(size=(width, width))}
        return weight | ({"bias": rng.normal(size=width)} if bias else {})

    return {
        "x_query": rng.normal(size=(batch, asking, width)),
        "x_memory": rng.normal(size=(batch, asked, width)),
        "params": {name: part() for name in ("query", "key", "value", "out")},
        "heads": heads,
    }


def multi_head_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield layer(rng, 1, 1, 2, 2, 1)
    yield layer(rng, 1, 2, 2, 2, 2)
    yield layer(rng, 1, 2, 3, 4, 2)
    yield layer(rng, 2, 3, 3, 4, 2, bias=False)
    yield layer(rng, 2, 3, 2, 6, 3)
    yield layer(rng, 3, 1, 4, 6, 2, bias=False)
    yield layer(rng, 2, 4, 4, 4, 4) | {"mask": np.tri(4, dtype=bool)}
    keep = np.array([[True, True, False], [True, False, False]])
    yield layer(rng, 2, 2, 3, 4, 2) | {"mask": keep[:, None, None, :]}


def large_behind_masks(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Scores of thousands, in part forbidden."""
    case = layer(rng, 2, 3, 3, 4, 2)
    for name in ("query", "key"):
        case["params"][name]["weight"] *= 100
    yield case | {"mask": np.tri(3, dtype=bool)}


MULTI_HEAD = Exercise(
    title="Multi-head attention and its backward",
    functions=(multi_head_attention,),
    gives=("x_query", "x_memory", "params"),
    given=(linear, scaled_dot_product_attention, split_heads, merge_heads),
    task=r"""
Several heads attend at once, each in its own $D/h$ features, and one last linear map mixes what they found:

$$\text{MultiHead}(X, M) = \text{Concat}(\text{head}_1, \dots, \text{head}_h)\, W_O^\top + b_O, \qquad
\text{head}_i = \text{Attention}(Q_i, K_i, V_i)$$

$Q = X W_Q^\top + b_Q$ comes from `x_query` $(B, T_q, D)$, $K$ and $V$ from `x_memory` $(B, T_k, D)$; head $i$ takes
features $i D/h$ to $(i+1) D/h$ of each. `params` holds `"query"`, `"key"`, `"value"` and `"out"`, each a dict with a
`"weight"` $(D, D)$ and perhaps a `"bias"` $(D,)$. `mask` broadcasts to $(B, h, T_q, T_k)$, `True` where a query may
look. Return `(y, backward)`; `backward(dy)` returns the gradients of `x_query`, `x_memory` and `params`, the last
with the same keys as `params`. `linear`, `scaled_dot_product_attention`, `split_heads` and `merge_heads` are given.""",
    hints=(
        "Each of the five steps (project three times, split, attend, merge, project) has a backward that is given, or "
        "is another of these steps. `x_memory` is used twice: what do two uses of one array do to its gradient?",
        r"Splitting moves numbers and merging moves them back, so each is the other's backward. "
        r"$dM = dK\, W_K + dV\, W_V$, $dX = dQ\, W_Q$, and for every projection $dW = \sum dy^\top x$ "
        r"(Vaswani et al. 2017, section 3.2.2, differentiated).",
        "`d_merged, *d_out = back_out(dy)`; `d_q, d_k, d_v = back_attention(split_heads(d_merged, heads))`; then "
        "`dx_query, *d_query = back_query(merge_heads(d_q))`, and so on for key and value, whose first parts add up.",
    ),
    why=r"""The layer is a chain of linear maps and one attention, so its backward is the chain of their backwards
from the end. The memory reaches the output on two ways, as keys and as values, and the gradients of the two ways add
up. Typical mistakes: dividing by $\sqrt D$ where a head is only $D/h$ wide, joining the heads by a reshape without
moving their axis back, and losing one of the two ways.""",
    difficulty=3,
    minutes=30,
    cases=multi_head_cases,
    checks=(
        permuted(lambda rng: [layer(rng, 2, 3, 5, 4, 2)], ("x_memory",)),
        special("large scores behind masks", large_behind_masks),
    ),
    speed=lambda rng: layer(rng, 8, 32, 32, 64, 8),
    wrong=(
        Wrong(
            "joined by reshape",
            {'project("out", merge_heads(per_head))': 'project("out", per_head.reshape(x_query.shape))'},
            "that joins the heads by a reshape, without moving their axis back",
        ),
        Wrong(
            "scaled by the whole width",
            {"split_heads(value, heads), mask\n": "split_heads(value, heads), mask, x_query.shape[-1] ** -0.5\n"},
            "that divides by √D, where a head is D/h wide",
        ),
        Wrong(
            "one head",
            {"    query, back_query = project": "    heads = 1\n    query, back_query = project"},
            "that ignores `heads`",
        ),
        Wrong(
            "mask not used",
            {"split_heads(value, heads), mask\n": "split_heads(value, heads)\n"},
            "that does not pass the mask on",
        ),
        Wrong(
            "memory not used",
            {
                'project("key", x_memory)': 'project("key", x_query)',
                'project("value", x_memory)': 'project("value", x_query)',
            },
            "in which x_query attends to itself: the memory is not used",
        ),
        Wrong(
            "keys and values exchanged",
            {
                '"key", x_memory)\n    value, back_value = project("value"': '"value", x_memory)\n    '
                'value, back_value = project("key"'
            },
            "that takes the keys for values and the values for keys",
        ),
        Wrong(
            "no output map",
            {
                "    y, back_out = project": "    y, back_out = merge_heads(per_head), project",
                "merge_heads(per_head))\n\n": "merge_heads(per_head))[1]\n\n",
            },
            "that leaves the output map out",
        ),
        Wrong(
            "memory's gradient from the keys alone",
            {"dx_memory = dx_key + dx_value": "dx_memory = dx_key"},
            "whose gradient of x_memory lacks the way through the values",
        ),
        Wrong(
            "memory's gradient from the values alone",
            {"dx_memory = dx_key + dx_value": "dx_memory = dx_value"},
            "whose gradient of x_memory lacks the way through the keys",
        ),
        Wrong(
            "no gradients of biases",
            {'dict(zip(("weight", "bias"), d_affine, strict=False))': '{"weight": d_affine[0]}'},
            "whose gradients leave the biases out",
        ),
        Wrong(
            "gradients not split",
            {"back_attention(split_heads(d_merged, heads))": "back_attention(d_merged.reshape(per_head.shape))"},
            "whose backward splits the gradient into heads by a reshape",
        ),
    ),
    right=(
        Right(
            "a loop over the heads",
            """
            import numpy as np

            def multi_head_attention(x_query, x_memory, params, heads, mask=None):
                B, T, D = x_query.shape
                dh = D // heads

                def affine(name, x):
                    p = params[name]
                    return x @ p["weight"].T + p.get("bias", x.dtype.type(0))

                q, k, v = affine("query", x_query), affine("key", x_memory), affine("value", x_memory)
                full = np.ones((B, heads, T, x_memory.shape[1]), bool)
                if mask is not None:
                    full = np.broadcast_to(mask, full.shape)
                weights, found = [], np.zeros_like(q)
                for h in range(heads):
                    part = np.s_[:, :, h * dh : (h + 1) * dh]
                    s = np.einsum("bik,bjk->bij", q[part], k[part]) / dh**0.5
                    s[~full[:, h]] = -np.inf
                    e = np.exp(s - s.max(-1, keepdims=True))
                    p = e / e.sum(-1, keepdims=True)
                    weights.append(p)
                    found[part] = p @ v[part]

                def undo(name, x, dy):
                    rows = dy.reshape(-1, D)
                    gradients = {"weight": rows.T @ x.reshape(-1, D)}
                    if "bias" in params[name]:
                        gradients["bias"] = rows.sum(0)
                    return dy @ params[name]["weight"], gradients

                def backward(dy):
                    d = {}
                    d_found, d["out"] = undo("out", found, dy)
                    dq, dk, dv = np.empty_like(q), np.empty_like(k), np.empty_like(v)
                    for h, p in enumerate(weights):
                        part = np.s_[:, :, h * dh : (h + 1) * dh]
                        dv[part] = p.transpose(0, 2, 1) @ d_found[part]
                        dp = d_found[part] @ v[part].transpose(0, 2, 1)
                        ds = p * (dp - (p * dp).sum(-1, keepdims=True)) / dh**0.5
                        dq[part], dk[part] = ds @ k[part], ds.transpose(0, 2, 1) @ q[part]
                    dx, d["query"] = undo("query", x_query, dq)
                    dm_key, d["key"] = undo("key", x_memory, dk)
                    dm_value, d["value"] = undo("value", x_memory, dv)
                    return [dx, dm_key + dm_value, d]

                return affine("out", found), backward
            """,
        ),
    ),
)
