"""Exercise: layer normalisation."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.norms import layer_norm
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def layer_norm_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape in [(3,), (1, 4), (2, 3), (3, 2), (4, 3), (2, 3, 4), (2, 1, 3, 2)]:
        width = shape[-1]
        yield {"x": rng.normal(size=shape), "gain": rng.normal(size=width), "bias": rng.normal(size=width)}
    yield {"x": 3 + 0.01 * rng.normal(size=(2, 3)), "gain": rng.normal(size=3), "bias": rng.normal(size=3)}
    yield {"x": rng.normal(size=(2, 4)), "gain": rng.normal(size=4), "bias": rng.normal(size=4), "eps": 0.1}


def constant_rows(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": np.array([[2.0, 2.0, 2.0], [0.0, 1.0, 3.0]]), "gain": rng.normal(size=3), "bias": rng.normal(size=3)}


def far_from_zero(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": 1e6 + rng.normal(size=(2, 4)), "gain": rng.normal(size=4), "bias": rng.normal(size=4)}


LAYER_NORM = Exercise(
    title="Layer normalisation and its backward",
    functions=(layer_norm,),
    gives=("x", "gain", "bias"),
    task=r"""
Normalise every position over its features, then scale and shift:

$$\mu = \frac1D \sum_i x_i, \qquad \sigma^2 = \frac1D \sum_i (x_i - \mu)^2, \qquad
y_i = g_i\, \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + b_i$$

`x` is $(\dots, D)$ with any number of leading axes, `gain` and `bias` are $(D,)$. Return `(y, backward)`;
`backward(dy)` returns the gradients of `x`, `gain` and `bias`. Shapes need not be checked. No loops.""",
    hints=(
        "μ and σ depend on every feature of the position, so each input reaches the output on three ways. gain and "
        "bias are shared by all positions: their gradients are sums over all leading axes.",
        r"With $\hat x = (x-\mu)/\sigma$ and $q = dy \odot g$: $dx = \frac1\sigma\left(q - \overline{q} - \hat x\, "
        r"\overline{q \hat x}\right)$, means over the features (Ba et al. 2016, eqs. 3 and 4, differentiated).",
        "`q = dy * gain; dx = (q - q.mean(-1, keepdims=True) - x_hat * (q * x_hat).mean(-1, keepdims=True)) / sigma`; "
        "`dgain = (dy * x_hat).reshape(-1, D).sum(0)`, `dbias = dy.reshape(-1, D).sum(0)`.",
    ),
    why=r"""Adding a constant to a position, or scaling it, leaves $\hat x$ as it is (but for ε). So the gradient can
have no part along the constant vector and none along $\hat x$: the two means take just these parts out of $q$.
Leaving one of them out, or using $dy$ in place of $q = dy \odot g$, still looks plausible and trains badly.""",
    difficulty=3,
    minutes=25,
    cases=layer_norm_cases,
    checks=(special("constant rows", constant_rows), special("far from zero", far_from_zero)),
    speed=lambda rng: {"x": rng.normal(size=(200, 100, 16)), "gain": np.ones(16), "bias": np.zeros(16)},
    equivalent={
        "layer_norm: x.shape[-1] if x.ndim else 0 → x.shape[-1]": "x has an axis: less is not asked for.",
        "layer_norm: 0 → 1": "x has an axis: less is not asked for.",
        "layer_norm: x - x[..., :1] → x + x[..., :1]": (
            "Any number may be added to a row: the mean takes it off again."
        ),
        "layer_norm: x - x[..., :1] → x": "Any number may be added to a row: the mean takes it off again.",
    },
    wrong=(
        Wrong(
            "epsilon outside the root",
            {"inverse = (variance + eps) ** -0.5": "inverse = 1 / (variance**0.5 + eps)"},
            "in which epsilon stands outside the root",
        ),
        Wrong("no epsilon", {"(variance + eps) ** -0.5": "variance**-0.5"}, "that leaves epsilon out"),
        Wrong(
            "an epsilon of its own",
            {"variance + eps": "variance + 1e-5"},
            "that does not use the `eps` it is given",
        ),
        Wrong(
            "unbiased variance",
            {"(centred**2).mean(axis=-1, keepdims=True)": "(centred**2).sum(axis=-1, keepdims=True) / (D - 1)"},
            "that divides the variance by D − 1 (ddof=1)",
        ),
        Wrong(
            "divided by the variance",
            {"+ eps) ** -0.5": "+ eps) ** -1.0"},
            "that divides by the variance, not its root",
        ),
        Wrong(
            "variance of large numbers",
            {
                "(centred**2).mean(axis=-1, keepdims=True)": "(x**2).mean(-1, keepdims=True)"
                " - x.mean(-1, keepdims=True) ** 2"
            },
            "that takes the variance as mean(x²) − mean(x)²: far from zero the two cancel",
        ),
        Wrong(
            "statistics over the batch",
            {
                "shifted.mean(axis=-1, keepdims=True)": "shifted.mean(axis=tuple(range(x.ndim - 1)))",
                "(centred**2).mean(axis=-1, keepdims=True)": "(centred**2).mean(axis=tuple(range(x.ndim - 1)))",
            },
            "that normalises every feature over the batch: that is batch normalisation",
        ),
        Wrong("mean term dropped", {"g - mean_g - ": "g - "}, "whose dx lacks the mean of dy · gain"),
        Wrong(
            "variance term dropped",
            {" - normalised * mean_gx": ""},
            "whose dx lacks the term of the variance",
        ),
        Wrong("dx without σ", {"dx = inverse * ": "dx = "}, "whose dx is not divided by σ"),
        Wrong(
            "gain not in dx",
            {"g = dy * gain": "g = dy"},
            "whose dx forgets the gain",
        ),
        Wrong(
            "gain on the outside only",
            {"g = dy * gain": "g = dy", "(g - mean_g": "(dy * gain - mean_g"},
            "whose means are of dy, where they should be of dy · gain",
        ),
        Wrong("dgain of x", {"dgain = (dy * normalised)": "dgain = (dy * x)"}, "whose dgain uses x, not x̂"),
        Wrong(
            "two axes only",
            {"(dy * normalised).sum(axis=leading)": "(dy * normalised).sum(axis=0)"},
            "whose dgain sums over the first axis only: with more leading axes it has the wrong shape",
        ),
        Wrong(
            "dgain and dbias exchanged",
            {"return dx, dgain, dbias": "return dx, dbias, dgain"},
            "that swaps dgain and dbias",
        ),
        Wrong(
            "changes x",
            {"shifted = x - x[..., :1]": "shifted = x\n    shifted -= x[..., :1].copy()"},
            "that changes x",
        ),
        Wrong(
            "changes dy",
            {"g = dy * gain": "g = np.multiply(dy, gain, out=dy)"},
            "that changes dy",
        ),
        Wrong(
            "second backward differs",
            {"normalised * mean_gx)": "np.multiply(normalised, mean_gx, out=normalised))"},
            "that uses up what it keeps",
        ),
    ),
    right=(
        Right(
            "the chain rule, step by step",
            """
            import numpy as np

            def layer_norm(x, gain, bias, eps=1e-5):
                D = x.shape[-1]
                mu = x.mean(-1, keepdims=True)
                xmu = x - mu
                var = (xmu * xmu).mean(-1, keepdims=True)
                std = np.sqrt(var + eps)
                xhat = xmu / std
                lead = tuple(range(x.ndim - 1))

                def backward(dout):
                    dbias, dgain = dout.sum(axis=lead), (dout * xhat).sum(axis=lead)
                    dxhat = dout * gain
                    dstd = -(dxhat * xmu).sum(-1, keepdims=True) / std**2
                    dvar = dstd * 0.5 / std
                    dxmu = dxhat / std + dvar * 2 * xmu / D
                    dmu = -dxmu.sum(-1, keepdims=True)
                    return [dxmu + dmu / D, dgain, dbias]

                return xhat * gain + bias, backward
            """,
        ),
        Right(
            "a projection by einsum",
            """
            from typing import NamedTuple

            import numpy as np

            class Kept(NamedTuple):
                unit: np.ndarray
                inverse: np.ndarray

            def _statistics(x, eps):
                inverse = 1 / np.sqrt(np.var(x, axis=-1, keepdims=True) + eps)
                return Kept((x - np.mean(x, axis=-1, keepdims=True)) * inverse, inverse)

            def layer_norm(x, gain, bias, eps=1e-5):
                kept = _statistics(x, eps)

                def backward(dy):
                    q = np.einsum("...d,d->...d", dy, gain)
                    along = np.einsum("...d,...d->...", q, kept.unit)[..., None] / x.shape[-1]
                    dx = kept.inverse * (q - q.mean(-1, keepdims=True) - along * kept.unit)
                    return dx, (dy * kept.unit).reshape(-1, len(gain)).sum(0), dy.reshape(-1, len(gain)).sum(0)

                return np.einsum("...d,d->...d", kept.unit, gain) + bias, backward
            """,
        ),
    ),
)
