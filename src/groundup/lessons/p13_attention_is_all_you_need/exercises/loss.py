"""Exercises: padding that nobody looks at, and a loss that leaves it out and smooths the labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p13_attention_is_all_you_need.model import smoothed_loss
from groundup.ops.attention import padding_mask
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def padding_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(1, 2), (2, 2), (1, 4), (2, 3), (3, 2), (4, 5), (3, 1)]:
        keep = np.arange(shape[1]) < rng.integers(1, shape[1] + 1, size=(shape[0], 1))
        keep[-1, shape[1] // 2 :] = shape[1] == 1
        yield {"keep": keep}


PADDING_MASK = Exercise(
    title="The padding mask",
    functions=(padding_mask,),
    task=r"""
`keep` is Boolean, $(B, T)$: `True` for the real tokens of each example, `False` for the padding that fills up its
row. Return the mask of attention, of the shape that broadcasts to the scores $(B, h, T_q, T)$ of all heads and all
queries, with as few numbers as possible:

$$M_{b,\,\cdot,\,\cdot,\,j} = \text{keep}_{b,j}$$

`True` where a query may look. No loops.""",
    hints=(
        "A padding token must not be looked at: is it a key or a query then, a column or a row of the scores?",
        "NumPy aligns shapes from the right: $(B, T)$ would be read as queries and keys. Heads and queries need an "
        "axis of length 1 each.",
        "`keep[:, None, None, :]`.",
    ),
    why=r"""What has to be hidden are padding *keys*: then no query reads them. Padding queries may compute what they
like, for the loss leaves their outputs out; hiding them instead gives rows without any allowed key, and the softmax of
such a row is 0/0. An axis too few is dangerous: $(B, 1, T)$ is aligned as (heads, queries, keys), and raises no error
where the batch is as large as the number of heads.""",
    difficulty=1,
    minutes=3,
    cases=padding_cases,
    floats32=False,
    speed=lambda rng: {"keep": rng.random((500, 500)) < 0.7},
    wrong=(
        Wrong(
            "as it is", {"keep[:, None, None, :]": "keep.copy()"}, "of shape (B, T), which is read as queries and keys"
        ),
        Wrong(
            "an axis too few",
            {"keep[:, None, None, :]": "keep[:, None, :]"},
            "of shape (B, 1, T), which is read as heads, queries and keys",
        ),
        Wrong("queries hidden", {"keep[:, None, None, :]": "keep[:, None, :, None]"}, "that hides queries, not keys"),
        Wrong(
            "queries and keys",
            {"keep[:, None, None, :]": "keep[:, None, None, :] & keep[:, None, :, None]"},
            "that hides padding queries too: their rows are left without any key",
        ),
        Wrong("the other way round", {"keep[:, None": "~keep[:, None"}, "that is True for the padding"),
        Wrong(
            "numbers",
            {"keep[:, None, None, :]": "keep[:, None, None, :].astype(float)"},
            "of numbers, where Booleans are wanted",
        ),
    ),
    right=(
        Right(
            "expand_dims",
            """
            import numpy as np

            def padding_mask(real):
                return np.expand_dims(np.array(real, dtype=bool), axis=(1, 2))
            """,
        ),
    ),
)


def loss_case(rng: np.random.Generator, shape: tuple[int, ...], classes: int, padding: float) -> dict[str, Any]:
    """Logits and wanted tokens, of which a share is PAD; the last is a real one."""
    wanted = np.asarray(rng.integers(1, classes, size=shape))
    wanted[rng.random(shape) < padding] = 0
    wanted[(-1,) * len(shape)] = classes - 1
    return {"logits": 2 * rng.normal(size=(*shape, classes)), "wanted": wanted}


def loss_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield loss_case(rng, (1,), 2, 0.0)
    yield loss_case(rng, (2,), 3, 0.0)
    yield loss_case(rng, (1, 3), 4, 0.5)
    yield loss_case(rng, (2, 3), 3, 0.4)
    yield loss_case(rng, (3, 2), 5, 0.3)
    yield loss_case(rng, (4, 5), 6, 0.6)
    yield loss_case(rng, (2, 1, 3), 4, 0.3)
    yield loss_case(rng, (1, 3), 300, 0.0)  # more tokens than a byte counts
    yield loss_case(rng, (2, 3), 4, 0.4) | {"smoothing": 0.0}
    yield loss_case(rng, (2, 3), 4, 0.4) | {"smoothing": 0.3}
    padded = loss_case(rng, (2, 4), 3, 0.0)
    padded["wanted"][0, 1:] = 0
    yield padded


def large_logits(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    case = loss_case(rng, (2, 3), 4, 0.0)
    yield case | {"logits": case["logits"] * np.array([[1000.0], [1.0]])[..., None]}


def only_padding(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"logits": rng.normal(size=(2, 3, 4)), "wanted": np.zeros((2, 3), int)}


SMOOTHED_LOSS = Exercise(
    title="Cross-entropy with smoothed labels and padding",
    functions=(smoothed_loss,),
    gives=("logits",),
    given=("groundup.data.dates:PAD",),
    task=r"""
`logits` are $(\dots, K)$, `wanted` are the numbers of the right tokens, $(\dots)$. With smoothing $\epsilon$ the
distribution that is wanted is

$$q_k = (1 - \epsilon)\, [k = \text{wanted}] + \frac{\epsilon}{K}$$

and the loss is the mean of $-\sum_k q_k \log \text{softmax}(\text{logits})_k$ over the tokens whose `wanted` is not
`PAD` (0). Padding neither counts nor gets a gradient; if there is nothing else, loss and gradient are 0. Logits of any
size must do. Return `(loss, backward)`; `backward(dloss)` returns the gradient of the logits, of their shape. No
loops.""",
    hints=(
        "Cross-entropy is linear in q: the loss is a mixture of the ordinary one and of a mean over all classes. The "
        "gradient of softmax and logarithm together is short: which two distributions does it compare?",
        r"$\log p_k = x_k - m - \log \sum_j e^{x_j - m}$, and since $\sum_k q_k = 1$: "
        r"$\partial L/\partial x_k = (p_k - q_k) / N$ with $N$ the number of real tokens "
        r"(Szegedy et al. 2016, section 7; Vaswani et al. 2017, section 5.4).",
        "Build `q = smoothing / K * np.ones_like(x)` and add `1 - smoothing` at the wanted tokens; `kept = wanted != "
        "PAD`, `N = max(kept.sum(), 1)`; loss `-(q * log_p).sum(-1)[kept].sum() / N`; gradient `(np.exp(log_p) - q) * "
        "kept[..., None] * dloss / N`.",
    ),
    why=r"""From $L = -\sum_k q_k x_k + \log \sum_j e^{x_j}$ follows $\partial L/\partial x_k = p_k - q_k$, for
$\sum_k q_k = 1$. With smoothing the best logits are finite: at the minimum $p = q$. Mistakes: spreading $\epsilon$
over the other $K - 1$ classes only (another convention, not this one), the wrong target weight $1$ in place of
$1 - \epsilon + \epsilon/K$, and dividing by all tokens: then a batch with much padding counts for less.""",
    difficulty=3,
    minutes=20,
    cases=loss_cases,
    checks=(
        special("large logits", large_logits),
        special("nothing but padding", only_padding),
    ),
    speed=lambda rng: loss_case(rng, (200, 100), 30, 0.3),
    solution='''
from collections.abc import Callable

import numpy as np

PAD = 0


def smoothed_loss(
    logits: np.ndarray, wanted: np.ndarray, smoothing: float = 0.1
) -> tuple[np.floating, Callable[..., np.ndarray]]:
    """Cross-entropy with label smoothing: the mean over the tokens that are not PAD.

    logits (..., K), wanted (...) integers. ``backward(dloss)`` returns dlogits.
    """
    classes = logits.shape[-1]
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    q = np.full_like(logits, smoothing / classes)
    right = wanted[..., None] == np.arange(classes)
    q[right] += 1 - smoothing
    kept = wanted != PAD
    count = max(int(kept.sum()), 1)
    loss = -(q * log_p).sum(axis=-1)[kept].sum() / count

    def backward(dloss: float = 1.0) -> np.ndarray:
        dlogits = (np.exp(log_p) - q) * (float(dloss) / count)
        dlogits[~kept] = 0
        return dlogits

    return loss, backward
''',
    wrong=(
        Wrong(
            "padding counts",
            {"kept = wanted != PAD": "kept = np.ones(wanted.shape, bool)"},
            "for which PAD is a token like any other",
        ),
        Wrong(
            "divided by all tokens",
            {"count = max(int(kept.sum()), 1)": "count = wanted.size"},
            "that divides by the number of all tokens, padding among them",
        ),
        Wrong(
            "a sum",
            {"count = max(int(kept.sum()), 1)": "count = 1"},
            "that sums over the tokens, where the mean is wanted",
        ),
        Wrong(
            "mean of the rows' means",
            {
                "    loss = -(q * log_p).sum(axis=-1)[kept].sum() / count\n": "    count = "
                "np.maximum(kept.sum(axis=-1, keepdims=True), 1) * max(kept.size // kept.shape[-1], 1)\n"
                "    loss = (-(q * log_p).sum(axis=-1) * kept / count).sum()\n",
                "(float(dloss) / count)": "(float(dloss) / np.broadcast_to(count, kept.shape)[..., None])",
            },
            "that takes the mean of each sequence first, so that tokens of short ones count for more",
        ),
        Wrong(
            "spread over the other classes",
            {
                "q = np.full_like(logits, smoothing / classes)": "q = np.full_like(logits, smoothing / (classes - 1))",
                "q[right] += 1 - smoothing": "q[right] = 1 - smoothing",
            },
            "that spreads ε over the other K − 1 classes: here all K get ε/K",
        ),
        Wrong(
            "ε/K missing at the target",
            {"q[right] += 1 - smoothing": "q[right] = 1 - smoothing"},
            "whose q is 1 − ε at the wanted class, where ε/K comes on top: it does not sum to 1",
        ),
        Wrong(
            "target weight 1",
            {"q[right] += 1 - smoothing": "q[right] += 1"},
            "whose q has weight 1 at the wanted class, in place of 1 − ε, and does not sum to 1",
        ),
        Wrong("not smoothed", {"    classes = ": "    smoothing = 0.0\n    classes = "}, "that ignores `smoothing`"),
        Wrong("always 0.1", {"    classes = ": "    smoothing = 0.1\n    classes = "}, "that always smooths by 0.1"),
        Wrong(
            "gradient not smoothed",
            {"(np.exp(log_p) - q)": "(np.exp(log_p) - right)"},
            "whose gradient is that of the loss without smoothing",
        ),
        Wrong(
            "gradient not divided",
            {"(float(dloss) / count)": "float(dloss)"},
            "whose gradient is not divided by the number of tokens",
        ),
        Wrong("upstream not used", {"(float(dloss) / count)": "(1.0 / count)"}, "whose backward ignores `dloss`"),
        Wrong("gradient at PAD", {"        dlogits[~kept] = 0\n": ""}, "whose gradient is not 0 at the padding"),
        Wrong("the sign", {"(np.exp(log_p) - q)": "(q - np.exp(log_p))"}, "whose gradient has the wrong sign"),
        Wrong(
            "no maximum taken off",
            {"shifted = logits - logits.max(axis=-1, keepdims=True)": "shifted = logits"},
            "whose exponentials overflow, for no maximum is taken off",
        ),
        Wrong(
            "divided by zero",
            {"count = max(int(kept.sum()), 1)": "count = kept.sum()"},
            "that divides by 0 where there is nothing but padding",
        ),
    ),
    right=(
        Right(
            "a mixture of two losses",
            """
            import numpy as np

            PAD = 0

            def smoothed_loss(logits, wanted, smoothing=0.1):
                K = logits.shape[-1]
                x, t = logits.reshape(-1, K), wanted.ravel()
                rows = np.flatnonzero(t)
                if not len(rows):
                    return logits.dtype.type(0), lambda dloss=1.0: np.zeros_like(logits)
                x, t, n = x[rows], t[rows], len(rows)
                top = x.max(1)
                lse = top + np.log(np.exp(x - top[:, None]).sum(1))
                hard, uniform = (lse - x[np.arange(n), t]).mean(), (lse - x.mean(1)).mean()

                def backward(dloss=1.0):
                    g = np.exp(x - lse[:, None]) - smoothing / K
                    np.subtract.at(g, (np.arange(n), t), 1 - smoothing)
                    out = np.zeros((wanted.size, K), logits.dtype)
                    out[rows] = g / n * logits.dtype.type(dloss)
                    return [out.reshape(logits.shape)]

                return (1 - smoothing) * hard + smoothing * uniform, backward
            """,
        ),
        Right(
            "the Jacobian of softmax by einsum",
            """
            import numpy as np

            class Loss:
                def __init__(self, x, wanted, eps):
                    self.keep = (wanted != 0).astype(x.dtype)
                    self.n = max(self.keep.sum(), 1)
                    k = x.shape[-1]
                    self.q = (1 - eps) * np.eye(k, dtype=x.dtype)[wanted] + x.dtype.type(eps / k)
                    z = x - np.amax(x, -1, keepdims=True)
                    total = np.exp(z).sum(-1, keepdims=True)
                    self.p, self.log_p = np.exp(z) / total, z - np.log(total)
                    self.value = -np.vdot(np.einsum("...k,...k->...", self.q, self.log_p), self.keep) / self.n

                def pull(self, dloss=1.0):
                    # d log p_j / d x_k = [j = k] − p_k
                    d_log_p = -self.q * self.keep[..., None] * (self.p.dtype.type(dloss) / self.n)
                    return d_log_p - self.p * d_log_p.sum(-1, keepdims=True)

            def smoothed_loss(logits, wanted, smoothing=0.1):
                loss = Loss(logits, wanted, smoothing)
                return loss.value, loss.pull
            """,
        ),
    ),
)
