"""Exercises on the convolution layer: as one matrix product, with its gradients."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p07_alexnet.exercises.windows import im2col_cases
from groundup.ops.conv import as_pair, conv2d
from groundup.practice.exercise import Exercise, Right, Wrong

CONV_SOLUTION = '''
import numpy as np


def as_pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """The (vertical, horizontal) pair that an int stands for."""
    return value if isinstance(value, tuple) else (value, value)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """x (N, H, W, C), weight (O, C, kh, kw), bias (O,) -> y (N, H', W', O); backward(dy) -> (dx, dweight, dbias)."""
    (sh, sw), (ph, pw), (dh, dw) = as_pair(stride), as_pair(padding), as_pair(dilation)
    N, H, W, C = x.shape
    O, _, kh, kw = weight.shape
    height = (H + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    width = (W + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    padded = np.pad(x, ((0, 0), (ph, ph), (pw, pw), (0, 0)))

    def at(image, i, j):  # the pixel at offset (i, j) of every window: a view (N, H', W', C)
        top, left = i * dh, j * dw
        return image[:, top : top + sh * (height - 1) + 1 : sh, left : left + sw * (width - 1) + 1 : sw]

    windows = np.stack([at(padded, i, j) for i in range(kh) for j in range(kw)], axis=3)
    columns = windows.reshape(-1, kh * kw * C)  # a row a place, in the order (kh, kw, C)
    kernel = weight.transpose(0, 2, 3, 1).reshape(O, -1)  # a row a filter, in the same order
    y = (columns @ kernel.T + bias).reshape(N, height, width, O)

    def backward(dy):
        rows = dy.reshape(-1, O)
        dkernel = rows.T @ columns
        dweight = dkernel.reshape(O, kh, kw, C).transpose(0, 3, 1, 2)
        dcolumns = (rows @ kernel).reshape(N, height, width, kh, kw, C)
        dpadded = np.zeros_like(padded)
        for i in range(kh):
            for j in range(kw):
                at(dpadded, i, j)[...] += dcolumns[:, :, :, i, j]
        dx = dpadded[:, ph : ph + H, pw : pw + W]
        return dx, dweight, rows.sum(axis=0)

    return y, backward
'''


def conv_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """The windows of im2col's cases, under 1 to 4 filters."""
    for filters, case in zip((1, 1, 1, 2, 1, 3, 4, 1, 3, 2, 2, 3), im2col_cases(rng), strict=True):
        kernel = (filters, case["x"].shape[3], *as_pair(case.pop("size")))
        yield {**case, "weight": rng.normal(size=kernel), "bias": rng.normal(size=filters)}


def large_conv(rng: np.random.Generator) -> dict[str, Any]:
    x, weight = rng.normal(size=(1, 256, 256, 1)), rng.normal(size=(2, 1, 2, 2))
    return {"x": x, "weight": weight, "bias": rng.normal(size=2)}


WRONG_BACKWARD = (
    Wrong(
        "windows overwrite",
        {"at(dpadded, i, j)[...] +=": "at(dpadded, i, j)[...] ="},
        "whose dx keeps one window's share of each pixel, where the shares of all windows add up",
    ),
    Wrong(
        "cut at the corner",
        {"dx = dpadded[:, ph : ph + H, pw : pw + W]": "dx = dpadded[:, :H, :W]"},
        "whose dx is cut out of the padded image at the corner",
    ),
    Wrong(
        "padding left on",
        {"dx = dpadded[:, ph : ph + H, pw : pw + W]": "dx = dpadded"},
        "whose dx still has its padding",
    ),
    Wrong(
        "kernel flipped in dx",
        {"+= dcolumns[:, :, :, i, j]": "+= dcolumns[:, :, :, kh - 1 - i, kw - 1 - j]"},
        "whose dx uses the kernel upside down and mirrored",
    ),
    Wrong(
        "dweight reshaped, not transposed",
        {"dkernel.reshape(O, kh, kw, C).transpose(0, 3, 1, 2)": "dkernel.reshape(O, C, kh, kw)"},
        "whose dweight is reshaped to (O, C, kh, kw) where the axes should be moved",
    ),
    Wrong(
        "dbias as a mean",
        {"return dx, dweight, rows.sum(axis=0)": "return dx, dweight, rows.mean(axis=0)"},
        "whose dbias is the mean over the places, not the sum",
    ),
    Wrong(
        "dbias over the batch only",
        {"return dx, dweight, rows.sum(axis=0)": "return dx, dweight, dy.sum(axis=0)"},
        "whose dbias sums over the batch only: it still has the axes of places",
    ),
    Wrong(
        "dweight divided by the batch",
        {"dkernel = rows.T @ columns": "dkernel = rows.T @ columns / N"},
        "whose dweight is divided by the size of the batch: that belongs to the loss",
    ),
    Wrong(
        "zero gradients", {"return dx, dweight, rows": "return 0 * dx, 0 * dweight, 0 * rows"}, "whose gradients are 0"
    ),
)

CONV2D = Exercise(
    title="Convolution as a matrix product, and its backward",
    functions=(conv2d,),
    solution=CONV_SOLUTION,
    given=(as_pair,),
    gives=("x", "weight", "bias"),
    task=r"""
$$y_{n p q o} = b_o + \sum_{i, j, c} w_{o c i j}\; x_{n,\; p s_h + i d_h - m_h,\; q s_w + j d_w - m_w,\; c}$$

`x` is $(N, H, W, C)$, `weight` $(O, C, k_h, k_w)$, `bias` $(O,)$ (always given here), and the result
$(N, H', W', O)$ with $H' = \lfloor (H + 2m_h - d_h (k_h - 1) - 1)/s_h \rfloor + 1$, and $W'$ likewise. `stride`
$s$, `padding` $m$ and `dilation` $d$ are ints or (vertical, horizontal) pairs; pixels outside the image are 0. The
kernel is not flipped. Return `(y, backward)`; `backward(dy)` returns the gradients of `x`, `weight` and `bias`.
Python loops may run over the offsets $(i, j)$ only.""",
    hints=(
        "Copy the pixels under each position of the kernel into a row of a matrix: the convolution is then one matrix "
        "product, and its backward two. The rest is putting pixels back where they came from.",
        r"With a row a place in $X$ and a row a filter in $K$: $Y = X K^\top + b$, so $dK = dY^\top X$, $dX = dY K$, "
        r"$db = \sum_r dY_r$ (lesson, eq. 2 to 4). $dX$ is added back window by window.",
        "For each (i, j) take `padded[:, i * dh : i * dh + sh * (height - 1) + 1 : sh, …]`; stack these to "
        "(N, H', W', kh·kw, C) and reshape. `kernel = weight.transpose(0, 2, 3, 1).reshape(O, -1)`. Backward: the same "
        "slices of an image of zeros, `+=` the part of `dcolumns` for (i, j), then cut the padding off.",
    ),
    why=r"""The matrix of windows repeats pixels, nothing more, and the layer is linear in $X$ and in $K$. So the
backward is two matrix products, and then the transpose of copying, which is adding. The usual mistakes: rows of $X$
and of $K$ flattened in different orders (nothing fails, the numbers are wrong), overwriting where windows overlap,
and `reshape` where axes have to be moved.""",
    difficulty=4,
    minutes=35,
    cases=conv_cases,
    speed=large_conv,
    wrong=(
        Wrong("no bias", {"@ kernel.T + bias)": "@ kernel.T)"}, "that leaves the bias out"),
        Wrong(
            "flipped kernel",
            {"weight.transpose(0, 2, 3, 1)": "weight[:, :, ::-1, ::-1].transpose(0, 2, 3, 1)"},
            "that flips the kernel: a convolution as in mathematics, not the cross-correlation that is asked for",
        ),
        Wrong(
            "weights in another order",
            {"weight.transpose(0, 2, 3, 1).reshape(O, -1)": "weight.reshape(O, -1)"},
            "that flattens the weights channels first, and the windows channels last",
        ),
        Wrong(
            "kernel transposed",
            {"weight.transpose(0, 2, 3, 1)": "weight.transpose(0, 3, 2, 1)"},
            "that exchanges the kernel's rows and columns",
        ),
        Wrong(
            "padding behind only",
            {"(ph, ph), (pw, pw)": "(0, 2 * ph), (0, 2 * pw)"},
            "that puts all the padding below and to the right of the image",
        ),
        Wrong(
            "no dilation",
            {"as_pair(padding), as_pair(dilation)": "as_pair(padding), (1, 1)"},
            "that ignores `dilation`",
        ),
        Wrong("no stride", {"= as_pair(stride), as": "= (1, 1), as"}, "that ignores `stride`"),
        Wrong(
            "size rounded up",
            {"- dh * (kh - 1) - 1) // sh + 1": "- dh * (kh - 1) + sh - 2) // sh + 1"},
            "that rounds the number of places up, so that the last window leaves the image",
            crashes=True,
        ),
        *WRONG_BACKWARD,
    ),
    right=(
        Right(
            "a product per offset",
            """
            import numpy as np

            def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
                (sh, sw), (ph, pw), (dh, dw) = ((v, v) if type(v) is int else v for v in (stride, padding, dilation))
                image = np.pad(x, [(0, 0), (ph, ph), (pw, pw), (0, 0)])
                kh, kw = weight.shape[2:]
                P = 1 + (image.shape[1] - dh * (kh - 1) - 1) // sh
                Q = 1 + (image.shape[2] - dw * (kw - 1) - 1) // sw
                rows, cols = np.arange(P) * sh, np.arange(Q) * sw

                def cut(i, j):
                    return (slice(None), *np.ix_(rows + i * dh, cols + j * dw))

                offsets = list(np.ndindex(kh, kw))
                y = sum(image[cut(i, j)] @ weight[:, :, i, j].T for i, j in offsets) + bias

                def backward(dy):
                    dimage, dweight = np.zeros_like(image), np.zeros_like(weight)
                    for i, j in offsets:
                        dimage[cut(i, j)] += dy @ weight[:, :, i, j]
                        dweight[:, :, i, j] = np.tensordot(dy, image[cut(i, j)], axes=([0, 1, 2], [0, 1, 2]))
                    h, w = image.shape[1:3]
                    return [dimage[:, ph : h - ph, pw : w - pw], dweight, np.einsum("npqo->o", dy)]

                return y, backward
            """,
        ),
    ),
)

CONV2D_BACKWARD = Exercise(
    name="conv2d_backward",
    title="Backward of a convolution",
    functions=(conv2d,),
    solution=CONV_SOLUTION,
    given=(as_pair,),
    gives=("x", "weight", "bias"),
    keep="forward",
    task=r"""
The forward pass is there: it copies every window into a row of `columns` $X$, flattens every filter into a row of
`kernel` $K$, and computes $Y = X K^\top + b$. Write `backward(dy)`: for `dy` $(N, H', W', O)$ it returns the
gradients of `x` $(N, H, W, C)$, `weight` $(O, C, k_h, k_w)$ and `bias` $(O,)$. Stride, padding and dilation as in
the forward. Python loops may run over the offsets of the kernel only.""",
    hints=(
        "Three parts: a sum, a matrix product, and a matrix product followed by putting every window's share back "
        "into the image.",
        r"$dK = dY^\top X$, $dX = dY K$, $db = \sum_r dY_r$ (lesson, eq. 3 and 4); "
        r"a pixel's gradient is the sum over all windows that hold it.",
        "`rows = dy.reshape(-1, O)`; `dweight` is `rows.T @ columns` as (O, kh, kw, C) with its axes moved; "
        "`dcolumns = (rows @ kernel).reshape(N, height, width, kh, kw, C)`; with `dpadded = np.zeros_like(padded)`, "
        "`at(dpadded, i, j)` is a view: add `dcolumns[:, :, :, i, j]` to it. Cut the padding off.",
    ),
    why=r"""$Y_{ro} = \sum_m X_{rm} K_{om} + b_o$ gives $\partial L/\partial K_{om} = \sum_r dY_{ro} X_{rm}$ and
$\partial L/\partial X_{rm} = \sum_o dY_{ro} K_{om}$. A pixel stands in $X$ once for every window that holds it, so
its gradient adds up. In frameworks the second half is the "transposed convolution". The usual mistake is `=` for
`+=`: it is right as long as no windows overlap.""",
    difficulty=3,
    minutes=20,
    cases=conv_cases,
    speed=large_conv,
    wrong=WRONG_BACKWARD,
    right=(
        Right(
            "einsum and np.add.at",
            {
                "        rows = dy.reshape(-1, O)\n": "        dbias = np.einsum('npqo->o', dy)\n",
                "        dkernel = rows.T @ columns\n": "        X = columns.reshape(N, height, width, kh, kw, C)\n",
                "dkernel.reshape(O, kh, kw, C).transpose(0, 3, 1, 2)": "np.einsum('npqo,npqijc->ocij', dy, X)",
                "(rows @ kernel).reshape(N, height, width, kh, kw, C)": "np.einsum('npqo,ocij->npqijc', dy, weight)",
                """        for i in range(kh):
            for j in range(kw):
                at(dpadded, i, j)[...] += dcolumns[:, :, :, i, j]
""": """        down = np.add.outer(sh * np.arange(height), dh * np.arange(kh))[:, None, :, None]
        across = np.add.outer(sw * np.arange(width), dw * np.arange(kw))[None, :, None, :]
        np.add.at(dpadded, (slice(None), down, across), dcolumns)
""",
                "return dx, dweight, rows.sum(axis=0)": "return dx, dweight, dbias",
            },
        ),
    ),
)
