"""Exercise of the primer: the backward of batch normalisation."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.norms import batch_norm
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import choices


def batch_norm_arguments(rng: np.random.Generator, *shape: int, **options: Any) -> dict[str, Any]:
    """x and four arrays of its channels."""
    gain, bias, mean = rng.normal(size=(3, shape[-1]))
    variance = rng.uniform(0.5, 2, size=shape[-1])
    x = 1 + 2 * rng.normal(size=shape)
    return {"x": x, "gain": gain, "bias": bias, "running_mean": mean, "running_var": variance, **options}


def batch_norm_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(2, 1), (3, 2), (2, 3), (4, 3), (3, 3), (2, 3, 4), (1, 3, 2), (2, 1, 3, 2)]:
        yield batch_norm_arguments(rng, *shape)
    for shape in [(2, 3), (1, 2), (2, 3, 2)]:
        yield batch_norm_arguments(rng, *shape, training=False)
    yield from choices(lambda: batch_norm_arguments(rng, 3, 2), training=False, momentum=0.5, eps=0.5)


BATCH_NORM_BACKWARD = Exercise(
    name="batch_norm_backward",
    title="The backward of batch normalisation",
    functions=(batch_norm,),
    keep="forward",
    gives=("x", "gain", "bias"),
    upstream=1,
    task=r"""
The forward pass stands there; write its `backward`. Each channel $c$ is normalised over the batch and all positions,
$m$ values in all:

$$\hat x_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y_i = g\, \hat x_i + b$$

In training $\mu$ and $\sigma^2$ are the mean and the (biased) variance of the channel, so they depend on every $x_i$;
otherwise they are the running statistics, which are constants. `backward(dy)` takes the gradient of `y` alone (the
running statistics pass none on) and returns `(dx, dgain, dbias)`, in both modes. `x` is $(N, \dots, C)$. No loops.""",
    hints=(
        "In training an input reaches the outputs of its channel in three ways: directly, through the mean, and "
        "through the variance. gain and bias are shared by all values of a channel.",
        r"With $s = \sqrt{\sigma^2 + \epsilon}$: "
        r"$dx = \frac{g}{s}\left(dy - \text{mean}(dy) - \hat x\; \text{mean}(dy\, \hat x)\right)$, means over the "
        r"channel's $m$ values (Ioffe & Szegedy 2015, section 3, the six equations of the backward, put together); "
        r"$dg = \sum dy\, \hat x$, $db = \sum dy$.",
        "`dbias = dy.sum(axis=axes)`, `dgain = (dy * normalised).sum(axis=axes)`; in training "
        "`dx = gain * inverse * (dy - dbias / count - normalised * dgain / count)`, otherwise "
        "`dx = gain * inverse * dy`.",
    ),
    why=r"""Adding a constant to a channel, or (but for ε) scaling it, does not change $\hat x$: so the gradient in $x$
can have no part along the constant vector and none along $\hat x$. Both are taken out of $dy$ by projection:
its mean is its part along the constants, and $\hat x\,\text{mean}(dy\,\hat x)$ its part along $\hat x$, whose mean
square is 1 but for ε (the chain rule through $\mu$ and $\sigma^2$ gives the same formula, exactly and with ε). What
remains is scaled by $g/s$. The common mistake is to treat $\mu$ and $\sigma$ as constants in training: that is the
backward of the other mode, and a network with it still trains, only worse.""",
    difficulty=4,
    minutes=30,
    cases=batch_norm_cases,
    speed=lambda rng: batch_norm_arguments(rng, 100, 10, 10, 16),
    wrong=(
        Wrong(
            "statistics as constants",
            {"if training:  #": "if False:  #"},
            "that treats the mean and the variance as constants in training too",
        ),
        Wrong(
            "one mode only",
            {"if training:  #": "if True:  #"},
            "that takes the running statistics for statistics of the batch: they do not depend on x",
        ),
        Wrong("mean term dropped", {"dy - dbias / count - ": "dy - "}, "whose dx lacks the mean of dy"),
        Wrong(
            "variance term dropped",
            {" - normalised * (dgain / count)": ""},
            "whose dx lacks the term of the variance",
        ),
        Wrong(
            "sums for means",
            {"dbias / count - normalised * (dgain / count)": "dbias - normalised * dgain"},
            "that takes sums off dy, not means",
        ),
        Wrong(
            "batch size for count",
            {"dbias / count - normalised * (dgain / count)": "dbias / len(x) - normalised * (dgain / len(x))"},
            "that divides by N: with more axes a channel has more values",
        ),
        Wrong(
            "one value less",
            {"normalised * (dgain / count)": "normalised * (dgain / (count - 1))"},
            "that divides by m - 1, though the variance that normalises is the biased one",
        ),
        Wrong("gain not in dx", {"return gain * inverse * dx": "return inverse * dx"}, "whose dx forgets the gain"),
        Wrong("dx without σ", {"return gain * inverse * dx": "return gain * dx"}, "whose dx is not divided by σ"),
        Wrong(
            "dgain of x",
            {"dgain = (dy * normalised).sum(axis=axes)": "dgain = (dy * x).sum(axis=axes)"},
            "whose dgain uses x, not x̂",
        ),
        Wrong(
            "two axes only",
            {"dbias = dy.sum(axis=axes)": "dbias = dy.sum(axis=0)"},
            "whose dbias sums over the first axis only",
        ),
        Wrong(
            "dgain and dbias exchanged",
            {"* dx, dgain, dbias": "* dx, dbias, dgain"},
            "that swaps dgain and dbias",
        ),
        Wrong(
            "zero gradient of x",
            {"return gain * inverse * dx": "return 0 * dx"},
            "whose gradient of x is 0",
        ),
    ),
    right=(
        Right(
            "the six equations of the paper",
            """
            import numpy as np

            def batch_norm(x, gain, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
                C = x.shape[-1]
                flat = x.reshape(-1, C)
                m = len(flat)
                mu, var = (flat.mean(0), flat.var(0)) if training else (running_mean, running_var)
                new_mean, new_var = running_mean, running_var
                if training:
                    new_mean = running_mean + momentum * (mu - running_mean)
                    new_var = running_var + momentum * (flat.var(0, ddof=1) - running_var)
                std = np.sqrt(var + eps)
                xhat = (flat - mu) / std

                def backward(dout):
                    g = dout.reshape(-1, C)
                    dxhat = g * gain
                    dx = dxhat / std
                    if training:
                        dvar = (dxhat * (flat - mu)).sum(0) * -0.5 / std**3
                        dmu = -(dxhat / std).sum(0) + dvar * (-2 * (flat - mu)).mean(0)
                        dx = dx + dvar * 2 * (flat - mu) / m + dmu / m
                    return [dx.reshape(x.shape), (g * xhat).sum(0), g.sum(0)]

                return ((xhat * gain + bias).reshape(x.shape), new_mean, new_var), backward
            """,
        ),
        Right(
            "a projection by einsum",
            {
                "dbias = dy.sum(axis=axes)": "C = x.shape[-1]\n        dbias = np.einsum('mc->c', dy.reshape(-1, C))",
                "dgain = (dy * normalised).sum(axis=axes)": "dgain = np.einsum("
                "'mc,mc->c', dy.reshape(-1, C), normalised.reshape(-1, C))",
                "dbias / count - normalised * (dgain / count)": "(dbias + normalised * dgain) / count",
            },
        ),
    ),
)
