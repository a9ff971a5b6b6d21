"""Exercises on characters: in through an embedding, out with a loss in bits."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p02_char_rnn.model import next_character_loss
from groundup.ops.embedding import embedding
from groundup.ops.types import Array, Backward
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def embedding_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"indices": np.array([1, 1]), "weight": rng.normal(size=(2, 1))}
    yield {"indices": np.array([[0, 2, 0, 0]]), "weight": rng.normal(size=(3, 2))}
    for shape, count, width in [((1,), 1, 3), ((5,), 3, 2), ((2, 3), 4, 3), ((3, 2, 4), 5, 2), ((4, 1), 9, 1)]:
        yield {"indices": rng.integers(count, size=shape), "weight": rng.normal(size=(count, width))}
    yield {"indices": np.array(2), "weight": rng.normal(size=(4, 3))}
    yield {"indices": np.array([299, 43, 130]), "weight": rng.normal(size=(300, 2))}  # more rows than a byte counts


EMBEDDING = Exercise(
    title="An embedding and its backward",
    functions=(embedding,),
    gives=("weight",),
    task=r"""
Look up rows of a table, a vector for every token:

$$y_p = W_{k_p} \quad\text{for every place } p$$

`indices` are integers of any shape, `weight` is $(\text{count}, \text{width})$; $y$ has the shape of `indices`
with `width` behind. Return `(y, backward)`; `backward(dy)` returns the gradient of `weight`, of its shape. A token
may occur many times. The indices are valid: no check is needed. No loops.""",
    hints=(
        "Row k of the table was used at every place where token k stands. What does a value that is used several times "
        "get as its gradient?",
        r"Derivation: $y = EW$ with one-hot rows $E_{pk} = [k_p = k]$, so $dW = E^\top dy$: "
        r"$dW_k = \sum_{p:\, k_p = k} dy_p$.",
        "`y = weight[indices]`; in the backward `dweight = np.zeros_like(weight)` and "
        "`np.add.at(dweight, indices, dy)`, which adds every time; `dweight[indices] += dy` does not.",
    ),
    why=r"""A lookup is a product with one-hot rows that nobody writes out, and its backward is the product with
their transpose: it adds up, for each token, the gradients of all its places. `dweight[indices] += dy` looks the
same, but NumPy first computes the right-hand side with one copy for each place and then writes them one over the
other: of a token that occurs three times two gradients are lost. On text, where every batch repeats its letters,
that is nearly all of them.""",
    difficulty=2,
    minutes=10,
    cases=embedding_cases,
    speed=lambda rng: {"indices": rng.integers(30, size=(400, 500)), "weight": rng.normal(size=(30, 2))},
    wrong=(
        Wrong(
            "+= at the indices",
            {"np.add.at(dweight, indices, dy)": "dweight[indices] += dy"},
            "that keeps one gradient of a token that occurs several times: `dweight[indices] += dy` does not add up",
        ),
        Wrong(
            "averaged",
            {
                "        return dweight\n": "        times = np.bincount(indices.ravel(), minlength=len(weight))\n"
                "        return (dweight / np.maximum(times, 1)[:, None]).astype(dweight.dtype)\n",
            },
            "that averages over the places where a token occurs: they add up",
        ),
        Wrong(
            "one sum for all",
            {"np.add.at(dweight, indices, dy)": "dweight[indices] = dy.reshape(-1, dy.shape[-1]).sum(0)"},
            "that gives the sum of all places to every token that occurs",
        ),
        Wrong(
            "gradient kept between calls",
            {
                "    def backward": "    dweight = np.zeros_like(weight)\n\n    def backward",
                "        dweight = np.zeros_like(weight)\n": "",
            },
            "that adds the gradients of one call of backward to those of the next",
        ),
        Wrong("zero gradient", {"        np.add.at(dweight, indices, dy)": "        pass"}, "whose gradient is 0"),
        Wrong(
            "gradient of the rows",
            {"        return dweight\n": "        return dweight[indices]\n"},
            "that returns gradients of the rows looked up, not of the table",
        ),
        Wrong(
            "columns",
            {"return weight[indices], backward": "return weight.T[indices % weight.shape[1]], backward"},
            "that looks up columns, not rows",
        ),
        Wrong(
            "the table in float64",
            {"np.zeros_like(weight)": "np.zeros(weight.shape)"},
            "that makes the gradient in float64 whatever the table is",
        ),
    ),
    right=(
        Right(
            "one-hot product",
            """
            import numpy as np

            def embedding(k, table):
                one_hot = np.eye(len(table), dtype=table.dtype)[k.ravel()]
                y = (one_hot @ table).reshape(*k.shape, -1)
                return y, lambda g: one_hot.T @ g.reshape(len(one_hot), -1)
            """,
        ),
        Right(
            "bincount for each column",
            """
            import numpy as np

            def embedding(indices, weight):
                n, d = weight.shape
                tokens = indices.reshape(-1)

                def backward(dy):
                    columns = dy.reshape(-1, d).T
                    sums = [np.bincount(tokens, weights=column, minlength=n) for column in columns]
                    return np.stack(sums, axis=1).astype(weight.dtype)

                return np.take(weight, indices, axis=0), backward
            """,
        ),
    ),
)


def bits_per_character(logits: Array, targets: Array) -> tuple[Array, Backward]:
    """The lesson's loss in bits."""
    loss, backward = next_character_loss(logits, targets)
    return loss / math.log(2), lambda d_bits: backward(d_bits / math.log(2))


def bits_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"logits": np.array([[[0.0, 1.0]]]), "targets": np.array([[0]])}
    for batch, length, classes in [(1, 2, 2), (2, 1, 3), (2, 3, 4), (3, 2, 5), (1, 4, 3), (4, 3, 2), (2, 5, 1)]:
        yield {
            "logits": 2 * rng.normal(size=(batch, length, classes)),
            "targets": rng.integers(classes, size=(batch, length)),
        }
    yield {"logits": rng.normal(size=(1, 2, 300)), "targets": np.array([[299, 130]])}  # more than a byte counts


def large_logits(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Logits in the thousands beside ordinary ones: each row needs its own maximum."""
    logits = np.array([[[1000.0, 1001.0, 0.0], [-2000.0, -2000.0, -1999.0], [0.1, 0.2, 0.3]]])
    yield {"logits": logits, "targets": np.array([[0, 1, 2]])}


def sure_and_wrong(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """What came had a probability that no float64 can hold; its logarithm is an ordinary number."""
    yield {"logits": np.array([[[-2000.0, 0.0, 1.0], [0.5, 0.0, 0.1]]]), "targets": np.array([[0, 1]])}


def ruled_out(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """A character that cannot come next."""
    yield {"logits": np.array([[[-np.inf, 1.0, 0.0], [0.5, 0.0, -np.inf]]]), "targets": np.array([[1, 0]])}


BITS = Exercise(
    title="Bits per character, and the gradient",
    functions=(bits_per_character,),
    gives=("logits",),
    task=r"""
How many bits a model needs for a character, on average over a text:

$$\text{bits} = -\frac{1}{B\,T} \sum_{b,t} \log_2 p_{bt}[k_{bt}], \qquad p_{bt} = \operatorname{softmax}(z_{bt})$$

`logits` $z$ is $(B, T, V)$, `targets` $k$ is $(B, T)$ with the characters that did come. Return `(bits, backward)`;
`backward(d_bits)` takes one number and returns the gradient of `logits`. Logits of any size must do, thousands and
$-\infty$ too. No loops.""",
    hints=(
        "Compute log p rather than p, so that nothing is rounded to 0 before the logarithm. Bits are nats divided by "
        "one constant, and so are their gradients.",
        r"$\log p_k = z_k - m - \log \sum_j e^{z_j - m}$ with $m = \max_j z_j$. For one place in nats, "
        r"$\partial(-\log p_k)/\partial z_j = p_j - [j = k]$ (derivation); then divide by $B\,T \ln 2$.",
        "`log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))`; `np.take_along_axis(log_p, "
        "targets[..., None], -1)`; in the backward `p = np.exp(log_p)`, take 1 off at the targets, multiply by "
        "`d_bits / (targets.size * math.log(2))`.",
    ),
    why=r"""$\log_2 p = \ln p / \ln 2$, so 1 nat is 1.44 bits. The derivative of $-z_k + \log \sum_j e^{z_j}$ is
$p_j - [j = k]$: what the model believed minus what was so; it sums to 0 over the characters. Bits are the size to
which the model could compress the text (Shannon 1948): $\log_2 V$ for a model that knows nothing. Common mistakes:
nats called bits, a sum or a mean over rows only, so that the number grows with $T$, and the log of a softmax that
has become 0.""",
    difficulty=2,
    minutes=15,
    cases=bits_cases,
    checks=(
        special("large logits", large_logits),
        special("tiny probabilities", sure_and_wrong),
        special("characters that are ruled out", ruled_out),
    ),
    speed=lambda rng: {"logits": rng.normal(size=(100, 200, 10)), "targets": rng.integers(10, size=(100, 200))},
    solution='''
import math
from collections.abc import Callable

import numpy as np

Array = np.ndarray


def bits_per_character(logits: Array, targets: Array) -> tuple[float, Callable]:
    """Mean of -log₂ softmax(logits)[target]: logits (B, T, V), targets (B, T) integers; one number.

    ``backward(d_bits)`` returns the gradient of logits.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))  # in nats
    chosen = targets[..., None]
    bits = -np.take_along_axis(log_p, chosen, axis=-1).mean() / math.log(2)

    def backward(d_bits: float) -> Array:
        difference = np.exp(log_p)  # p - onehot(target)
        np.put_along_axis(difference, chosen, np.take_along_axis(difference, chosen, axis=-1) - 1, axis=-1)
        return difference * (d_bits / (targets.size * math.log(2)))

    return bits, backward
''',
    wrong=(
        Wrong("nats", {".mean() / math.log(2)": ".mean()"}, "in nats: divide by ln 2 for bits"),
        Wrong("multiplied by ln 2", {".mean() / math.log(2)": ".mean() * math.log(2)"}, "that multiplies by ln 2"),
        Wrong(
            "summed", {".mean() / math.log(2)": ".sum() / math.log(2)"}, "that sums over the text: the mean is wanted"
        ),
        Wrong(
            "mean over the rows only",
            {".mean() / math.log(2)": ".sum() / len(logits) / math.log(2)"},
            "that divides by B only: a longer text seems harder",
        ),
        Wrong("log-likelihood", {"bits = -np.take": "bits = np.take"}, "with the wrong sign"),
        Wrong(
            "perplexity", {"return bits, backward": "return 2**bits, backward"}, "that returns the perplexity, 2^bits"
        ),
        Wrong(
            "no maximum taken off",
            {"shifted = logits - logits.max(axis=-1, keepdims=True)": "shifted = logits"},
            "whose exponentials overflow: take the maximum off first",
        ),
        Wrong(
            "maximum of the whole array",
            {"logits.max(axis=-1, keepdims=True)": "logits.max()"},
            "that takes the maximum of the whole array off every row: small rows vanish",
        ),
        Wrong(
            "log of the softmax",
            {
                "log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))": "log_p = np.log("
                "np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True))",
            },
            "that takes the logarithm of a probability which has become 0",
        ),
        Wrong(
            "softmax over time",
            {"np.exp(shifted).sum(axis=-1, ": "np.exp(shifted).sum(axis=-2, "},
            "whose softmax runs over time, not over the characters",
        ),
        Wrong(
            "gradient of nats",
            {"(d_bits / (targets.size * math.log(2)))": "(d_bits / targets.size)"},
            "whose gradient is that of nats: it lacks the division by ln 2",
        ),
        Wrong(
            "gradient of the sum",
            {"(d_bits / (targets.size * math.log(2)))": "(d_bits / math.log(2))"},
            "whose gradient is that of the sum: it lacks the division by the number of characters",
        ),
        Wrong(
            "upstream ignored",
            {"(d_bits / (targets.size * math.log(2)))": "(1 / (targets.size * math.log(2)))"},
            "that ignores `d_bits`",
        ),
        Wrong(
            "sign of the gradient",
            {"return difference * (d_bits": "return -difference * (d_bits"},
            "whose gradient has the wrong sign",
        ),
        Wrong(
            "target forgotten in the gradient",
            {
                "np.put_along_axis(difference, chosen, np.take_along_axis(difference, chosen, axis=-1) - 1, axis=-1)": (
                    "pass"
                ),
            },
            "whose gradient is p alone: the 1 at the target is missing",
        ),
    ),
    right=(
        Right(
            "one-hot and log2",
            """
            import numpy as np

            def bits_per_character(z, k):
                top = np.max(z, -1, keepdims=True)
                hit = np.eye(z.shape[-1], dtype=z.dtype)[k]
                total = np.exp2((z - top) * np.log2(np.e)).sum(-1)
                per_place = np.log2(total) - (np.where(hit, z - top, 0).sum(-1) * np.log2(np.e))

                def pull(g):
                    p = np.exp(z - top) / total[..., None]
                    return ((p - hit) * (g * np.log2(np.e)) / k.size).astype(z.dtype)

                return per_place.mean(dtype=z.dtype).astype(z.dtype), pull
            """,
        ),
    ),
)
