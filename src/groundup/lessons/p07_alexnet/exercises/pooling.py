"""Exercises on what AlexNet puts after its convolutions: overlapping max pooling and local response norm."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.conv import as_pair, at_offset, output_size, pad_image
from groundup.ops.norms import local_response_norm
from groundup.ops.pooling import max_pool2d
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import choices, special

#: How the loops of the backward begin; those of the forward look the same.
LOOPS = "        for i in range(kh):\n            for j in range(kw):\n                first"


def max_pool_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": rng.normal(size=(1, 1, 2, 1)), "size": (1, 2)}
    yield {"x": rng.normal(size=(1, 1, 3, 1)), "size": (1, 2), "stride": 1}
    yield {"x": rng.normal(size=(1, 2, 2, 1)), "size": 2}
    yield {"x": rng.normal(size=(1, 1, 5, 1)), "size": (1, 3), "stride": (1, 2)}
    yield {"x": -1 - rng.random(size=(1, 1, 2, 1)), "size": (1, 2), "padding": (0, 1), "stride": 1}
    yield {"x": rng.normal(size=(2, 3, 4, 2)), "size": (3, 2)}
    yield {"x": rng.normal(size=(2, 5, 5, 2)), "size": 3, "stride": 2}
    yield {"x": rng.normal(size=(3, 4, 6, 1)), "size": 2, "stride": (2, 1)}
    yield {"x": rng.normal(size=(1, 7, 6, 3)), "size": 3, "stride": 2, "padding": 1}
    yield {"x": -1 - rng.random(size=(2, 4, 5, 2)), "size": (2, 3), "stride": (1, 2), "padding": (1, 0)}
    yield {"x": rng.normal(size=(1, 5, 4, 2)), "size": 2, "stride": 3}
    yield {"x": rng.normal(size=(1, 4, 3, 1)), "size": 2, "padding": 1}
    yield {"x": rng.normal(size=(1, 18, 17, 1)), "size": (17, 16), "stride": 1}  # more pixels than a byte counts


def tied_images(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Windows of equal pixels: in a row, in a column, around a corner (rows or columns first?), and everywhere."""
    yield {"x": np.ones((1, 1, 2, 1)), "size": (1, 2)}
    yield {"x": np.ones((1, 2, 1, 1)), "size": (2, 1)}
    yield {"x": np.array([[0.0, 1.0], [1.0, 1.0]]).reshape(1, 2, 2, 1), "size": 2}
    yield {"x": np.zeros((2, 4, 5, 2)), "size": 3, "stride": 1, "padding": 1}
    yield {"x": rng.integers(0, 3, size=(2, 5, 6, 2)).astype(float), "size": 3, "stride": 2}


MAX_POOL = Exercise(
    title="Overlapping max pooling and its backward",
    functions=(max_pool2d,),
    gives=("x",),
    given=(as_pair, output_size, pad_image, at_offset),
    task=r"""
The largest value of each window, channel by channel:

$$y_{n p q c} = \max_{0 \le i < k_h,\ 0 \le j < k_w} x_{n,\; p s_h + i - m_h,\; q s_w + j - m_w,\; c}$$

`x` is $(N, H, W, C)$. `size` $k$, `stride` $s$ and `padding` $m$ are ints or (vertical, horizontal) pairs; without
`stride` it is `size`, and with a smaller one windows overlap. The padding never wins, not even against negative
numbers. Return `(y, backward)`; `backward(dy)` returns the gradient of `x`. Where several pixels of a window are
largest, the first in the order of reading (row by row) gets the gradient, alone. Python loops may run over the
offsets in the window only.""",
    hints=(
        "Go through the offsets of a window, and keep for all windows at once the largest value so far. The backward "
        "goes through them again and sends every upstream number to the first pixel that equals the maximum.",
        r"$\partial y/\partial x$ is 1 for the winner and 0 for the others, so "
        r"$dx_a = \sum_{\text{windows won by } a} dy$: a pixel that wins several windows gets the sum "
        "(windows that overlap: Krizhevsky et al. 2012, section 3.4).",
        "`y = np.maximum(y, at_offset(padded, (i, j), (height, width), stride))`. Backward: for each (i, j), "
        "`first = open_windows & (at_offset(…) == y)`, then close those windows, and to the same slice of an image of "
        "zeros add `dy * first`. A frame of NaN equals nothing.",
    ),
    why=r"""Near a point without ties the maximum *is* one of its arguments, so its gradient goes to that argument.
At a tie there is no derivative; giving all tied pixels the whole gradient would count it several times, so one is
chosen. The common mistakes: `x == y` as the mask (which is exactly that), `=` for `+=` where windows overlap, and
padding with zeros, which wins against negative numbers.""",
    difficulty=3,
    minutes=30,
    cases=max_pool_cases,
    checks=(special("ties", tied_images),),
    speed=lambda rng: {"x": rng.normal(size=(1, 400, 400, 1)), "size": 2, "stride": 1},
    wrong=(
        Wrong(
            "padding of zeros", {"padding, -np.inf)": "padding, 0.0)"}, "whose padding is 0 and beats negative pixels"
        ),
        Wrong(
            "stride of one",
            {"stride = size if stride is None else stride": "stride = 1 if stride is None else stride"},
            "whose stride is 1 where none is given, not the size of the window",
        ),
        Wrong(
            "windows never overlap",
            {"stride = size if stride is None else stride": "stride = size"},
            "that ignores `stride`",
        ),
        Wrong(
            "every largest pixel",
            {"                open_windows = open_windows & ~first\n": ""},
            "that gives the gradient to all equal maxima",
        ),
        Wrong(
            "shared among equals",
            {
                "                open_windows = open_windows & ~first\n": "",
                "dy * first ": "dy * first / sum("
                "y == at_offset(framed, (a, b), y.shape[1:3], stride) for a in range(kh) for b in range(kw)) ",
            },
            "that shares the gradient among equal maxima",
        ),
        Wrong(
            "the last of equals",
            {
                LOOPS: "        for i in reversed(range(kh)):\n"
                "            for j in reversed(range(kw)):\n                first",
            },
            "that gives the gradient to the last of equals",
        ),
        Wrong(
            "reading column by column",
            {
                LOOPS: "        for j in range(kw):\n            for i in range(kh):\n                first",
            },
            "that reads the window column by column, so that another of equal maxima gets the gradient",
        ),
        Wrong(
            "overwrites",
            {"seen += dy * first ": "np.copyto(seen, dy, where=first) "},
            "whose gradient of a pixel that wins several windows is that of one window, not the sum",
        ),
        Wrong(
            "gradient everywhere",
            {"dy * first ": "dy "},
            "that gives the gradient to every pixel of the window",
        ),
        Wrong(
            "shared by the window",
            {"dy * first ": "dy / (kh * kw) "},
            "with the backward of mean pooling",
        ),
        Wrong(
            "padding left on",
            {"return dpadded[:, ph : ph + H, pw : pw + W]": "return dpadded"},
            "whose gradient still has its padding",
        ),
        Wrong(
            "cut at the corner",
            {"return dpadded[:, ph : ph + H, pw : pw + W]": "return dpadded[:, :H, :W]"},
            "whose gradient is cut out of the padded image at the corner",
        ),
        Wrong("zero gradient", {"dy * first ": "0 * dy "}, "whose gradient is 0"),
    ),
    right=(
        Right(
            "windows, argmax and np.add.at",
            """
            import numpy as np
            from numpy.lib.stride_tricks import sliding_window_view

            def max_pool2d(x, size, stride=None, padding=0):
                pair = lambda v: tuple(v) if np.iterable(v) else (v, v)
                (kh, kw), (sh, sw), (ph, pw) = pair(size), pair(size if stride is None else stride), pair(padding)
                framed = np.pad(x, [(0, 0), (ph, ph), (pw, pw), (0, 0)], constant_values=-np.inf)
                views = sliding_window_view(framed, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
                flat = views.reshape(*views.shape[:4], kh * kw)
                best = flat.argmax(axis=-1)
                n, p, q, c = np.indices(best.shape, sparse=True)

                def backward(dy):
                    g = np.zeros(framed.shape, dy.dtype)
                    np.add.at(g, (n, p * sh + best // kw, q * sw + best % kw, c), dy)
                    return (g[:, ph : ph + x.shape[1], pw : pw + x.shape[2]],)

                return np.take_along_axis(flat, best[..., None], axis=-1)[..., 0], backward
            """,
        ),
        Right(
            "backward offset by offset, each winner once",
            """
            import numpy as np

            def max_pool2d(x, size, stride=None, padding=0):
                if stride is None:
                    stride = size
                (kh, kw), (sh, sw), (ph, pw) = [v if isinstance(v, tuple) else (v, v) for v in (size, stride, padding)]
                N, H, W, C = x.shape
                P, Q = (H + 2 * ph - kh) // sh + 1, (W + 2 * pw - kw) // sw + 1
                big = np.full((N, H + 2 * ph, W + 2 * pw, C), -np.inf, x.dtype)
                big[:, ph : ph + H, pw : pw + W] = x
                cuts = [
                    np.s_[:, i : i + (P - 1) * sh + 1 : sh, j : j + (Q - 1) * sw + 1 : sw]
                    for i in range(kh)
                    for j in range(kw)
                ]
                y = np.max([big[cut] for cut in cuts], axis=0)

                def backward(dy):
                    free, out = np.ones(y.shape, bool), np.zeros_like(big)
                    for cut in cuts:
                        won = free & (big[cut] == y)
                        out[cut] += np.where(won, dy, 0)
                        free &= ~won
                    return out[:, ph : ph + H, pw : pw + W]

                return y, backward
            """,
        ),
    ),
)


def lrn_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": rng.normal(size=(1,)), "alpha": 0.5}
    yield {"x": rng.normal(size=(2,)), "size": 2, "alpha": 0.5}
    yield {"x": rng.normal(size=(3,)), "size": 3, "alpha": 0.5, "k": 1.0}
    yield {"x": rng.normal(size=(2, 4)), "size": 3, "alpha": 0.2}
    yield {"x": rng.normal(size=(2, 7))}
    yield {"x": 3 * rng.normal(size=(1, 2, 3, 8)), "alpha": 0.1}
    yield {"x": rng.normal(size=(2, 2, 3, 6)), "size": 4, "alpha": 0.3, "beta": 0.5}
    yield {"x": rng.normal(size=(3, 1, 2, 3)), "size": 1, "alpha": 1.0, "beta": 1.0, "k": 0.5}
    yield {"x": rng.normal(size=(2, 3, 5)), "size": 9, "alpha": 0.1}
    yield {"x": np.maximum(rng.normal(size=(3, 6)), 0), "size": 3, "alpha": 0.3}  # as after a ReLU: exact zeros
    yield {"x": np.zeros((1, 4)), "alpha": 0.2}
    yield from choices(lambda: {"x": 2 * rng.normal(size=(2, 4))}, size=3, alpha=0.3, beta=0.5, k=1.0)


LRN = Exercise(
    title="Local response norm and its backward",
    functions=(local_response_norm,),
    gives=("x",),
    task=r"""
Divide every activation by a power of the energy of its neighbours in the last axis, the channels:

$$y_i = x_i\, s_i^{-\beta}, \qquad
s_i = k + \alpha \sum_{j = i - \lfloor n/2 \rfloor}^{i + \lfloor (n-1)/2 \rfloor} x_j^2$$

where $n$ is `size` and only channels that exist are added. `x` may have any number of leading axes. $\alpha$
multiplies the sum, as in the paper. Return `(y, backward)`; `backward(dy)` returns the gradient of `x`. Python
loops may run over the neighbours' distances only.""",
    hints=(
        "For each distance, add the squares moved by that many channels: slices, no padding needed. For the backward: "
        "in how many places does one activation appear?",
        r"$\dfrac{\partial L}{\partial x_i} = dy_i\, s_i^{-\beta} - 2\alpha\beta\, x_i \sum_{j:\, i \in \mathcal N(j)} "
        r"dy_j\, x_j\, s_j^{-\beta-1}$ (lesson, eq. 6; the forward is in Krizhevsky et al. 2012, section 3.3). "
        r"$i \in \mathcal N(j)$ means the window mirrored, which matters for an even $n$.",
        "With `neighbour_sum(values, before, after)`: `s = k + alpha * neighbour_sum(x * x, before, after)`, "
        "`before = size // 2`, `after = (size - 1) // 2`; `dx = dy * s**-beta - 2 * alpha * beta * x * "
        "neighbour_sum(dy * x * s ** (-beta - 1), after, before)`.",
    ),
    why=r"""$x_i$ stands in front of its own $y_i$ and inside the $s_j$ of every channel that has it for a
neighbour. The first gives $dy_i s_i^{-\beta}$; the second, with $\partial s_j/\partial x_i = 2\alpha x_i$, gives
the sum. Forgetting the other channels ($j = i$ alone) is the common mistake, and mixing up two conventions: in
PyTorch $\alpha$ multiplies the mean over $n$, so the same numbers need $n\alpha$ there.""",
    difficulty=3,
    minutes=25,
    cases=lrn_cases,
    speed=lambda rng: {"x": rng.normal(size=(50_000, 8)), "alpha": 0.1},
    wrong=(
        Wrong(
            "mean of the window",
            {"k + alpha * neigh": "k + alpha / size * neigh", "2 * alpha * beta": "2 * alpha / size * beta"},
            "that divides α by the size of the window, as PyTorch does: here α multiplies the sum",
        ),
        Wrong(
            "no square",
            {"neighbour_sum(x * x, before": "neighbour_sum(x, before"},
            "that adds the neighbours, not their squares",
        ),
        Wrong("k forgotten", {"s = k + alpha * neigh": "s = 1 + alpha * neigh"}, "that adds 1 where k belongs"),
        Wrong(
            "multiplied",
            {"scale = s**-beta": "scale = s**beta"},
            "that multiplies by the power, where it should divide",
        ),
        Wrong("root always", {"scale = s**-beta": "scale = s**-0.5"}, "that takes the root, whatever `beta` is"),
        Wrong(
            "window on the other side",
            {"before, after = size // 2, (size - 1) // 2": "before, after = (size - 1) // 2, size // 2"},
            "whose window of an even size is one channel too far to the right",
        ),
        Wrong(
            "size on either side",
            {"before, after = size // 2, (size - 1) // 2": "before = after = size"},
            "that takes `size` neighbours on either side: `size` is the whole window",
        ),
        Wrong(
            "round and round",
            {
                "result[..., shift:] += values[..., :-shift]": "result += np.roll(values, shift, -1)",
                "result[..., :-shift] += values[..., shift:]": "result += np.roll(values, -shift, -1)",
            },
            "whose first channel has the last for a neighbour",
        ),
        Wrong(
            "neighbours in the image",
            {
                "neighbour_sum(x * x, before, after)": "neighbour_sum((x * x).swapaxes(0, -1), before, after)"
                ".swapaxes(0, -1)"
            },
            "that adds along the first axis, where the neighbours are channels",
        ),
        Wrong(
            "first term only",
            {" - 2 * alpha * beta * x * inner": ""},
            "whose gradient treats the divisor as a constant",
        ),
        Wrong(
            "itself only",
            {"neighbour_sum(dy * x * scale / s, after, before)": "dy * x * scale / s"},
            "whose gradient forgets that each activation is in its neighbours' divisors",
        ),
        Wrong(
            "window not mirrored",
            {"scale / s, after, before)": "scale / s, before, after)"},
            "whose gradient does not mirror the window: right for an odd size only",
        ),
        Wrong(
            "factor 2 forgotten",
            {"2 * alpha * beta": "alpha * beta"},
            "whose gradient lacks the 2 of the square's derivative",
        ),
        Wrong(
            "exponent of the forward",
            {"scale / s, after": "scale, after"},
            "whose gradient has the exponent −β in the sum, where −β − 1 belongs",
        ),
        Wrong(
            "wrong sign",
            {"dy * scale - 2": "dy * scale + 2"},
            "that adds the second term of the gradient: it is subtracted",
        ),
        Wrong(
            "x outside the sum",
            {"(dy * x * scale": "(dy * scale", "beta * x * inner": "beta * x * x * inner"},
            "whose gradient has x_i in the sum, where the x_j of the other channel belongs",
        ),
    ),
    right=(
        Right(
            "a band matrix",
            """
            import numpy as np

            def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
                i, j = np.ogrid[: x.shape[-1], : x.shape[-1]]
                near = ((j >= i - size // 2) & (j <= i + (size - 1) // 2)).astype(x.dtype)
                s = k + alpha * np.einsum("ij,...j->...i", near, x**2)
                y = x / s**beta

                def backward(dy):
                    pulled = np.einsum("ij,...i->...j", near, dy * y / s)
                    return dy / s**beta - 2 * alpha * beta * x * pulled

                return y, backward
            """,
        ),
        Right(
            "sums up to each channel, and their differences",
            """
            import numpy as np

            class LRN:
                def __init__(self, channels, size):
                    at = np.arange(channels)
                    self.low = np.maximum(at - size // 2, 0)
                    self.high = np.minimum(at + (size - 1) // 2, channels - 1) + 1
                    self.low_t = np.maximum(at - (size - 1) // 2, 0)
                    self.high_t = np.minimum(at + size // 2, channels - 1) + 1

                def windows(self, v, low, high):
                    upto = np.concatenate([np.zeros_like(v[..., :1]), v.cumsum(-1)], axis=-1)
                    return upto[..., high] - upto[..., low]

            def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
                layer = LRN(x.shape[-1], size)
                s = k + alpha * layer.windows(x * x, layer.low, layer.high)
                power = np.exp(-beta * np.log(s))

                def backward(dy):
                    inner = layer.windows(dy * x * power / s, layer.low_t, layer.high_t)
                    return [dy * power - 2 * alpha * beta * x * inner]

                return x * power, backward
            """,
        ),
    ),
)
