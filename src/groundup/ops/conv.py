"""Two-dimensional convolution as one matrix product: im2col, the product, and col2im for the way back."""

import numpy as np

from groundup.ops.types import Array, Backward


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> tuple[Array, Backward]:
    """Slide ``weight`` over ``x``, taking inner products (in mathematics a cross-correlation).

    x (N, H, W, C), weight (O, C, kh, kw), bias (O,) -> y (N, H', W', O), with x zero outside the image and

        y[n, p, q, o] = bias[o] + Σ_{i, j, c} x[n, row, column, c] · weight[o, c, i, j]
        row = p · stride + i · dilation − padding,   column = q · stride + j · dilation − padding

    Options are ints or (vertical, horizontal). backward(dy) -> (dx, dweight, dbias), or without dbias.
    Raises ValueError for wrong shapes, a kernel larger than the padded image, or a stride below one.
    Source: LeCun et al. 1998 (document recognition), section II-A. As a matrix product: Chellapilla, Puri and
    Simard 2006 (document processing).
    """
    if x.ndim != 4 or weight.ndim != 4 or x.shape[3] != weight.shape[1]:
        raise ValueError(f"conv2d: x {x.shape} should be (N, H, W, C) and weight {weight.shape} (O, C, kh, kw)")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"conv2d: bias {bias.shape} should be ({weight.shape[0]},)")
    # How many windows fit follows from the shapes alone.
    N, H, W, C = x.shape
    filters, _, kh, kw = weight.shape
    height, width = output_size((H, W), (kh, kw), stride, padding, dilation)
    # A window is a row of one matrix and a filter a row of another: all their inner products are one product.
    columns = im2col(x, (kh, kw), stride, padding, dilation).reshape(N * height * width, kh * kw * C)
    kernel = weight.transpose(0, 2, 3, 1).reshape(filters, kh * kw * C)  # a row per filter, in im2col's order
    y = columns @ kernel.T
    if bias is not None:
        y += bias

    def backward(dy: Array) -> tuple[Array, ...]:
        # So the way back is that of a matrix product.
        rows = dy.reshape(N * height * width, filters)
        dkernel = rows.T @ columns  # Y = X Kᵀ:  dK = dYᵀ X
        dcolumns = rows @ kernel  # and dX = dY K
        # A pixel lies in several windows: `col2im` adds up what they ask of it.
        dweight = dkernel.reshape(filters, kh, kw, C).transpose(0, 3, 1, 2)
        dx = col2im(dcolumns.reshape(N, height, width, kh, kw, C), (H, W), stride, padding, dilation)
        # A bias serves every place of every image.
        if bias is None:
            return dx, dweight
        return dx, dweight, rows.sum(axis=0)  # dbias = Σ dy

    return y.reshape(N, height, width, filters), backward


def im2col(
    x: Array,
    size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> Array:
    """Copy out the window of ``x`` that each output position sees.

    x (N, H, W, C) -> columns (N, H', W', kh, kw, C). With the columns as a matrix
    (N · H' · W', kh · kw · C), convolution is one matrix product.
    Raises ValueError as ``output_size`` does.
    """
    (kh, kw), (sh, sw), (dh, dw) = as_pair(size), as_pair(stride), as_pair(dilation)
    output_size((x.shape[1], x.shape[2]), size, stride, padding, dilation)
    padded = pad_image(x, padding)
    windows = np.lib.stride_tricks.sliding_window_view(  # (N, ., ., C, ., .): overlapping views, no copy yet
        padded, ((kh - 1) * dh + 1, (kw - 1) * dw + 1), axis=(1, 2)
    )
    windows = windows[:, ::sh, ::sw, :, ::dh, ::dw]  # (N, H', W', C, kh, kw)
    return windows.transpose(0, 1, 2, 4, 5, 3).copy()


def col2im(
    columns: Array,
    image_size: tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> Array:
    """Add every window back where ``im2col`` took it from: the adjoint, <im2col(x), c> = <x, col2im(c)>.

    columns (N, H', W', kh, kw, C), image_size (H, W) -> x (N, H, W, C).
    Raises ValueError where the columns are not those of such an image.
    """
    N, height, width, kh, kw, C = columns.shape
    if output_size(image_size, (kh, kw), stride, padding, dilation) != (height, width):
        raise ValueError(f"col2im: columns {columns.shape} do not come from an image of {image_size}")
    (H, W), (ph, pw), (dh, dw) = image_size, as_pair(padding), as_pair(dilation)
    padded = np.zeros((N, H + 2 * ph, W + 2 * pw, C), columns.dtype)
    for i in range(kh):
        for j in range(kw):
            seen = at_offset(padded, (i * dh, j * dw), (height, width), stride)
            seen += columns[:, :, :, i, j]
    return padded[:, ph : ph + H, pw : pw + W]


def as_pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """The (vertical, horizontal) pair that an int stands for."""
    if isinstance(value, tuple):
        return value
    return value, value


def output_size(
    image_size: tuple[int, int],
    size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
) -> tuple[int, int]:
    """How many windows fit: H' = ⌊(H + 2·padding − dilation·(kh − 1) − 1) / stride⌋ + 1, and W' likewise.

    Raises ValueError where size, stride or dilation is below one, padding is negative, or no window fits.
    """
    counts = []
    options = (as_pair(value) for value in (size, stride, padding, dilation))
    for length, k, s, p, d in zip(image_size, *options, strict=True):
        if k < 1 or s < 1 or d < 1 or p < 0:
            raise ValueError(f"size {k}, stride {s} and dilation {d} should be at least 1, padding {p} at least 0")
        reach = d * (k - 1) + 1
        if reach > length + 2 * p:
            raise ValueError(f"a window of {reach} is larger than the image of {length} with padding {p}")
        counts.append((length + 2 * p - reach) // s + 1)
    return counts[0], counts[1]


def pad_image(x: Array, padding: int | tuple[int, int], value: float = 0.0) -> Array:
    """x (N, H, W, C) in a frame of ``value``: (N, H + 2 · ph, W + 2 · pw, C). Without padding, x itself."""
    ph, pw = as_pair(padding)
    if ph == 0 and pw == 0:
        return x
    N, H, W, C = x.shape
    padded = np.full((N, H + 2 * ph, W + 2 * pw, C), value, x.dtype)
    padded[:, ph : ph + H, pw : pw + W] = x
    return padded


def at_offset(padded: Array, offset: tuple[int, int], count: tuple[int, int], stride: int | tuple[int, int]) -> Array:
    """The pixel at ``offset`` in every window: a view (N, H', W', C) of padded, to read or to add to."""
    (top, left), (height, width), (sh, sw) = offset, count, as_pair(stride)
    return padded[:, top : top + sh * (height - 1) + 1 : sh, left : left + sw * (width - 1) + 1 : sw]
