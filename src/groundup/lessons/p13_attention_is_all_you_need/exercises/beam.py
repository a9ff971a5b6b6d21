"""Exercise: beam search."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p13_attention_is_all_you_need.decoding import beam_search
from groundup.lessons.p13_attention_is_all_you_need.exercises.decoding import SCORER, many_tokens, scorer
from groundup.ops.activations import log_softmax
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import choices, special


def searched(beam_search: Any, score: Any, count: int, length: int, width: int = 4, alpha: float = 0.6) -> Any:
    tokens, totals = beam_search(score, count, length, width, alpha)
    filled = np.zeros((count, max(length, tokens.shape[1])), np.int64)  # steps that add nothing but PAD do not count
    filled[:, : tokens.shape[1]] = tokens
    return filled, totals


def beam_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    def case(count: int, vocabulary: int, length: int, end: float, late: float, **options: Any) -> dict[str, Any]:
        return {"score": scorer(rng, count, vocabulary, end, late), "count": count, "length": length, **options}

    yield case(1, 4, 1, 0.0, 0.0, width=2, alpha=0.6)
    yield case(1, 4, 2, 0.5, 0.0, width=2, alpha=0.6)
    for _ in range(20):  # one source alone, so that the search ends with it
        yield case(1, 5, 7, 0.0, 0.3, width=3, alpha=3.0)
    yield case(3, 5, 4, 0.0, 0.0, width=3, alpha=0.6)
    for width, alpha in [(2, 0.3), (3, 1.0), (4, 1.0), (3, 0.0), (4, 2.0), (2, 1.5), (5, 0.6), (1, 0.6)]:
        yield case(9, 7, 8, -2.0, 0.7, width=width, alpha=alpha)
    yield case(2, 6, 5, 9.0, 0.0, width=2, alpha=0.6)
    yield from choices(lambda: case(2, 6, 6, -1.0, 0.5), width=3, alpha=1.0)


BEAM = Exercise(
    title="Beam search with a length penalty",
    functions=(beam_search,),
    use=searched,
    given=(log_softmax, "groundup.data.dates:PAD"),
    task=SCORER
    + r"""

For each source keep the `width` best hypotheses. They start as one, `START`. In every step each hypothesis is
continued with every token, and of all these candidates of a source the `width` best stay, ranked by

$$\frac{\log P(Y)}{\left((5 + |Y|)/6\right)^{\alpha}}, \qquad
\log P(Y) = \sum_t \log \text{softmax}(\text{logits}_t)_{y_t}$$

with $|Y|$ the number of tokens after `START`, `END` among them. A hypothesis that has written `END` stays in the beam
as it is and competes on: it is continued with `PAD` only, which costs nothing and does not count. Stop after `length`
steps, or when all hypotheses of all sources have ended; unfinished ones compete like the others. Return the best
hypothesis of each source and its $\log P$ (not divided): integers $(\text{count}, \le \text{length})$ without `START`,
filled up with `PAD`, and $(\text{count},)$.""",
    hints=(
        "A beam is four arrays: the tokens, the sums of log-probabilities, the lengths, and who is done. One step "
        "makes `width` · V candidates a source; of each that survives you must know the parent and the token.",
        r"$\log P(Y, k) = \log P(Y) + \log p_k$; done: 0 for PAD, $-\infty$ for all else. The ranking is Wu et al. "
        r"2016, eq. 14, without coverage; width 4 and $\alpha = 0.6$ are those of Vaswani et al. 2017, section 6.1.",
        "`candidates = totals[..., None] + log_p` $(B, w, V)$; `grown = lengths + ~done`; rank `candidates / ((5 + "
        "grown) / 6)[..., None] ** alpha`, flattened; `parent, token = divmod(best, V)`; take tokens, lengths and done "
        "of the parents.",
    ),
    why=r"""A sum of log-probabilities falls with every token, so without the penalty short hypotheses win; dividing a
negative number by a larger one brings long ones up. The survivors of a step are continuations of *parents*, in any
order: everything that belongs to a hypothesis has to follow its parent. Starting with `width` equal hypotheses is a
trap: their continuations are equal too, the best token fills the whole beam, and the search is greedy.""",
    difficulty=4,
    minutes=45,
    cases=beam_cases,
    checks=(special("many tokens", lambda rng: [{"score": many_tokens(rng), "count": 2, "length": 3}]),),
    floats32=False,
    loops="Over steps, sources and hypotheses.",
    equivalent={
        "length_penalty: (5.0 + length) / 6.0 → (5.0 + length) * 6.0": (
            "Every hypothesis's penalty gets the same factor: no rank changes."
        ),
        "length_penalty: (5.0 + length) / 6.0 → 5.0 + length": (
            "Every hypothesis's penalty gets the same factor: no rank changes."
        ),
        "length_penalty: 6.0 → 12.0": "Every hypothesis's penalty gets the same factor: no rank changes.",
        "beam_search: log_softmax(logits)[0].astype(np.float64) → log_softmax(logits)[0]": (
            "The scorer's logits are float64 already."
        ),
        "beam_search: log_p[done] = -np.inf → log_p[done] += -np.inf": "A finite number less ∞ is -∞.",
        "beam_search: np.argsort(-ranked.reshape(count, -1), axis=-1, kind='stable') → "
        "np.argsort(-ranked.reshape(count, -1), axis=-1)": (
            "No two candidates rank equal but those of -∞, which are never taken."
        ),
        "beam_search: if done.all(): … → if False: …": "Further steps write PAD only, which is compared as padding.",
        "beam_search: break → nothing": "Further steps write PAD only, which is compared as padding.",
    },
    wrong=(
        Wrong(
            "greedy",
            {"    tokens = np.full((count, 1, 1), START)": "    width = 1\n    tokens = np.full((count, 1, 1), START)"},
            "that is greedy: only one hypothesis is kept, or all that are kept are equal",
        ),
        Wrong(
            "always four",
            {"    tokens = np.full((count, 1, 1), START)": "    width = 4\n    tokens = np.full((count, 1, 1), START)"},
            "that ignores `width` and keeps 4 hypotheses",
        ),
        Wrong(
            "no length penalty",
            {"return ((5.0 + length) / 6.0) ** alpha": "return 1.0 + 0 * length"},
            "that ranks by log P alone (or counts the PADs, which comes to the same): short hypotheses win",
        ),
        Wrong(
            "divided by the length",
            {"return ((5.0 + length) / 6.0) ** alpha": "return length**alpha"},
            "that divides by |Y|^α, where ((5 + |Y|)/6)^α is meant",
        ),
        Wrong(
            "penalty multiplied",
            {"ranked = candidates / length_penalty": "ranked = candidates * length_penalty"},
            "that multiplies by the penalty, which makes long hypotheses worse still",
        ),
        Wrong(
            "alpha of its own",
            {"/ 6.0) ** alpha": "/ 6.0) ** 0.6"},
            "that ignores `alpha`",
        ),
        Wrong(
            "END not counted",
            {
                "grown = lengths + ~done": "ends = np.arange(log_p.shape[-1]) == END\n"
                "        grown = lengths[..., None] + (~done[..., None] & ~ends)",
                "length_penalty(grown, alpha)[..., None]": "length_penalty(grown, alpha)",
                "(grown, parent, axis=1)": "(grown.reshape(count, -1), best, axis=1)",
            },
            "whose |Y| leaves END out",
        ),
        Wrong(
            "goes on after END",
            {"        log_p[done] = -np.inf\n        log_p[done, PAD] = 0.0\n": ""},
            "in which hypotheses go on after END",
        ),
        Wrong(
            "PAD costs",
            {
                "log_p[done] = -np.inf\n": "padding = log_p[done, PAD]\n        log_p[done] = -np.inf\n",
                "log_p[done, PAD] = 0.0": "log_p[done, PAD] = padding",
            },
            "in which a finished hypothesis pays for its PADs",
        ),
        Wrong(
            "logits added",
            {"log_softmax(logits)[0].astype(": "logits.astype("},
            "that adds logits, where log-probabilities are meant",
        ),
        Wrong(
            "parents not followed",
            {
                "np.take_along_axis(tokens, parent[..., None], axis=1), token[..., None]": "tokens[:, "
                "np.arange(best.shape[1]) % beams], token[..., None]"
            },
            "whose tokens do not follow their parents",
        ),
        Wrong(
            "done does not follow",
            {
                "np.take_along_axis(done, parent, axis=1) | (token == END)": "done[:, np.arange(best.shape[1]) % "
                "beams] | (token == END)"
            },
            "in which it does not follow the parents who is done",
        ),
        Wrong(
            "score returned divided",
            {
                "return tokens[:, 0, 1:], totals[:, 0]": "return tokens[:, 0, 1:], totals[:, 0] / "
                "length_penalty(lengths[:, 0], alpha)"
            },
            "that returns log P divided by the penalty, where log P itself is wanted",
        ),
        Wrong(
            "stops at the first END",
            {"        if done.all():": "        if done[:, 0].all():"},
            "that stops as soon as the best hypothesis of each source has ended",
        ),
        Wrong(
            "one source for all",
            {"np.repeat(np.arange(count), beams)": "np.tile(np.arange(count), beams)"},
            "that mixes up the sources: hypotheses of a source lie next to each other",
        ),
    ),
    right=(
        Right(
            "lists, one source after the other",
            """
            import heapq
            import math
            from dataclasses import dataclass

            import numpy as np

            PAD, START, END = 0, 1, 2

            @dataclass
            class Hypothesis:
                words: list
                log_p: float

                @property
                def ended(self):
                    return self.words[-1] == END

                def rank(self, alpha):
                    return self.log_p / ((5 + len(self.words) - 1) / 6) ** alpha

            def beam_search(score, count, length, width=4, alpha=0.6):
                best = []
                for row in range(count):
                    beam = [Hypothesis([START], 0.0)]
                    for _ in range(length):
                        pool = [h for h in beam if h.ended]
                        for h in beam:
                            if not h.ended:
                                logits = score(np.array([h.words]), np.array([row]))[0]
                                top = logits.max()
                                norm = top + math.log(np.exp(logits - top).sum())
                                pool += [
                                    Hypothesis([*h.words, k], h.log_p + float(x - norm)) for k, x in enumerate(logits)
                                ]
                        beam = heapq.nlargest(width, pool, key=lambda h: h.rank(alpha))
                        if all(h.ended for h in beam):
                            break
                    best.append(beam[0])
                out = np.full((count, max(len(h.words) for h in best) - 1), PAD)
                for line, h in zip(out, best):
                    line[: len(h.words) - 1] = h.words[1:]
                return out, np.array([h.log_p for h in best])
            """,
        ),
    ),
)
