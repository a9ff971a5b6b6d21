"""Exercise: writing with a model, token by token."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.data.dates import END, PAD, START
from groundup.lessons.p13_attention_is_all_you_need.decoding import generate
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import Code, special

SCORER = r"""
`score(prefixes, rows)` is the model: `prefixes` $(N, t)$ are integers that begin with `START`, `rows` $(N,)$ says
which of the sources, $0$ to $\text{count} - 1$, each prefix belongs to, and the result is the logits $(N, V)$ of the
next token."""


def scorer(rng: np.random.Generator, count: int, vocabulary: int, end: float = 0.0, late: float = 0.0) -> Code:
    """A model whose logits depend on the source, the last token and all of the prefix.

    ``end`` is added to END's logits, and ``late`` for every token that has been written.
    """
    table = rng.normal(size=(count, vocabulary, vocabulary))
    table[..., [PAD, START]] -= 6
    table[..., END] += end - late
    return Code(
        "lambda prefixes, rows: table[rows, np.asarray(prefixes)[:, -1]] + late * np.shape(prefixes)[1]"
        " + 2 * np.sin(np.outer((np.asarray(prefixes) * np.arange(1, np.shape(prefixes)[1] + 1)).sum(1), turn))",
        table=table,
        turn=rng.normal(size=vocabulary),
        late=late * (np.arange(vocabulary) == END),
    )


def many_tokens(rng: np.random.Generator) -> Code:
    """A model with more tokens than two bytes count, the last of which are the likeliest."""
    text = "lambda prefixes, rows: np.sin(np.outer(np.asarray(prefixes).sum(1) + rows, turn)) + late"
    return Code(text, turn=3 * rng.normal(size=40_000), late=3.0 * (np.arange(40_000) > 33_000))


def greedy_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for count, vocabulary, length, end in [
        (1, 4, 1, 0.0), (1, 4, 3, 0.0), (1, 5, 8, 1.5), (2, 5, 4, 0.5), (3, 6, 6, 1.0), (4, 5, 9, 1.0), (5, 7, 7, -9.0),
    ]:  # fmt: skip
        yield {"score": scorer(rng, count, vocabulary, end), "count": count, "length": length}
    for temperature in (1.0, 0.5, 3.0):
        seed = int(rng.integers(2**32))
        yield {
            "score": scorer(rng, 4, 6, 0.5),
            "count": 4,
            "length": 7,
            "temperature": temperature,
            "rng": np.random.default_rng(seed),
        }
    yield {"score": scorer(rng, 3, 6, 9.0), "count": 3, "length": 5}
    yield {"score": scorer(rng, 2, 5, -9.0), "count": 2, "length": 14}
    yield {"score": scorer(rng, 8, 6, -2.0), "count": 8, "length": 6, "rng": np.random.default_rng(1)}
    yield {"score": scorer(rng, 3, 6, 0.5), "count": 3, "length": 6, "temperature": 0.7}
    still = {"temperature": 0.0, "rng": np.random.default_rng(1)}
    yield {"score": scorer(rng, 8, 6, -2.0), "count": 8, "length": 6, **still}


GREEDY = Exercise(
    name="greedy_decoding",
    title="Writing token by token",
    functions=(generate,),
    given=("groundup.data.dates:PAD",),
    task=SCORER
    + r"""

Write `count` rows, all in step: each begins with `START`, and in every step each row gets one more token, the
likeliest,

$$w_{t+1} = \arg\max_k \; \text{logits}_k$$

A row that has written `END` is done and gets `PAD` from then on. Stop after `length` tokens, or as soon as all rows
are done. Return the integers written, `START` left out: $(\text{count}, \le \text{length})$. Where a `temperature`
$\tau > 0$ and `rng` are given, draw instead from $\text{softmax}(\text{logits}/\tau)$: take the largest of
$\text{logits}_k/\tau + g_k$ with `g = rng.gumbel(size=logits.shape)`, drawn once in every step for all rows.""",
    hints=(
        "Keep the rows written so far, and a Boolean for each: is it done? A finished row goes through the model with "
        "the others; only what it would write is thrown away.",
        r"Gumbel noise turns arg max into a draw: $P\big(\arg\max_k (a_k + g_k) = j\big) = e^{a_j}/\sum_k e^{a_k}$. "
        r"So the division by τ comes before the noise.",
        "In each step: `logits = score(written, np.arange(count))`; `token = np.where(done, PAD, "
        "logits.argmax(-1))`; append the column; then `done |= token == END`, and break if `done.all()`.",
    ),
    why=r"""The order matters: the token is chosen with the old `done`, so that `END` itself is written, and only then
`done` learns of it. Every row is as long as the longest, so finished ones have to be filled up. Dividing the logits
and the noise alike by $\tau$ changes nothing: the largest stays the largest. That is also why the temperature has no
effect on greedy decoding.""",
    difficulty=2,
    minutes=15,
    cases=greedy_cases,
    checks=(special("many tokens", lambda rng: [{"score": many_tokens(rng), "count": 2, "length": 4}]),),
    floats32=False,
    loops="Over the steps, for each token depends on those before it.",
    wrong=(
        Wrong(
            "goes on after END",
            {"np.where(done, PAD, logits.argmax(axis=-1))": "logits.argmax(axis=-1)"},
            "in which rows go on after END",
        ),
        Wrong(
            "END again and again",
            {"np.where(done, PAD, ": "np.where(done, END, "},
            "that fills up with END, where PAD is wanted",
        ),
        Wrong(
            "END not written",
            {
                "np.where(done, PAD, logits.argmax(axis=-1))": "np.where(done | (logits.argmax(axis=-1) == END), PAD, "
                "logits.argmax(axis=-1))",
                "done |= token == END": "done |= token == PAD",
            },
            "that writes PAD in place of END",
        ),
        Wrong("START too", {"return written[:, 1:]": "return written"}, "that returns START too"),
        Wrong("never stops", {"        if done.all():\n            break\n": ""}, "that always takes `length` steps"),
        Wrong("stops at the first END", {"if done.all()": "if done.any()"}, "that stops as soon as one row is done"),
        Wrong(
            "the last token only",
            {"score(written, rows)": "score(written[:, -1:], rows)"},
            "that shows the model the last token only",
        ),
        Wrong(
            "one source for all",
            {"score(written, rows)": "score(written, 0 * rows)"},
            "that asks for the first source in every row",
        ),
        Wrong(
            "no temperature",
            {"logits / temperature + ": "logits + "},
            "in which the temperature changes nothing",
        ),
        Wrong(
            "times the temperature",
            {"logits / temperature + ": "logits * temperature + "},
            "that multiplies by the temperature",
        ),
        Wrong(
            "never draws", {"if temperature > 0 and rng is not None": "if False"}, "that is greedy at any temperature"
        ),
        Wrong(
            "one draw for all rows",
            {"rng.gumbel(size=logits.shape)": "rng.gumbel(size=logits.shape)[:1]"},
            "whose rows share their noise",
        ),
    ),
    right=(
        Right(
            "columns in a list",
            """
            import numpy as np

            PAD, START, END = 0, 1, 2

            def generate(score, count, length, temperature=0.0, rng=None):
                columns = [np.array([START] * count)]
                running = np.ones(count, dtype=bool)
                while len(columns) <= length and running.any():
                    values = score(np.stack(columns, axis=1), np.arange(count))
                    if temperature and rng:
                        values = values / temperature + rng.gumbel(size=values.shape)
                    column = np.argmax(values, axis=1) * running + PAD * ~running
                    columns.append(column)
                    running = running & (column != END)
                return np.stack(columns[1:], axis=1)
            """,
        ),
        Right(
            "a table made beforehand, rows finished one by one",
            """
            import numpy as np

            PAD, START, END = 0, 1, 2

            def generate(score, count, length, temperature=0.0, rng=None):
                out = np.full((count, length + 1), PAD)
                out[:, 0] = START
                alive = set(range(count))
                used = 0
                for used in range(1, length + 1):
                    logits = score(out[:, :used], np.arange(count))
                    noise = rng.gumbel(size=logits.shape) if temperature > 0 and rng is not None else 0.0
                    best = (logits / (temperature or 1.0) + noise).argmax(1)
                    for row in sorted(alive):
                        out[row, used] = best[row]
                        if best[row] == END:
                            alive.discard(row)
                    if not alive:
                        break
                return out[:, 1 : used + 1]
            """,
        ),
    ),
)
