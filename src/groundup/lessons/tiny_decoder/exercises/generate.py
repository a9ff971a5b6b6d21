"""Exercise: going on from a prompt, with a cache."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.tiny_decoder.exercises.cache import step
from groundup.lessons.tiny_decoder.model import decode_step, generate, start_cache
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Subject, special


def prompted(
    draws: np.random.Generator,
    batch: int,
    start: int,
    count: int,
    heads: int,
    width: int,
    tokens: int = 7,
    **options: Any,
) -> dict[str, Any]:
    """Arguments of ``generate``; there may be an ``rng`` among the options."""
    params = step(draws, batch, heads, width, 0, vocabulary=tokens)["params"]
    prompt = draws.integers(tokens, size=(batch, start))
    return {"params": params, "prompt": prompt, "count": count, "heads": heads, **options}


def counted(
    generate: Any,
    params: Any,
    prompt: Any,
    count: int,
    heads: int,
    temperature: float = 1.0,
    rng: Any = None,
    measure: bool = False,
) -> Any:
    if not measure:
        return generate(params, prompt, count, heads, temperature=temperature, rng=rng)
    import sys

    calls = []

    def note(frame: Any, event: Any, argument: Any) -> None:
        if event == "call" and frame.f_code.co_name == "decode_step":
            calls.append(1)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        generate(params, prompt, count, heads, temperature=temperature, rng=rng)
        heard = sys.getprofile() is note  # otherwise somebody did not want to be counted
    finally:
        sys.setprofile(before)
    return np.array(len(calls) if heard else 10**6)


def generate_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield prompted(rng, 1, 1, 1, 1, 2)
    yield prompted(rng, 1, 2, 1, 1, 2)
    yield prompted(rng, 1, 1, 3, 2, 4)
    yield prompted(rng, 2, 3, 2, 2, 4)
    yield prompted(rng, 3, 2, 4, 1, 4)
    yield prompted(rng, 2, 4, 5, 3, 6)
    for temperature in (0.5, 2.0):
        generator = np.random.default_rng(int(rng.integers(2**32)))
        yield prompted(rng, 3, 2, 4, 2, 4, temperature=temperature, rng=generator)
    yield prompted(rng, 2, 3, 2, 1, 4, temperature=0.5)
    yield prompted(rng, 3, 1, 4, 1, 2, rng=np.random.default_rng(int(rng.integers(2**32))))


def many_tokens(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """More tokens than two bytes count."""
    yield prompted(rng, 2, 2, 2, 1, 2, tokens=40_000) | {"prompt": np.array([[300, 39_999], [32_768, 2]])}


def large_scores(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Scores of thousands, whose exponentials are no numbers."""
    case = prompted(rng, 2, 3, 2, 2, 4)
    case["params"]["attention"]["qkv"]["weight"] *= 1000
    yield case


def reads_once(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """A cache that is thrown away shows only in how often it has to be filled, or in that none is."""
    arguments = prompted(rng, 1, 5, 6, 1, 2)
    steps, most = int(answer(**arguments, measure=True).value), 5 + 6
    if most - 1 <= steps <= most:  # the last token written need not be read
        return None
    message = "With a prompt of 5 tokens and 6 more to write, `decode_step` should read each of these once."
    return Finding("every token once", message, expected=f"{most - 1} or {most} calls", got=f"{steps} calls")


#: Another body, put in front of the library's, which is then never reached.
QUEUE = """\
    from collections import deque

    waiting, written, seen = deque(prompt.T), [], []
    memory = start_cache(params, len(prompt), heads, count + len(waiting))
    while len(written) < count:
        out, memory = decode_step(params, waiting.popleft(), memory)
        if not waiting:
            noise = 0.0 if rng is None else rng.gumbel(size=out.shape) * temperature
            waiting.append(np.argmax(out + noise, axis=1))
            written.append(waiting[0])
            seen.append(out)
    return np.array(written).T, np.moveaxis(np.array(seen), 0, 1)
"""

GENERATE = Exercise(
    name="generate_with_cache",
    title="Going on from a prompt with a cache",
    functions=(generate,),
    given=(start_cache, decode_step),
    use=counted,
    task=r"""
`prompt` holds $(B, T)$ integers, $T \ge 1$. Write `count` more tokens for each row, and return them,
$(B, \text{count})$, with the logits from which they were taken, $(B, \text{count}, V)$. Without `rng` a token is the
likeliest one,

$$w_{t+1} = \arg\max_k \; \text{logits}_k(w_1, \dots, w_t)$$

and with it a draw from $\text{softmax}(\text{logits}/\tau)$ with $\tau$ the `temperature`: the largest of
$\text{logits}_k/\tau + g_k$, with `g = rng.gumbel(size=logits.shape)` drawn once for each token. `start_cache` and
`decode_step` are given, and every token is to be read *once*: calls are counted. You may ignore `cached`.""",
    hints=(
        "`decode_step` takes one token and knows the earlier ones from the cache. So the prompt has to be read first, "
        "token by token. Which logits are those of the first new token?",
        r"After $w_1, \dots, w_t$ have been read, the last logits are those of $w_{t+1}$. So $T + \text{count} - 1$ "
        r"steps are enough: the last token that is written need not be read.",
        "`cache = start_cache(params, B, heads, T + count)`; for every column of the prompt `logits, cache = "
        "decode_step(params, column, cache)`; then `count` times: choose, keep token and logits, read the token.",
    ),
    why=r"""Reading a token returns the distribution of the *next* one, so the last step of the prompt already gives
the logits of the first new token. To feed the last token of the prompt once more is the common mistake: the model
sees it twice, at two positions, and nobody notices, for the text goes on all the same. Each token is read once, so
the work grows with $T + \text{count}$ steps, where reading all again for every token takes about
$\text{count} \cdot (T + \text{count}/2)$.""",
    difficulty=3,
    minutes=20,
    cases=generate_cases,
    checks=(
        Check("every token once", reads_once),
        special("many tokens", many_tokens),
        special("large scores", large_scores),
    ),
    loops="Over the tokens, for each depends on those before it.",
    equivalent={
        "what is never reached": "The branch without a cache: the task says that `cached` may be ignored.",
        "generate: np.concatenate([prompt, np.zeros((batch, count), prompt.dtype)], axis=1) → "
        "np.concatenate([prompt, np.zeros((batch, count), prompt.dtype)], axis=-1)": (
            "A prompt is a matrix: axis 1 is its last."
        ),
        "generate: np.zeros((batch, count), prompt.dtype) → np.ones((batch, count), prompt.dtype)": (
            "Room that is written before it is read."
        ),
        "generate: sequence[:, place] = scores.argmax(axis=-1) → sequence[:, place] += scores.argmax(axis=-1)": (
            "The room for new tokens is made of zeros."
        ),
        "generate: -1 → 1 (2)": "The scores of one token are a matrix (B, V): axis 1 is its last.",
    },
    wrong=(
        Wrong(
            "last token of the prompt twice",
            {
                "    read, found = 0, []\n": "    for column in range(start):\n"
                "        logits, cache = decode_step(params, sequence[:, column], cache)\n"
                "    read, found = start - 1, []\n",
            },
            "that reads the last token of the prompt twice",
        ),
        Wrong(
            "prompt's last token alone",
            {"    read, found = 0, []\n": "    read, found = start - 1, []\n"},
            "that reads only the last token of the prompt",
        ),
        Wrong(
            "cache thrown away",
            {
                "range(read, place)": "range(place - 1, place)",
                "            read = place\n": "            cache = start_cache(params, batch, heads, start + count)\n",
            },
            "that begins with an empty cache at every token, and reads the newest token alone",
        ),
        Wrong(
            "new tokens not read",
            {"            read = place\n": "            read = start + count\n"},
            "that reads the prompt and never what it has written: all logits are the same",
        ),
        Wrong("prompt too", {"return sequence[:, start:], ": "return sequence, "}, "that returns the prompt too"),
        Wrong("never draws", {"if rng is not None": "if False"}, "that ignores `rng`"),
        Wrong("no temperature", {"logits / temperature + ": "logits + "}, "in which the temperature changes nothing"),
        Wrong(
            "times the temperature",
            {"logits / temperature +": "logits * temperature +"},
            "that multiplies by the temperature",
        ),
        Wrong(
            "noisy logits returned",
            {"found.append(logits)": "found.append(scores)"},
            "that returns the logits with temperature and noise, where they are wanted as they are",
        ),
        Wrong(
            "all read again for every token",
            {
                "            for column in range(read, place)": "            cache = start_cache(params, batch, heads, "
                "start + count)\n            for column in range(place)"
            },
            "that reads everything again for every token",
        ),
    ),
    right=(
        Right(
            "prompt and written tokens in one queue",
            {"    batch, start = prompt.shape\n    seq": QUEUE + "    batch, start = prompt.shape\n    seq"},
        ),
    ),
)
