"""Exercise: attention as two matrix products, before scale, mask and heads."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.self_attention.exercises.scaled import draw
from groundup.lessons.self_attention.model import attend
from groundup.ops.activations import softmax
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import permuted, special


def attend_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield draw(rng, (1, 2), 2, 1)
    yield draw(rng, (2, 2), 2, 2)
    yield draw(rng, (2, 3), 4, 5)
    yield draw(rng, (3, 1), 2, 4)
    yield draw(rng, (4, 3), 1, 2)
    yield draw(rng, (1, 3, 2), 4, 3)
    yield draw(rng, (2, 3, 4), 5, 2)
    yield draw(rng, (3, 3, 3), 3, 3)
    yield draw(rng, (2, 2, 3, 2), 4, 3)


def scaled_up(case: dict[str, Any]) -> dict[str, Any]:
    """Queries and keys so large that the exponentials of their scores overflow."""
    return {**case, "query": 60 * case["query"], "key": 60 * case["key"]}


ATTEND = Exercise(
    title="Attention by two matrix products, and its backward",
    functions=(attend,),
    gives=("query", "key", "value"),
    given=(softmax,),
    task=r"""
Every query compares itself with every key, and reads a weighted mean of the values:

$$P = \text{softmax}(Q K^\top), \qquad Y = P V$$

`query` is $(\dots, n, d)$, `key` $(\dots, m, d)$ and `value` $(\dots, m, w)$, with equal leading axes of any number;
$Y$ is $(\dots, n, w)$. The scores are not scaled. The softmax runs over the $m$ keys; a `softmax` that returns its
backward too is given. Return `(y, backward)`; `backward(dy)` returns the gradients of `query`, `key` and `value`.
No loops.""",
    hints=(
        "There are three steps: a product, a softmax, a product. The backward takes them in reverse order. The "
        "weights are a factor of the last product, so they get a gradient, and so do the values.",
        r"For a product $C = AB$: $dA = dC\, B^\top$ and $dB = A^\top dC$. So $dV = P^\top dY$, $dP = dY V^\top$, and "
        r"with $S = Q K^\top$: $dQ = dS\, K$, $dK = dS^\top Q$.",
        "`p, back = softmax(query @ key.swapaxes(-1, -2))`, `y = p @ value`; then `ds = back(dy @ value.swapaxes(-1, "
        "-2))`, and the gradients are `ds @ key`, `ds.swapaxes(-1, -2) @ query` and `p.swapaxes(-1, -2) @ dy`.",
    ),
    why=r"""From $y_{ic} = \sum_j p_{ij} v_{jc}$ follow $\partial L/\partial v_{jc} = \sum_i p_{ij}\, dy_{ic}$ and
$\partial L/\partial p_{ij} = \sum_c dy_{ic} v_{jc}$: the two products with a transposed factor. The common mistake is
to go from $dP$ to $dQ$ directly and to forget that the softmax lies between; another is `.T`, which turns round the
axis of the batch too.""",
    difficulty=2,
    minutes=15,
    cases=attend_cases,
    checks=(
        special(
            "large scores", lambda rng: [scaled_up(draw(rng, (2, 3, 2), 5, 3)), scaled_up(draw(rng, (2, 2), 3, 1))]
        ),
        permuted(lambda rng: [draw(rng, (2, 3, 2), 5, 3)], ("key", "value")),
    ),
    speed=lambda rng: draw(rng, (200, 40, 16), 40, 16),
    wrong=(
        Wrong(
            "scaled",
            {"softmax(query @ key": "softmax(query.shape[-1] ** -0.5 * query @ key"},
            "that divides the scores by √d: here they stay as they are",
        ),
        Wrong(
            "softmax over the queries",
            {"softmax(query @ key.swapaxes(-1, -2))": "softmax(query @ key.swapaxes(-1, -2), axis=-2)"},
            "whose softmax runs over the queries, not over the keys",
        ),
        Wrong(
            "softmax over everything",
            {"softmax(query @ key.swapaxes(-1, -2))": "softmax_of_all(query @ key.swapaxes(-1, -2))"}
            | {
                "def attend(": "def softmax_of_all(s):\n"
                "    p, back = softmax(s.reshape(-1))\n"
                "    return p.reshape(s.shape), lambda dp: back(dp.reshape(-1)).reshape(s.shape)\n\n\ndef attend("
            },
            "whose softmax runs over all scores together: each query should have weights of its own",
        ),
        Wrong(
            "no softmax in the backward",
            {
                "softmax_backward(dy @ value.swapaxes(-1, -2))": "dy @ value.swapaxes(-1, -2)",
            },
            "whose backward leaves the softmax out",
        ),
        Wrong(
            "softmax's derivative element by element",
            {
                "softmax_backward(dy @ value.swapaxes(-1, -2))": "weights * (1 - weights) * "
                "(dy @ value.swapaxes(-1, -2))",
            },
            "whose backward takes the softmax for a function of each score alone",
        ),
        Wrong(
            "query and key exchanged",
            {
                "return d_scores @ key, d_scores.swapaxes(-1, -2) @ query, d_value": "return "
                "d_scores.swapaxes(-1, -2) @ query, d_scores @ key, d_value"
            },
            "that returns the gradients of query and key in the wrong order",
        ),
        Wrong(
            "value's gradient without weights",
            {"weights.swapaxes(-1, -2) @ dy": "np.ones_like(weights).swapaxes(-1, -2) @ dy"},
            "whose gradient of value forgets the weights",
        ),
        Wrong(
            "transposed with .T",
            {"softmax(query @ key.swapaxes(-1, -2))": "softmax(query @ key.T)"},
            "that turns all axes of the keys round: right for matrices, not with a batch",
            crashes=True,
        ),
    ),
    right=(
        Right(
            "einsum, with a softmax of its own",
            """
            import numpy as np

            def attend(q, k, v):
                s = np.einsum("...id,...jd->...ij", q, k)
                e = np.exp(s - np.amax(s, axis=-1, keepdims=True))
                p = e / e.sum(axis=-1, keepdims=True)
                y = np.einsum("...ij,...jc->...ic", p, v)

                def backward(g):
                    # The sum over the keys of p dp is the sum over the features of y dy.
                    ds = p * (np.einsum("...ic,...jc->...ij", g, v) - (y * g).sum(axis=-1)[..., None])
                    return [
                        np.einsum("...ij,...jd->...id", ds, k),
                        np.einsum("...ij,...id->...jd", ds, q),
                        np.einsum("...ij,...ic->...jc", p, g),
                    ]

                return y.copy(), backward
            """,
        ),
    ),
)
