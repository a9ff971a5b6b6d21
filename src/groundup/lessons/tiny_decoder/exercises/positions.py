"""Exercises: who may look at whom, and how positions are told apart."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.attention import causal_mask
from groundup.ops.positions import sinusoidal_positions
from groundup.practice.exercise import Exercise, Right, Wrong


def causal_mask_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for length in (2, 1, 3, 5, 8, int(rng.integers(9, 20))):
        yield {"length": length}


CAUSAL_MASK = Exercise(
    title="The causal mask",
    functions=(causal_mask,),
    task=r"""
Return the Boolean mask of a decoder for sequences of `length` tokens, an array $(T, T)$:

$$M_{ij} = \text{True where query } i \text{ may look at key } j, \text{ that is } j \le i$$

Every token sees itself and all before it, and nothing after. No loops.""",
    hints=(
        "Rows are queries, columns are keys. Draw it for three tokens: what does the first row look like?",
        "The allowed places are the diagonal and what lies below it (Vaswani et al. 2017, section 3.2.3: connections "
        "to later positions are set to −∞).",
        "`np.tri(length, dtype=bool)`, or compare a column of positions with a row of positions by broadcasting.",
    ),
    why=r"""The output at $t$ predicts token $t + 1$, so it may use all tokens up to $t$, its own among them: the
diagonal belongs to the mask. With the diagonal left out, the first query sees nothing at all; with the triangle turned
round, every token sees the answer that it should predict, and the training loss looks wonderful.""",
    difficulty=1,
    minutes=3,
    cases=causal_mask_cases,
    floats32=False,
    speed=lambda rng: {"length": 2000},
    wrong=(
        Wrong(
            "without the diagonal",
            {"np.tri(length, dtype": "np.tri(length, k=-1, dtype"},
            "that hides a token from itself",
        ),
        Wrong(
            "one too many", {"np.tri(length, dtype": "np.tri(length, k=1, dtype"}, "in which a token sees the next one"
        ),
        Wrong("upper triangle", {"dtype=bool)": "dtype=bool).T"}, "in which a token sees itself and what comes after"),
        Wrong(
            "True where forbidden",
            {"np.tri(length, dtype=bool)": "~np.tri(length, dtype=bool)"},
            "that is True where it is forbidden to look",
        ),
        Wrong("numbers", {", dtype=bool": ""}, "of numbers 0 and 1, where Booleans are wanted"),
        Wrong(
            "0 and −∞",
            {"np.tri(length, dtype=bool)": "np.where(np.tri(length, dtype=bool), 0.0, -np.inf)"},
            "that gives what is added to the scores, 0 and −∞, where Booleans are wanted",
        ),
        Wrong(
            "square of ones", {"np.tri(length, dtype=bool)": "np.ones((length, length), bool)"}, "that forbids nothing"
        ),
    ),
    right=(
        Right(
            "positions compared",
            """
            import numpy as np

            def causal_mask(length):
                position = np.arange(length)
                return position[None] <= position[:, None]
            """,
        ),
    ),
)


def positions(sinusoidal_positions: Any, length: int, width: int, double: bool = True) -> Any:
    if double:
        return sinusoidal_positions(length, width, np.float64)
    return sinusoidal_positions(length, width)


def positions_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for length, width in [(2, 2), (1, 2), (3, 1), (2, 3), (3, 4), (5, 6), (4, 7), (12, 10), (1, 5)]:
        yield {"length": length, "width": width}
    yield {"length": 3, "width": 5, "double": False}


SINUSOIDS = Exercise(
    title="Sinusoidal positions",
    functions=(sinusoidal_positions,),
    use=positions,
    task=r"""
Return a table $(T, D)$ with a row for each position $t = 0, \dots, T - 1$:

$$P_{t, 2i} = \sin\frac{t}{10000^{2i/D}}, \qquad P_{t, 2i+1} = \cos\frac{t}{10000^{2i/D}}$$

$D$ is `width` and may be odd: then the last column is a sine. The result has the given `dtype`. No loops.""",
    hints=(
        "Columns come in pairs that share one frequency: compute the angles once for each pair, a column of positions "
        "against a row of frequencies, and put sines and cosines into every second column.",
        r"The exponent $2i/D$ is the number of the pair's *even* column, divided by $D$ (Vaswani et al. 2017, "
        r"section 3.5), for the cosine too.",
        "`even = np.arange(0, width, 2)`, `angles = np.arange(length)[:, None] / 10000 ** (even / width)`; "
        "`table[:, 0::2] = np.sin(angles)`, `table[:, 1::2] = np.cos(angles[:, : width // 2])`.",
    ),
    why=r"""A pair (sin, cos) of one frequency is a point on a circle, and moving on by $k$ positions turns it by an
angle that depends on $k$ alone: $\sin(a + b)$ and $\cos(a + b)$ are linear in $\sin a$ and $\cos a$. This is what the
authors hoped for, and it needs the *same* frequency in both columns. Using each column's own number in the exponent
gives curves that look just as pretty and have lost it.""",
    difficulty=2,
    minutes=10,
    cases=positions_cases,
    floats32=False,
    speed=lambda rng: {"length": 2000, "width": 64},
    wrong=(
        Wrong(
            "cosines one position late",
            {
                "np.cos(angles[:, : width // 2])": "np.cos((np.arange(-1, length - 1)[:, None] / "
                "10000 ** (even_columns / width))[:, : width // 2])"
            },
            "whose cosines are those of the position before",
        ),
        Wrong(
            "counted from 1",
            {"np.arange(length)[:, None]": "np.arange(1, length + 1)[:, None]"},
            "that counts positions from 1",
        ),
        Wrong(
            "a frequency for every column",
            {
                "np.cos(angles[:, : width // 2])": "np.cos(np.arange(length)[:, None] / "
                "10000 ** (np.arange(1, width, 2) / width))"
            },
            "whose cosines have a frequency of their own: a pair of columns should share one",
        ),
        Wrong(
            "exponent i/D",
            {"(even_columns / width)": "(even_columns / 2 / width)"},
            "with the exponent i/D in place of 2i/D",
        ),
        Wrong(
            "exponent by pairs",
            {"(even_columns / width)": "(even_columns / max(width - 2, 1))"},
            "whose exponent reaches 1 in the last pair (2i/(D − 2)): a variant of some libraries, not the paper's",
        ),
        Wrong(
            "two halves",
            {
                "positions[:, 0::2] = ": "positions[:, : (width + 1) // 2] = ",
                "positions[:, 1::2] = ": "positions[:, (width + 1) // 2 :] = ",
            },
            "with all sines first and all cosines after them: the paper has them in turn",
        ),
        Wrong(
            "sine and cosine exchanged",
            {"np.sin(angles)": "np.cos(angles)", "np.cos(angles[": "np.sin(angles["},
            "that exchanges sines and cosines",
        ),
        Wrong("multiplied", {"/ 10000 **": "* 10000 **"}, "that multiplies by 10000^(2i/D), where it is to divide"),
        Wrong("base 1000", {"10000 **": "1000 **"}, "with 1000 in place of 10000"),
        Wrong("even widths only", {"angles[:, : width // 2]": "angles"}, "that cannot do odd widths", crashes=True),
        Wrong(
            "always float64", {"np.empty((length, width), dtype)": "np.empty((length, width))"}, "that ignores `dtype`"
        ),
    ),
    right=(
        Right(
            "points on circles",
            """
            import numpy as np

            def sinusoidal_positions(length, width, dtype=np.float32):
                pairs = -(-width // 2)
                frequency = np.exp(-np.log(1e4) * 2 * np.arange(pairs) / width)
                z = np.exp(1j * np.outer(np.arange(length), frequency))
                return np.stack([z.imag, z.real], axis=-1).reshape(length, 2 * pairs)[:, :width].astype(dtype)
            """,
        ),
        Right(
            "a cosine is a shifted sine",
            """
            import numpy as np

            def sinusoidal_positions(length, width, dtype=np.float32):
                column = np.arange(width)
                angle = np.arange(length).reshape(-1, 1) * np.power(10000.0, -(column - column % 2) / width)
                return np.sin(angle + np.pi / 2 * (column % 2)).astype(dtype)
            """,
        ),
    ),
)
