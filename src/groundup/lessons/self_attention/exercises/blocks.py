"""Exercise: attention that never holds all its weights."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.self_attention.exercises.scaled import draw
from groundup.lessons.self_attention.model import attend_in_blocks, merge
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Subject, special


def measured(
    attend_in_blocks: Any, query: Any, key: Any, value: Any, block: int, workers: int = 4, measure: bool | str = False
) -> Any:
    if not measure:
        return attend_in_blocks(query, key, value, block, workers)
    import tracemalloc

    tracing = tracemalloc.is_tracing()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    y, backward = attend_in_blocks(query, key, value, block, workers)
    if measure != "forward":
        backward(np.ones_like(y))
    peak = tracemalloc.get_traced_memory()[1] - before
    if not tracing:
        tracemalloc.stop()
    return np.array(peak / y.itemsize), backward


def blocks_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield draw(rng, (1, 2), 2, 1, block=1, workers=1)
    yield draw(rng, (1, 1), 3, 2, block=2, workers=1)
    yield draw(rng, (2, 3), 5, 2, block=2, workers=1)
    yield draw(rng, (3, 2), 4, 3, block=2)
    yield draw(rng, (2, 2), 3, 2, block=5, workers=1)
    yield draw(rng, (4, 3), 7, 2, block=3, workers=2)
    yield draw(rng, (2, 4), 1, 3, block=2)
    yield draw(rng, (5, 2), 6, 4, block=6, workers=1)
    yield draw(rng, (3, 3), 9, 2, block=1)


def large_block_scores(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    case = draw(rng, (2, 3), 6, 2, block=2, workers=1)
    yield case | {"query": case["query"] * np.array([[3000.0], [1.0]])}


def little_memory(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """Forward and backward take memory for a few blocks of weights, not for all of them."""
    n, keys, d, width, block = 500, 600, 4, 3, 10
    arguments = draw(rng, (n, d), keys, width, block=block)
    peak = float(answer(**arguments, measure=True).value)
    least, most = n * width, n * keys / 3
    if least <= peak <= most:
        many = 20_000
        arguments = draw(rng, (1, 1), many, 1, block=10)
        one = float(answer(**arguments, measure="forward").value)
        if one < many:
            return None
        message = (
            f"With 1 query, {many:,} keys and blocks of 10, the forward held {one:,.0f} numbers at a time: it has "
            "scores of all keys at once, if only for one query. Read the keys in blocks."
        )
        return Finding("blocks", message, expected=f"fewer than {many:,} numbers", got=f"{one:,.0f}")
    message = (
        f"With {n} queries, {keys} keys and blocks of {block}, forward and backward held {peak:,.0f} numbers at a "
        f"time. All weights are {n * keys:,} numbers: hold one block of them, and keep none for the backward."
    )
    return Finding("memory", message, expected=f"at most {most:,.0f} numbers", got=f"{peak:,.0f}")


BLOCKS = Exercise(
    title="Attention in blocks, forward and backward",
    functions=(attend_in_blocks,),
    gives=("query", "key", "value"),
    use=measured,
    given=(merge,),
    task=r"""
$$Y = \text{softmax}\!\left(\frac{Q K^\top}{\sqrt d}\right) V$$

again, without ever holding the $n \times m$ weights: read the keys and values in blocks of at most `block`, carry
along the largest score, the sum of exponentials and the weighted values of each query, and divide once at the end.
`query` is $(n, d)$, `key` $(m, d)$, `value` $(m, w)$. Return `(y, backward)`; `backward(dy)` returns the gradients of
`query`, `key` and `value`, and computes the weights of each block again instead of keeping them. Memory is checked.
`block` need not divide $m$. `workers` says into how many shares the keys may be cut; it does not change the numbers,
and you may ignore it. Scores of any size must do; nothing has to be raised.""",
    hints=(
        "Forward: the triple of the blocks so far and that of the next one are merged. Backward: a block's weights can "
        "be had again from its scores, if one number a query has been kept. Which?",
        r"Keep $L_i = m_i + \log \ell_i$: then $P_{ij} = e^{s_{ij} - L_i}$ for any block. And $dS = P \odot (dP - D)$ "
        r"with $D_i = \sum_j P_{ij} dP_{ij} = \sum_c y_{ic}\, dy_{ic}$, which needs no weights "
        r"(Dao et al. 2022, section 3.1 and appendix B).",
        "In the backward, for each slice `t` of keys: `p = np.exp(query @ key[t].T * scale - L)`, `d_value[t] = p.T @ "
        "dy`, `ds = p * (dy @ value[t].T - (y * dy).sum(-1, keepdims=True))`, `d_query += ds @ key[t] * scale`, "
        "`d_key[t] = ds.T @ query * scale`.",
    ),
    why=r"""The forward holds $(m, \ell, o)$, whose size does not depend on the number of keys. The backward needs $P$,
and $P$ of a block follows from the scores and the log-sum-exp $L$: one number a query in place of $m$. The sum in the
softmax's backward runs over all keys, not over the block; it is $\sum_j P_{ij} \sum_c dy_{ic} v_{jc} = \sum_c dy_{ic}
y_{ic}$, so it is known before the first block. Computing that sum block by block is the common mistake. The weights
are computed twice and never written to memory as a whole: on a GPU that is faster, for memory is what is slow.""",
    difficulty=5,
    minutes=45,
    cases=blocks_cases,
    checks=(special("large scores", large_block_scores), Check("memory", little_memory)),
    loops="Over blocks of keys.",
    wrong=(
        Wrong(
            "blocks added as they are",
            {"np.exp(a[0] - maximum), np.exp(b[0] - maximum)": "1, 1"},
            "that adds the sums of blocks although different maxima were taken off",
        ),
        Wrong(
            "weighted values not rescaled",
            {"a[2] * shrink_a + b[2] * shrink_b": "a[2] + b[2]"},
            "that does not rescale the weighted values when the maximum grows",
        ),
        Wrong(
            "divided in every block",
            {
                "exponentials.sum(axis=-1, keepdims=True), exponentials @ value": "exponentials.sum(axis=-1, "
                "keepdims=True), exponentials @ value / exponentials.sum(axis=-1, keepdims=True)"
            },
            "that divides by the sum in every block, and again at the end",
        ),
        Wrong(
            "the rest left out",
            {
                "range(start, stop, block)": "range(start, max(stop - block, start) + 1, block)",
                "np.empty_like(key), np.empty_like(value)": "np.zeros_like(key), np.zeros_like(value)",
            },
            "that leaves out the last keys where `block` does not divide their number",
        ),
        Wrong(
            "not scaled", {"scale = 1 / math.sqrt(query.shape[-1])": "scale = 1.0"}, "that does not scale the scores"
        ),
        Wrong(
            "the maximum forgotten",
            {"log_sum = maximum + np.log(total)": "log_sum = np.log(total)"},
            "whose log-sum-exp lacks the maximum, so that the weights of the backward are wrong",
        ),
        Wrong(
            "weights of the backward not divided",
            {"log_sum = maximum + np.log(total)": "log_sum = maximum"},
            "whose backward takes the exponentials for weights, without dividing by their sum",
        ),
        Wrong(
            "the sum over the block only",
            {"value[t].T - mean)": "value[t].T - (weights * (dy @ value[t].T)).sum(-1, keepdims=True))"},
            "whose backward of the softmax sums over the block, not over all keys",
        ),
        Wrong(
            "the sum left out",
            {"(dy @ value[t].T - mean)": "(dy @ value[t].T)"},
            "whose backward of the softmax leaves the sum out",
        ),
        Wrong(
            "key not scaled",
            {"d_key[t] = d_scores.T @ scaled": "d_key[t] = d_scores.T @ query"},
            "whose gradient of key lacks the scale",
        ),
        Wrong(
            "query not scaled",
            {"return scale * d_scaled": "return d_scaled"},
            "whose gradient of query lacks the scale",
        ),
        Wrong(
            "query from the last block",
            {"d_scaled += d_scores @ key[t]": "d_scaled = d_scores @ key[t]"},
            "whose gradient of query is that of the last block alone",
        ),
        Wrong(
            "everything at once",
            """
            import numpy as np

            def attend_in_blocks(query, key, value, block, workers=4):
                scale = query.shape[-1] ** -0.5
                s = query @ key.T * scale
                e = np.exp(s - s.max(-1, keepdims=True))
                p = e / e.sum(-1, keepdims=True)

                def backward(dy):
                    dp = dy @ value.T
                    ds = p * (dp - (p * dp).sum(-1, keepdims=True)) * scale
                    return ds @ key, ds.T @ query, p.T @ dy

                return p @ value, backward
            """,
            "that holds all weights at once",
        ),
        Wrong(
            "weights kept for the backward",
            """
            import numpy as np

            def attend_in_blocks(query, key, value, block, workers=4):
                scale = query.shape[-1] ** -0.5
                scores = [query @ key[i : i + block].T * scale for i in range(0, len(key), block)]
                top = np.max([s.max(-1, keepdims=True) for s in scores], axis=0)
                kept = [np.exp(s - top) for s in scores]
                total = sum(e.sum(-1, keepdims=True) for e in kept)
                y = sum(e @ value[i * block : (i + 1) * block] for i, e in enumerate(kept)) / total

                def backward(dy):
                    dq, dk, dv = np.zeros_like(query), np.zeros_like(key), np.zeros_like(value)
                    for i, e in enumerate(kept):
                        t = slice(i * block, (i + 1) * block)
                        p = e / total
                        ds = p * (dy @ value[t].T - (y * dy).sum(-1, keepdims=True)) * scale
                        dq += ds @ key[t]
                        dk[t], dv[t] = ds.T @ query, p.T @ dy
                    return dq, dk, dv

                return y.copy(), backward
            """,
            "that works in blocks, but keeps the weights of all of them",
        ),
    ),
    right=(
        Right(
            "a running sum in a class",
            """
            import numpy as np

            class Running:
                def __init__(self, n, width, dtype):
                    self.m = np.full((n, 1), -np.inf, dtype)
                    self.l = np.zeros((n, 1), dtype)
                    self.o = np.zeros((n, width), dtype)

                def read(self, s, v):
                    m = np.maximum(self.m, s.max(1, keepdims=True))
                    e, old = np.exp(s - m), np.exp(self.m - m)
                    self.l = old * self.l + e.sum(1, keepdims=True)
                    self.o = old * self.o + e @ v
                    self.m = m

            def attend_in_blocks(q, k, v, block, workers=4):
                root = np.sqrt(q.shape[1]).astype(q.dtype)
                state = Running(len(q), v.shape[1], q.dtype)
                for j in range(0, len(k), block):
                    state.read(np.einsum("id,jd->ij", q, k[j : j + block]) / root, v[j : j + block])
                y = state.o / state.l
                lse = state.m + np.log(state.l)

                def pull(g):
                    inner = np.einsum("ic,ic->i", y, g)[:, None]
                    dq, dk, dv = np.zeros_like(q), [], []
                    for j in range(0, len(k), block):
                        kj, vj = k[j : j + block], v[j : j + block]
                        p = np.exp(q @ kj.T / root - lse)
                        ds = p * (g @ vj.T - inner) / root
                        dq += ds @ kj
                        dk.append(ds.T @ q)
                        dv.append(p.T @ g)
                    return dq, np.concatenate(dk), np.concatenate(dv)

                return y, pull
            """,
        ),
    ),
)
