"""Exercise: one step of a decoder that keeps keys and values."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.tiny_decoder.model import decode_step, init, mlp, norm, split_qkv, start_cache
from groundup.ops.attention import attention_weights, merge_heads
from groundup.ops.linear import linear
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Subject, compare, special
from groundup.training.params import map_tree


def step(
    rng: np.random.Generator, batch: int, heads: int, width: int, read: int, vocabulary: int = 5, room: int = 2
) -> dict[str, Any]:
    """Arguments of ``decode_step`` after ``read`` tokens, for parameters none of which is 0 or 1."""
    params = init(rng, vocabulary, width, np.float64)
    params = map_tree(lambda leaf: leaf + 0.3 * rng.normal(size=leaf.shape), params)
    cache = start_cache(params, batch, heads, read + room)
    for _ in range(read):
        _, cache = decode_step(params, rng.integers(vocabulary, size=batch), cache)
    return {"params": params, "token": rng.integers(vocabulary, size=batch), "cache": cache}


def decode_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for batch, heads, width, read in [
        (1, 1, 2, 0), (1, 1, 2, 1), (1, 2, 2, 2), (2, 2, 4, 0), (2, 2, 4, 3), (3, 1, 4, 2), (1, 3, 6, 4), (2, 4, 8, 5),
    ]:  # fmt: skip
        yield step(rng, batch, heads, width, read)


def many_tokens(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """More tokens than two bytes count."""
    yield step(rng, 2, 1, 2, 1, vocabulary=40_000) | {"token": np.array([39_999, 300])}


def large_scores(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Scores of thousands, whose exponentials are no numbers."""
    case = step(rng, 2, 2, 4, 3)
    yield case | {"cache": case["cache"] | {"keys": 10_000 * case["cache"]["keys"]}}


def reads_on(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """Several steps, each with the cache that the answer returned before."""
    arguments = step(rng, 2, 2, 4, 0, room=6)
    theirs = arguments["cache"]
    for number in range(1, 6):
        token = rng.integers(5, size=2)
        expected, arguments["cache"] = reference(**arguments | {"token": token}).value
        got, theirs = answer(**arguments | {"token": token, "cache": theirs}).value
        if found := compare(expected, got):
            message = f"Step {number} of a sequence, with the cache that your step before returned, is wrong."
            return Finding("several steps", message, {}, (), found.expected, found.got, found.error)
    return None


DECODE_STEP = Exercise(
    title="One decoding step with a cache of keys and values",
    functions=(decode_step,),
    given=(linear, norm, mlp, split_qkv, merge_heads, attention_weights),
    task=r"""
Read one more token of every sequence. `token` is $(B,)$; `cache` holds `"keys"` and `"values"` of the $t$ tokens read
so far, each $(B, h, t, D/h)$, and `"positions"`, a table with a row for each position. With
$x = E_{\text{token}} + p_t$, the decoder's one layer is

$$q, k, v = \text{norm}_1(x)\, W_{qkv}^\top + b, \qquad
x' = x + \text{attention}(q, [K; k], [V; v])\, W_o^\top + b_o, \qquad
x'' = x' + \text{mlp}(\text{norm}_2(x'))$$

and the logits are the readout of $\text{norm}(x'')$. `params` has `"embedding"`, `"attention_norm"`, `"attention"`
(`"qkv"` and `"out"`), `"mlp_norm"`, `"mlp"`, `"norm"` and `"readout"`. Return the logits $(B, V)$ and a dict like
`cache` with the new keys and values at the end; the cache that was given stays as it is. All building blocks are
given: they take sequences $(B, T, D)$, and most return `(y, backward)`. No loops.""",
    hints=(
        "It is the ordinary decoder on a sequence of one token, but for two things: which position it has, and which "
        "keys and values its query meets.",
        r"The new query attends to $t + 1$ keys: the cached ones and its own. No mask: the newest token may see all "
        r"of them (Vaswani et al. 2017, section 3.2.3, the last row of the causal mask).",
        "`x = E[token] + cache['positions'][t]` with `t = cache['keys'].shape[2]`, then `x[:, None]`; `keys = "
        "np.concatenate([cache['keys'], key], axis=2)`, the same for values; `attention_weights(query, keys) @ "
        "values`.",
    ),
    why=r"""Keys and values of earlier tokens depend on these tokens and those before them only: the causal mask sees
to it, in every layer. So a later token cannot change them, and they need to be computed once. A step then costs
$O(t)$ in place of $O(t^2)$. The position is the number of tokens read before. That the cache
is never read, or that the position stands still, may not show in a few samples; it shows at once when the logits are
compared with those of the decoder on the whole sequence.""",
    difficulty=4,
    minutes=30,
    cases=decode_cases,
    checks=(
        Check("several steps", reads_on),
        special("many tokens", many_tokens),
        special("large scores", large_scores),
    ),
    speed=lambda rng: step(rng, 16, 4, 64, 60, room=1),
    wrong=(
        Wrong(
            "cache never read",
            {"per_head = attention_weights(query, keys) @ values": "per_head = attention_weights(query, key) @ value"},
            "that never reads the cache: every token sees itself alone",
        ),
        Wrong(
            "the token itself left out",
            {
                "per_head = attention_weights(query, keys) @ values": "per_head = attention_weights(query, "
                "cache['keys'] if length else key) @ (cache['values'] if length else value)"
            },
            "in which a token does not see itself, only what came before",
        ),
        Wrong(
            "not appended",
            {'"keys": keys, "values": values}': "}"},
            "that returns the cache without the new keys and values",
        ),
        Wrong(
            "old values",
            {'"keys": keys, "values": values}': '"keys": keys}'},
            "that appends the key and forgets the value",
        ),
        Wrong(
            "position one too high",
            {'cache["positions"][length]': 'cache["positions"][length + 1]'},
            "whose position is one too high: the first token has position 0",
        ),
        Wrong(
            "position one too low",
            {'cache["positions"][length]': 'cache["positions"][max(length - 1, 0)]'},
            "whose position is one too low",
        ),
        Wrong(
            "position 0 for all",
            {'cache["positions"][length]': 'cache["positions"][0]'},
            "that gives every token position 0, for each is a sequence of one",
        ),
        Wrong("no positions", {' + cache["positions"][length]': ""}, "that adds no position"),
        Wrong(
            "put in front",
            {'[cache["keys"], key]': '[key, cache["keys"]]', '[cache["values"], value]': '[value, cache["values"]]'},
            "that puts the new key and value in front of the old ones",
        ),
        Wrong(
            "values in another order",
            {'[cache["values"], value]': '[value, cache["values"]]'},
            "whose values are in another order than the keys",
        ),
        Wrong(
            "heads in another order",
            {'[cache["keys"], key]': '[cache["keys"][:, ::-1], key]'},
            "whose cached keys belong to other heads than the new ones",
        ),
        Wrong(
            "features dealt out in turn",
            {
                "    keys = np.concatenate": "    query, key, value = (\n"
                "        z.reshape(len(z), 1, -1, heads).transpose(0, 3, 1, 2)\n"
                '        for z in np.split(linear(normed, **params["attention"]["qkv"])[0], 3, axis=-1)\n'
                "    )\n    keys = np.concatenate"
            },
            "that deals the features out to the heads in turn",
        ),
        Wrong(
            "no way past the attention",
            {"x = x + linear(": "x = linear("},
            "without the residual path around the attention",
        ),
        Wrong("no way past the MLP", {"x = x + mlp(": "x = mlp("}, "without the residual path around the MLP"),
        Wrong(
            "no last norm",
            {'logits, _ = linear(norm(x, params["norm"])[0], ': "logits, _ = linear(x, "},
            "that leaves the last norm out",
        ),
        Wrong(
            "changes the cache",
            {
                '    return logits[:, 0], {**cache, "keys": keys, "values": values}': '    cache["keys"], '
                'cache["values"] = keys, values\n    return logits[:, 0], cache'
            },
            "that changes the cache it is given",
        ),
    ),
    right=(
        Right(
            "written out, with a class for the cache",
            """
            import numpy as np

            class Cache:
                def __init__(self, held):
                    self.held = dict(held)

                @property
                def length(self):
                    return self.held["keys"].shape[-2]

                def grow(self, name, new):
                    old = self.held[name]
                    out = np.empty((*old.shape[:2], self.length_after, old.shape[3]), old.dtype)
                    out[:, :, :-1], out[:, :, -1] = old, new
                    self.held[name] = out
                    return out

            def decode_step(params, token, cache):
                store = Cache(cache)
                t = store.length
                store.length_after = t + 1
                B, h, _, dh = cache["keys"].shape

                def affine(x, p):
                    return np.einsum("bi,oi->bo", x, p["weight"]) + p["bias"]

                def normal(x, p):
                    c = x - x.mean(1, keepdims=True)
                    return c / np.sqrt((c * c).mean(1, keepdims=True) + 1e-5) * p["weight"] + p["bias"]

                def gelu(x):
                    return x / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))

                x = params["embedding"]["weight"][token] + cache["positions"][t]
                packed = affine(normal(x, params["attention_norm"]), params["attention"]["qkv"])
                q, k, v = packed.reshape(B, 3, h, dh).swapaxes(0, 1)
                k, v = store.grow("keys", k), store.grow("values", v)
                s = np.einsum("bhd,bhtd->bht", q, k) / dh**0.5
                p = np.exp(s - s.max(-1, keepdims=True))
                p /= p.sum(-1, keepdims=True)
                x = x + affine(np.einsum("bht,bhtd->bhd", p, v).reshape(B, -1), params["attention"]["out"])
                inner = gelu(affine(normal(x, params["mlp_norm"]), params["mlp"]["up"]))
                x = x + affine(inner, params["mlp"]["down"])
                return affine(normal(x, params["norm"]), params["readout"]), store.held
            """,
        ),
    ),
)
