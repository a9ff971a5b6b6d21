"""Exercise: the gradients of an encoder layer, residual paths and all."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p13_attention_is_all_you_need.model import encoder_layer
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def layer(rng: np.random.Generator, batch: int, length: int, width: int, hidden: int, heads: int) -> dict[str, Any]:
    """Arguments of ``encoder_layer``, without dropout yet."""

    def linear(outputs: int, inputs: int) -> dict[str, Any]:
        return {"weight": rng.normal(size=(outputs, inputs)), "bias": rng.normal(size=outputs)}

    def norm() -> dict[str, Any]:
        return {"weight": rng.normal(size=width), "bias": rng.normal(size=width)}

    names = ("query", "key", "value", "out")
    params = {
        "attention": {name: {"weight": rng.normal(size=(width, width)) / width**0.5} for name in names},
        "feed_forward": {"up": linear(hidden, width), "down": linear(width, hidden)},
        "attention_norm": norm(),
        "feed_forward_norm": norm(),
    }
    x = rng.normal(size=(batch, length, width))
    return {"x": x, "params": params, "mask": None, "heads": heads, "rate": 0.0, "rng": None}


def layer_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield layer(rng, 1, 1, 3, 2, 1)
    yield layer(rng, 1, 2, 4, 3, 1)
    yield layer(rng, 2, 3, 4, 5, 2)
    yield layer(rng, 3, 2, 6, 4, 3)
    yield layer(rng, 2, 4, 4, 8, 4) | {"mask": np.tri(4, dtype=bool)}
    keep = np.array([[True, True, False], [True, False, False]])
    yield layer(rng, 2, 3, 4, 5, 2) | {"mask": keep[:, None, None, :]}
    for rate in (0.5, 0.2):  # the forward that is given draws, so every answer drops the same
        yield layer(rng, 2, 3, 4, 6, 2) | {"rate": rate, "rng": np.random.default_rng(rng.integers(2**32))}


def large_behind_masks(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Scores of thousands, in part forbidden."""
    case = layer(rng, 2, 3, 4, 5, 2)
    for name in ("query", "key"):
        case["params"]["attention"][name]["weight"] *= 300
    yield case | {"mask": np.tri(3, dtype=bool)}


ENCODER_LAYER = Exercise(
    name="encoder_layer_backward",
    title="The backward of an encoder layer",
    functions=(encoder_layer,),
    gives=("x", "params"),
    keep="forward",
    task=r"""
The forward of an encoder layer is written, and so are the backwards of its four parts:

$$h = \text{norm}_1\big(x + \text{attention}(x, x)\big), \qquad y = \text{norm}_2\big(h + \text{feed\_forward}(h)\big)$$

Write `backward(dy)`: it returns the gradient of $x$, and a dict with the keys of `params`, `"attention"`,
`"attention_norm"`, `"feed_forward"` and `"feed_forward_norm"`, of the gradients of each. `add_and_norm`'s backward
returns the gradients of its two summands and of its parameters; the attention's those of its queries' input, of its
memory, and of its parameters; the feed-forward's those of its input and of its parameters.""",
    hints=(
        "Go through the forward from its last line to the first. Where a value is used more than once, the gradients "
        "of its uses add up. How often is h used, and how often x?",
        r"$dh$ has two parts: along the residual path and through the feed-forward. $dx$ has three: the residual path, "
        r"the queries, and the keys and values (Vaswani et al. 2017, section 3.1, differentiated).",
        "`dh, d_thought, … = feed_forward_norm_backward(dy)`; `inside, … = feed_forward_backward(d_thought)`; "
        "`dx, d_mixed, … = attention_norm_backward(dh + inside)`; `dx_query, dx_memory, … = "
        "attention_backward(d_mixed)`; the sum of the last three is the gradient of x.",
    ),
    why=r"""A value that is read in several places influences the loss along all of them, and the total derivative is
the sum. The residual path is one of them: its gradient reaches $x$ without passing through any weights, which is why
deep stacks can be trained. To lose it, or the part by way of keys and values, still gives gradients of the right shape,
and the loss may well fall all the same: a run does not tell you, a numerical gradient does.""",
    difficulty=3,
    minutes=20,
    cases=layer_cases,
    checks=(special("large scores behind masks", large_behind_masks),),
    loops="None is needed: every part is given.",
    wrong=(
        Wrong(
            "no residual path around the attention",
            {"return dx + dx_query + dx_memory, ": "return dx_query + dx_memory, "},
            "whose gradient of x lacks the residual path",
        ),
        Wrong(
            "residual path alone",
            {"return dx + dx_query + dx_memory, ": "return dx, "},
            "whose gradient of x knows the residual path only",
        ),
        Wrong(
            "queries only",
            {"return dx + dx_query + dx_memory, ": "return dx + dx_query, "},
            "whose gradient of x lacks the way through keys and values",
        ),
        Wrong(
            "keys and values only",
            {"return dx + dx_query + dx_memory, ": "return dx + dx_memory, "},
            "whose gradient of x lacks the way through the queries",
        ),
        Wrong(
            "no residual path around the feed-forward",
            {"attention_norm_backward(dh + dh_inside)": "attention_norm_backward(dh_inside)"},
            "that loses the residual path around the feed-forward",
        ),
        Wrong(
            "past the feed-forward",
            {"attention_norm_backward(dh + dh_inside)": "attention_norm_backward(dh)"},
            "that loses what comes back through the feed-forward",
        ),
        Wrong(
            "norm skipped",
            {"= feed_forward_backward(d_thought)": "= feed_forward_backward(dy)"},
            "that sends dy into the feed-forward, past the second norm",
        ),
        Wrong(
            "norms exchanged",
            {
                'd_thought, gradients["feed_forward_norm"] =': 'd_thought, gradients["attention_norm"] =',
                'd_mixed, gradients["attention_norm"] =': 'd_mixed, gradients["feed_forward_norm"] =',
            },
            "that exchanges the gradients of the two norms",
        ),
    ),
    right=(
        Right(
            "other names, one sum",
            {
                "        gradients = {}\n": "",
                'dh, d_thought, gradients["feed_forward_norm"] = feed_forward_norm_backward(dy)': "h1, t, n2 = "
                "feed_forward_norm_backward(dy)",
                'dh_inside, gradients["feed_forward"] = feed_forward_backward(d_thought)': "h2, f = "
                "feed_forward_backward(t)",
                'dx, d_mixed, gradients["attention_norm"] = attention_norm_backward(dh + dh_inside)': "x1, m, n1 = "
                "attention_norm_backward(np.add(h1, h2))",
                'dx_query, dx_memory, gradients["attention"] = attention_backward(d_mixed)': "*xs, a = "
                "attention_backward(m)",
                "return dx + dx_query + dx_memory, {name: gradients[name] for name in params}": "return [sum(xs, x1), "
                "dict(feed_forward=f, attention=a, attention_norm=n1, feed_forward_norm=n2)]",
            },
        ),
    ),
)
