"""Exercise: merging what two sets of keys contribute to a softmax."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.self_attention.model import merge, partial_attention
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def part(rng: np.random.Generator, n: int, keys: int, width: int, add: float = 0.0) -> Any:
    """A partial result of as many keys for n queries; ``add`` shifts its scores."""
    query, key = rng.normal(size=(n, 3)), rng.normal(size=(keys, 3))
    maximum, total, weighted = partial_attention(query, key, rng.normal(size=(keys, width)))
    return maximum + add, total, weighted


def merge_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for n, keys, more, width in [(1, 1, 1, 1), (1, 2, 1, 1), (2, 2, 3, 1), (3, 4, 1, 2), (4, 2, 5, 3), (2, 3, 3, 2)]:
        yield {"a": part(rng, n, keys, width), "b": part(rng, n, more, width)}
    yield {"a": part(rng, 3, 2, 2, add=2.0), "b": part(rng, 3, 2, 2)}
    yield {"a": part(rng, 3, 2, 2), "b": part(rng, 3, 2, 2, add=2.0)}


def far_apart(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Scores so large and so different that their exponentials are no numbers."""
    yield {"a": part(rng, 2, 2, 1, add=1000.0), "b": part(rng, 2, 2, 1, add=-1000.0)}
    yield {"a": part(rng, 2, 2, 1, add=-1000.0), "b": part(rng, 2, 2, 1, add=1000.0)}


def empty_sides(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    empty = np.full((2, 1), -np.inf), np.zeros((2, 1)), np.zeros((2, 3))
    yield {"a": empty, "b": part(rng, 2, 2, 3)}
    yield {"a": part(rng, 2, 2, 3), "b": empty}


MERGE = Exercise(
    title="Merging two partial softmax sums",
    functions=(merge,),
    task=r"""
A set of keys has been read for $n$ queries, and what is kept of it is a triple `(maximum, total, weighted)`: for each
query the largest score, the sum of exponentials and the sum of values,

$$m = \max_j s_j, \qquad \ell = \sum_j e^{s_j - m}, \qquad o = \sum_j e^{s_j - m} v_j$$

of shapes $(n, 1)$, $(n, 1)$ and $(n, w)$. Given the triples `a` and `b` of two sets of keys, return the triple of
both sets together. Scores of any size must do. One side (not both) may have seen no key yet: $m = -\infty$, sums 0.
No loops.""",
    hints=(
        "The two sides have taken different maxima off their scores, so their sums cannot be added as they are. To "
        "which maximum can both be brought without overflow?",
        r"$m = \max(m_a, m_b)$ and $\ell = \ell_a e^{m_a - m} + \ell_b e^{m_b - m}$, and $o$ alike "
        r"(Milakov & Gimelshein 2018, section 3.1, with the values carried along).",
        "`m = np.maximum(a[0], b[0])`, `fa, fb = np.exp(a[0] - m), np.exp(b[0] - m)`, and then "
        "`m, a[1] * fa + b[1] * fb, a[2] * fa + b[2] * fb`.",
    ),
    why=r"""$e^{s - m} = e^{s - m_a} e^{m_a - m}$: a sum that had $m_a$ taken off gets the factor $e^{m_a - m}$, which
is at most 1, so nothing overflows, and one of the two factors is 1, so the total cannot vanish. The operation is
associative and does not mind the order. That is why the keys can come in blocks, or be shared out to many workers.
The common mistake is to rescale the sum of the exponentials and to forget the weighted values.""",
    difficulty=2,
    minutes=10,
    cases=merge_cases,
    checks=(special("scores far apart", far_apart), special("a side without keys", empty_sides)),
    speed=lambda rng: {"a": part(rng, 20_000, 2, 4), "b": part(rng, 20_000, 2, 4)},
    wrong=(
        Wrong(
            "added as they are",
            {"np.exp(a[0] - maximum), np.exp(b[0] - maximum)": "1, 1"},
            "that adds the sums although different maxima were taken off",
        ),
        Wrong(
            "only a rescaled",
            {"np.exp(a[0] - maximum), np.exp(b[0] - maximum)": "np.exp(a[0] - maximum), 1"},
            "that rescales `a` only: right where the new block has the larger scores",
        ),
        Wrong(
            "only b rescaled",
            {"np.exp(a[0] - maximum), np.exp(b[0] - maximum)": "1, np.exp(b[0] - maximum)"},
            "that rescales `b` only: right where the old blocks have the larger scores",
        ),
        Wrong(
            "weighted values not rescaled",
            {"a[2] * shrink_a + b[2] * shrink_b": "a[2] + b[2]"},
            "that does not rescale the weighted values",
        ),
        Wrong(
            "the factors exchanged",
            {"shrink_a, shrink_b =": "shrink_b, shrink_a ="},
            "that rescales each side by the other's factor",
        ),
        Wrong(
            "the wrong sign",
            {"np.exp(a[0] - maximum), np.exp(b[0] - maximum)": "np.exp(maximum - a[0]), np.exp(maximum - b[0])"},
            "whose factors are e^(m − mₐ), where e^(mₐ − m) is meant",
        ),
        Wrong(
            "already divided",
            {
                "a[2] * shrink_a + b[2] * shrink_b": "(a[2] * shrink_a + b[2] * shrink_b) / "
                "(a[1] * shrink_a + b[1] * shrink_b)"
            },
            "that divides by the sum already: that comes once, after the last block",
        ),
        Wrong(
            "by way of the exponentials",
            """
            import numpy as np

            def merge(a, b):
                m = np.maximum(a[0], b[0])
                ea, eb = np.exp(a[0]), np.exp(b[0])
                return m, (a[1] * ea + b[1] * eb) / np.exp(m), (a[2] * ea + b[2] * eb) / np.exp(m)
            """,
            "that takes the exponentials of the maxima themselves: they overflow",
        ),
        Wrong(
            "one maximum for all queries",
            {"maximum = np.maximum(a[0], b[0])": "maximum = np.full_like(a[0], max(a[0].max(), b[0].max()))"},
            "that takes one maximum for all queries",
        ),
        Wrong(
            "changes a",
            {
                "    return maximum, a[1] * shrink_a + b[1] * shrink_b,": "    a[1][...] = a[1] * shrink_a + b[1] * "
                "shrink_b\n    return maximum, a[1].copy(),"
            },
            "that changes `a`",
        ),
    ),
    right=(
        Right(
            "one factor, by the sign of the difference",
            """
            import numpy as np

            def merge(first, second):
                gap = second[0] - first[0]
                factor = np.exp(-np.abs(gap))
                up = gap > 0
                mixed = [
                    np.where(up, x * factor + y, x + y * factor) for x, y in zip(first[1:], second[1:])
                ]
                return [np.where(up, second[0], first[0]), *mixed]
            """,
        ),
        Right(
            "both sides in one array",
            """
            import numpy as np

            def merge(a, b):
                m, total, weighted = map(np.stack, zip(a, b))
                top = m.max(axis=0)
                f = np.exp(m - top)
                return top, np.sum(f * total, axis=0), np.einsum("snx,snw->nw", f, weighted)
            """,
        ),
    ),
)
