"""Pooling: the largest or the mean value in each window of an image."""

import numpy as np

from groundup.ops.conv import as_pair, at_offset, output_size, pad_image
from groundup.ops.types import Array, Backward


def max_pool2d(
    x: Array,
    size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
) -> tuple[Array, Backward]:
    """The largest value of each window; windows overlap where ``stride`` (by default ``size``) is smaller.

    x (N, H, W, C) -> y (N, H', W', C). The frame is −inf, so that it never wins. backward(dy) -> dx; of equal
    maxima the first, in the order of reading, receives the gradient. Raises ValueError for wrong shapes, a
    window larger than the padded image, or padding over half the window (padding alone has no maximum).
    Source: Krizhevsky, Sutskever & Hinton 2012 (AlexNet), section 3.4, for windows that overlap.
    """
    stride = size if stride is None else stride
    height, width = pooled_size(x, size, stride, padding)
    (kh, kw), (ph, pw) = as_pair(size), as_pair(padding)
    N, H, W, C = x.shape
    padded = pad_image(x, padding, -np.inf)
    y = np.full((N, height, width, C), -np.inf, x.dtype)
    for i in range(kh):
        for j in range(kw):
            y = np.maximum(y, at_offset(padded, (i, j), (height, width), stride))

    def backward(dy: Array) -> Array:
        framed = pad_image(x, padding, np.nan)  # a frame that equals nothing, not even a maximum of −inf
        dpadded = np.zeros(framed.shape, dy.dtype)
        open_windows = np.ones(y.shape, bool)  # whose maximum has not been met yet
        for i in range(kh):
            for j in range(kw):
                first = open_windows & (at_offset(framed, (i, j), (height, width), stride) == y)
                open_windows = open_windows & ~first
                seen = at_offset(dpadded, (i, j), (height, width), stride)
                seen += dy * first  # y = x[first]  gives  dx[first] += dy
        return dpadded[:, ph : ph + H, pw : pw + W]

    return y, backward


def avg_pool2d(
    x: Array,
    size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
) -> tuple[Array, Backward]:
    """The mean of each window; the zeros of the frame count as pixels (PyTorch's default).

    x (N, H, W, C) -> y (N, H', W', C); ``stride`` defaults to ``size``. backward(dy) -> dx.
    Raises ValueError for wrong shapes, a window larger than the padded image, or padding over half of it.
    Source: LeCun et al. 1998 (document recognition), section II-B, without its trainable coefficient.
    """
    stride = size if stride is None else stride
    height, width = pooled_size(x, size, stride, padding)
    (kh, kw), (ph, pw) = as_pair(size), as_pair(padding)
    N, H, W, C = x.shape
    padded = pad_image(x, padding)
    y = np.zeros((N, height, width, C), x.dtype)
    for i in range(kh):
        for j in range(kw):
            y += at_offset(padded, (i, j), (height, width), stride)
    y = y / (kh * kw)

    def backward(dy: Array) -> Array:
        share = dy / (kh * kw)  # y = Σ x / (kh·kw)  gives each pixel of the window dy / (kh·kw)
        dpadded = np.zeros((N, H + 2 * ph, W + 2 * pw, C), dy.dtype)
        for i in range(kh):
            for j in range(kw):
                seen = at_offset(dpadded, (i, j), (height, width), stride)
                seen += share
        return dpadded[:, ph : ph + H, pw : pw + W]

    return y, backward


def pooled_size(
    x: Array, size: int | tuple[int, int], stride: int | tuple[int, int], padding: int | tuple[int, int]
) -> tuple[int, int]:
    """(H', W') of a pooled image; ValueError where x is not (N, H, W, C) or the windows make no sense."""
    if x.ndim != 4:
        raise ValueError(f"pooling: x {x.shape} should be (N, H, W, C)")
    if any(2 * p > k for p, k in zip(as_pair(padding), as_pair(size), strict=True)):
        raise ValueError(f"pooling: padding {padding} should be at most half the window {size}")
    return output_size((x.shape[1], x.shape[2]), size, stride, padding)
