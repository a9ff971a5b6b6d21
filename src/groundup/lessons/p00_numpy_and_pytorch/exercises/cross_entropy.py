"""Exercise of the primer: the loss of a classifier."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops import losses
from groundup.ops.types import Array
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def cross_entropy(logits: Array, targets: Array) -> tuple[Any, Any]:
    """The library's loss without its options."""
    return losses.cross_entropy(logits, targets)


def cross_entropy_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for *lead, classes in [(1, 2), (2, 3), (3, 2), (5, 3), (3, 3), (1, 4), (2, 3, 4), (3, 1, 2), (2, 2, 2, 3)]:
        targets = rng.integers(classes, size=lead)
        yield {"logits": 2 * rng.normal(size=(*lead, classes)), "targets": targets}
    yield {"logits": rng.normal(size=(3, 300)), "targets": np.array([299, 130, 1])}  # more classes than a byte counts


def large_logits(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Confident and wrong, confident and right: and each row needs its own maximum."""
    logits = np.array([[1000.0, 0.0, -1000.0], [0.0, 1.0, 2.0], [-3000.0, -3000.0, -2999.0]])
    yield {"logits": logits, "targets": np.array([1, 0, 2])}


CROSS_ENTROPY = Exercise(
    title="Cross-entropy of logits and its backward",
    functions=(cross_entropy,),
    gives=("logits",),
    task=r"""
The loss of a classifier: the mean negative log-probability, in nats, of the right class.

$$L = -\frac1N \sum_{n=1}^{N} \log p_{n, t_n}, \qquad p_{n,k} = \frac{e^{x_{n,k}}}{\sum_j e^{x_{n,j}}}$$

`logits` $x$ is $(\dots, K)$ with one or more leading axes, `targets` $t$ has the leading axes alone and holds class
numbers from 0 to $K-1$; $N$ counts all targets, over all leading axes. Return `(loss, backward)`: a number, and a
function of the upstream gradient of that number, `backward(dloss)`, that returns the gradient of `logits`. Logits of
any size must do. No loops.""",
    hints=(
        "The logarithm of the softmax has a stable form: x minus its maximum, minus the logarithm of the sum of "
        "exponentials. For the backward, do not go through log and softmax one by one: together they are simple.",
        r"$\partial L/\partial x_{n,k} = (p_{n,k} - [k = t_n]) / N$, times the upstream gradient: probabilities minus "
        r"one-hot targets.",
        "Flatten to `rows = logits.reshape(-1, K)`; `log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))` with "
        "`z = rows - rows.max(-1, keepdims=True)`; pick with `log_p[np.arange(N), t]`; in the backward "
        "`d = np.exp(log_p)`, `d[np.arange(N), t] -= 1`, times `dloss / N`, in the shape of `logits`.",
    ),
    why=r"""$-\log p_t = \log\sum_j e^{x_j} - x_t$. The derivative of the first term with respect to $x_k$ is $p_k$,
that of the second is $[k = t]$, so the gradient is $p - \text{onehot}(t)$: it lies in $(-1, 1)$, is 0 exactly when
the prediction is certain and right, and never divides by a small probability. The mean puts $1/N$ before everything;
to forget it in the backward makes the learning rate depend on the batch size. The other common mistake is
`log_p[:, t]`, which picks a whole $N \times N$ matrix and not one number for each row.""",
    difficulty=2,
    minutes=15,
    cases=cross_entropy_cases,
    checks=(special("large logits", large_logits),),
    speed=lambda rng: {"logits": rng.normal(size=(100, 200, 16)), "targets": rng.integers(16, size=(100, 200))},
    solution="""
import numpy as np


def cross_entropy(logits, targets):
    \"\"\"Mean of -log softmax(logits) at the targets: logits (..., K), targets (...) integers in [0, K).

    ``backward(dloss)`` returns dlogits.
    \"\"\"
    classes = logits.shape[-1]
    rows, t = logits.reshape(-1, classes), targets.reshape(-1)
    n = np.arange(len(rows))
    shifted = rows - rows.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    loss = -log_p[n, t].mean()

    def backward(dloss=1.0):
        d = np.exp(log_p)
        d[n, t] -= 1  # p - onehot
        d *= dloss / len(rows)
        return d.reshape(logits.shape)

    return loss, backward
""",
    equivalent={
        "cross_entropy: -1 → 1 (4)": "`rows` is a matrix, whatever the shape of the logits: axis 1 is its last.",
        "cross_entropy: -1 → 1 (5)": "`rows` is a matrix, whatever the shape of the logits: axis 1 is its last.",
    },
    wrong=(
        Wrong("sum, not mean", {"log_p[n, t].mean()": "log_p[n, t].sum()", " / len(rows)": ""}, "that takes the sum"),
        Wrong(
            "mean in the loss only",
            {" / len(rows)": ""},
            "whose backward forgets that the loss is a mean: it is N times too large",
        ),
        Wrong(
            "mean over the first axis only",
            {"log_p[n, t].mean()": "log_p[n, t].sum() / len(logits)", " / len(rows)": " / len(logits)"},
            "that divides by the length of the first axis, where it should be by the number of all targets",
        ),
        Wrong(
            "mean over the classes too",
            {"log_p[n, t].mean()": "log_p[n, t].sum() / log_p.size", " / len(rows)": " / log_p.size"},
            "that divides by N times K: only one class of a row has a say",
        ),
        Wrong(
            "a matrix picked",
            {"log_p[n, t].mean()": "log_p[:, t].mean()"},
            "that picks `log_p[:, t]`: the targets of all rows in every row",
        ),
        Wrong("sign", {"loss = -log_p": "loss = log_p", "d *= dloss": "d *= -dloss"}, "with the wrong sign"),
        Wrong("bits", {"[n, t].mean()": "[n, t].mean() / 0.6931471805599453"}, "that takes logarithms to the base 2"),
        Wrong(
            "no maximum taken off",
            {" - rows.max(axis=-1, keepdims=True)": ""},
            "that does not take the maximum off: its exponentials overflow",
        ),
        Wrong(
            "maximum of the whole array",
            {"rows.max(axis=-1, keepdims=True)": "rows.max()"},
            "that takes the maximum of the whole array off every row",
        ),
        Wrong(
            "logarithm of the probabilities",
            {"loss = -log_p[n, t].mean()": "loss = -np.log(np.exp(log_p[n, t])).mean()"},
            "that computes probabilities and then their logarithm: the loss of a confident mistake becomes infinite",
        ),
        Wrong(
            "a small number inside the logarithm",
            {"loss = -log_p[n, t].mean()": "loss = -np.log(np.exp(log_p[n, t]) + 1e-12).mean()"},
            "that adds 1e-12 to the probability: the loss of a confident mistake stops at 27.6",
        ),
        Wrong(
            "one-hot forgotten", {"        d[n, t] -= 1  # p - onehot\n": ""}, "whose gradient is p, without the target"
        ),
        Wrong(
            "gradient of the target only",
            {"d = np.exp(log_p)": "d = np.zeros_like(log_p)"},
            "whose gradient reaches the logit of the target only: the others move the sum",
        ),
        Wrong("upstream forgotten", {"d *= dloss / ": "d *= 1 / "}, "whose backward does not multiply by `dloss`"),
        Wrong("zero gradient", {"d *= dloss / ": "d *= 0 / "}, "whose gradient is 0"),
        Wrong(
            "second backward differs",
            {"d = np.exp(log_p)": "d = np.exp(log_p, out=log_p)"},
            "whose backward overwrites what it keeps, so that a second call differs",
        ),
    ),
    right=(
        Right(
            "one-hot and einsum",
            """
            import numpy as np

            def cross_entropy(logits, targets):
                wanted = np.eye(logits.shape[-1], dtype=logits.dtype)[targets]
                total = np.logaddexp.reduce(logits, axis=-1)
                right = np.einsum("...k,...k->...", logits, wanted)

                def pull(dloss):
                    return (np.exp(logits - total[..., None]) - wanted) * (float(dloss) / targets.size)

                return (total - right).mean(), pull
            """,
        ),
        Right(
            "take_along_axis in a class",
            """
            import numpy as np

            class Loss:
                def __init__(self, x, t):
                    self.where = np.expand_dims(t, -1)
                    e = np.exp(x - np.amax(x, -1, keepdims=True))
                    self.p = e / np.sum(e, -1, keepdims=True)
                    top = np.amax(x, -1, keepdims=True)
                    picked = np.take_along_axis(x - top, self.where, -1)
                    self.value = float(np.mean(np.log(np.sum(e, -1, keepdims=True)) - picked))

                def backward(self, upstream=1.0):
                    d = self.p.copy()
                    np.put_along_axis(d, self.where, np.take_along_axis(d, self.where, -1) - 1, -1)
                    return [d * (float(upstream) / self.where.size)]

            def cross_entropy(logits, targets):
                loss = Loss(logits, targets)
                return loss.value, loss.backward
            """,
        ),
    ),
)
