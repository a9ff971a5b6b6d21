"""An exercise on drawing characters with a temperature: the draws are free, so their shares are checked."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from groundup.lessons.p02_char_rnn.model import draw
from groundup.ops.types import Array
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Subject, fits, show


def draws(draw: Callable[..., Any], logits: Any, temperature: float, rng: Any, count: int) -> Any:
    """Many draws, one after the other from one generator."""
    return np.array([draw(logits, temperature, rng) for _ in range(count)])


def draw_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for classes, temperature in [(2, 1.0), (3, 0.5), (1, 1.0), (5, 2.0), (4, 0.1), (7, 1.3)]:
        seed = int(rng.integers(2**32))
        logits = rng.normal(size=classes)
        yield {"logits": logits, "temperature": temperature, "rng": np.random.default_rng(seed), "count": 4}


def softmax(scores: Array) -> Array:
    """Of one row."""
    e = np.exp(scores - scores.max())
    return e / e.sum()


def near(share: Array, p: Array, count: int) -> bool:
    """Whether shares of ``count`` draws fit probabilities, to six standard deviations; what cannot come never comes."""
    error = np.abs(share - p)
    return bool((error <= np.where(p > 0, 6 * np.sqrt(p * (1 - p) / count) + 3 / count, 0)).all())


def frequencies(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """Every index comes as often as softmax(logits / temperature) says; of known mistakes it says which."""
    ordinary = np.array([0.3, 1.5, -0.7, 2.1, 0.9])
    large = np.array([998.0, 1000.0, 999.0, -1000.0])
    banned = np.array([-np.inf, 0.5, 1.0, 0.0])
    count = 2000
    for logits, temperature in [(ordinary, t) for t in (0.5, 2.0, 1.0, 0.002)] + [(large, 1.0), (banned, 1.5)]:
        logits = np.array(logits)
        generator = np.random.default_rng(rng.integers(2**32))
        arguments = {"logits": logits, "temperature": temperature, "rng": generator, "count": count}
        drawn = np.asarray(answer(**arguments).value)
        if drawn.min() < 0 or drawn.max() >= len(logits):
            message = f"Only indices from 0 to {len(logits) - 1} can be drawn."
            return Finding("frequencies", message, arguments, got=show(np.unique(drawn)))
        share, p = np.bincount(drawn, minlength=len(logits)) / count, softmax(logits / temperature)
        if near(share, p, count):
            continue
        mistakes = {
            "as if the temperature were always 1": softmax(logits),
            "as if the logits were multiplied by the temperature": softmax(logits * temperature),
            "as if the probabilities, not the logits, were divided by it": softmax(softmax(logits) / temperature),
            "as if every index were equally likely": np.full(len(logits), 1 / len(logits)),
            "as if the largest were always taken": np.eye(len(logits))[logits.argmax()],
        }
        words = next((words for words, other in mistakes.items() if near(share, other, count)), "")
        message = f"At temperature {temperature} the shares of {count} draws do not fit softmax(logits / temperature)"
        message += f": they are {words}." if words else "."
        return Finding("frequencies", message, arguments, (), show(p), show(share))
    return None


def many_classes(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """24 indices with probabilities from 1 to 11 %, drawn so often that 2 % of foreign draws show, and so does an
    index that never comes."""
    logits, count = rng.permutation(np.linspace(0.0, 2.5, 24)), 40_000
    arguments = {"logits": logits, "temperature": 1.0, "rng": np.random.default_rng(rng.integers(2**32))}
    drawn = np.asarray(answer(**arguments, count=count).value)
    p = softmax(logits)
    counts = np.bincount(drawn.clip(0, 23), minlength=24)
    if fits(counts, p):
        return None
    message = f"The shares of {count} draws do not fit softmax(logits / temperature)."
    return Finding("frequencies of many", message, arguments, (), show(p), show(counts / count))


def largest_at_zero(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """At temperature 0 the largest logit wins."""
    rows = ([0.2, 1.0, 3.0, 2.0], [-3.0, -2.0, -1.0], [5.0, -np.inf], np.arange(40_000) / 1000)
    for logits in map(np.array, rows):
        arguments = {"logits": logits, "temperature": 0.0, "rng": np.random.default_rng(0), "count": 3}
        drawn = np.asarray(answer(**arguments).value)
        if (drawn != logits.argmax()).any():
            message = "At temperature 0 the largest logit is to be taken."
            return Finding("temperature 0", message, arguments, (), str(logits.argmax()), show(drawn))
    return None


def draws_from_rng(answer: Subject, reference: Subject, rng: np.random.Generator) -> str | None:
    """Draws come from ``rng``: equal states give equal draws, other states others."""
    case = {"logits": np.linspace(0, 0.1, 10), "temperature": 1.0, "count": 30}
    first, again, other = (answer(**case, rng=np.random.default_rng(seed)).value for seed in (1, 1, 2))
    if not np.array_equal(first, again):
        return "Two generators in the same state should give the same draws: draw from `rng` alone."
    if np.array_equal(first, other) and np.any(np.asarray(first) != 9):
        return "Generators in different states gave the same draws: draw from `rng`."
    return None  # always the largest, index 9: the next check says so


DRAW = Exercise(
    title="Drawing with a temperature",
    functions=(draw,),
    use=draws,
    exact=False,
    task=r"""
Draw one index $k$ with the probabilities

$$p = \operatorname{softmax}(z / \tau)$$

`logits` $z$ is $(V)$, `temperature` is $\tau \ge 0$; at 0 the largest logit is taken. Return an integer. All draws
come from `rng`, a `numpy.random.Generator`; how you draw is up to you. Logits of any size must do; one of
$-\infty$ is never drawn. No loops.""",
    hints=(
        "A temperature below 1 pulls the logits apart, one above 1 brings them together. Then there are several ways "
        "to draw: compare a uniform number with the running sum of the probabilities, or add noise and take the "
        "largest.",
        r"$p_k = e^{z_k/\tau} / \sum_j e^{z_j/\tau}$ (Hinton, Vinyals & Dean 2015, eq. 1). Draw $u$ uniformly from "
        r"$[0, 1)$ and take the first $k$ with $p_0 + \dots + p_k > u$.",
        "`if temperature == 0: return int(np.argmax(logits))`; `scores = logits / temperature`; "
        "`p = np.exp(scores - scores.max())`, `p /= p.sum()`; `int(np.searchsorted(np.cumsum(p), rng.random(), "
        "side='right'))`, or `int(np.argmax(scores + rng.gumbel(size=scores.shape)))`.",
    ),
    why=r"""Dividing by $\tau$ raises the ratio of two probabilities to the power $1/\tau$: below 1 the likely gets
likelier, and as $\tau \to 0$ all goes to the largest. The Gumbel trick: $z_k/\tau$ plus noise $-\log(-\log u_k)$
is largest at $k$ with just the softmax's probability, because for uniform $u_k$ the numbers $-\log u_k /
e^{z_k/\tau}$ are exponential waiting times of rates $e^{z_k/\tau}$, and each is the shortest with a probability
proportional to its rate. The noise must not be divided by $\tau$: $(z + \text{noise})/\tau$ has its largest where
$z + \text{noise}$ has, at whatever temperature.""",
    difficulty=2,
    minutes=10,
    cases=draw_cases,
    checks=(
        Check("draws", draws_from_rng),
        Check("frequencies", frequencies),
        Check("temperature 0", largest_at_zero),
        Check("frequencies of many", many_classes),
    ),
    loops="None needed.",
    solution='''
import numpy as np

Array = np.ndarray


def draw(logits: Array, temperature: float, rng: np.random.Generator) -> int:
    """One index from softmax(logits / temperature); temperature 0 takes the largest."""
    if temperature == 0:
        return int(np.argmax(logits))
    return int(np.argmax(logits / temperature + rng.gumbel(size=logits.shape)))  # the Gumbel-max trick
''',
    wrong=(
        Wrong(
            "multiplied by the temperature",
            {"logits / temperature +": "logits * temperature +"},
            "that multiplies the logits by the temperature",
        ),
        Wrong("temperature ignored", {"logits / temperature +": "logits +"}, "that ignores the temperature"),
        Wrong(
            "noise divided too",
            {
                "logits / temperature + rng.gumbel(size=logits.shape)": "(logits + rng.gumbel(size=logits.shape))"
                " / temperature"
            },
            "that divides the noise by the temperature too, so that it has no effect",
        ),
        Wrong(
            "uniform noise",
            {"rng.gumbel(size=logits.shape)": "rng.random(size=logits.shape)"},
            "that adds uniform noise: only Gumbel's gives the softmax",
        ),
        Wrong(
            "always the largest",
            {" + rng.gumbel(size=logits.shape)": ""},
            "that always takes the largest: no draw at all",
        ),
        Wrong(
            "one noise for all",
            {"rng.gumbel(size=logits.shape)": "rng.gumbel()"},
            "that adds the same noise to all logits",
        ),
        Wrong(
            "temperature 0 not looked at",
            {"if temperature == 0:": "if temperature < 0:"},
            "that divides by a temperature of 0",
        ),
        Wrong(
            "a generator of its own",
            {"rng.gumbel(": "np.random.default_rng(0).gumbel("},
            "that does not draw from `rng`",
        ),
        Wrong(
            "probabilities divided",
            """
            import numpy as np

            def draw(logits, temperature, rng):
                if temperature == 0:
                    return int(np.argmax(logits))
                p = np.exp(logits - logits.max())
                p = np.exp(p / p.sum() / temperature - 1 / temperature)
                return int(rng.choice(len(p), p=p / p.sum()))
            """,
            "that divides the probabilities by the temperature, not the logits",
        ),
        Wrong(
            "overflow",
            """
            import numpy as np

            def draw(logits, temperature, rng):
                if temperature == 0:
                    return int(np.argmax(logits))
                p = np.exp(logits / temperature)
                return int(np.searchsorted(np.cumsum(p / p.sum()), rng.random(), side="right"))
            """,
            "whose exponentials overflow",
        ),
        Wrong(
            "a floor under the logits",
            {"logits / temperature +": "np.maximum(logits, -5) / temperature +"},
            "that draws now and then what is ruled out",
        ),
        Wrong(
            "off by one",
            """
            import numpy as np

            def draw(logits, temperature, rng):
                if temperature == 0:
                    return int(np.argmax(logits))
                p = np.exp((logits - logits.max()) / temperature)
                below = int((np.cumsum(p / p.sum()) <= rng.random()).sum())
                return max(below - 1, 0)
            """,
            "that takes the index before the right one",
        ),
    ),
    right=(
        Right(
            "running sum",
            """
            import numpy as np

            def draw(z, tau, rng):
                if not tau:
                    return z.argmax()
                weights = np.exp((z - z.max()) / tau)
                edges = np.cumsum(weights, dtype=np.float64)
                return int((edges <= rng.random() * edges[-1]).sum())
            """,
        ),
        Right(
            "rng.choice",
            """
            import numpy as np

            def draw(logits, temperature, rng):
                if temperature <= 0:
                    return int(max(range(len(logits)), key=lambda k: logits[k]))
                p = np.exp((logits.astype(np.float64) - logits.max()) / temperature)
                return int(rng.choice(len(p), p=p / p.sum()))
            """,
        ),
        Right(
            "which clock rings first",
            """
            import numpy as np

            def draw(logits, temperature, rng):
                if temperature == 0.0:
                    return int(np.nanargmax(logits))
                waits = np.log(rng.exponential(size=len(logits))) - logits / temperature
                return int(waits.argmin())
            """,
        ),
    ),
)
