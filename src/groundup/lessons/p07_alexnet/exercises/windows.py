"""Exercises on windows: every window of an image as rows of a matrix, and the way back."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.conv import as_pair, at_offset, col2im, im2col, output_size, pad_image
from groundup.practice.exercise import Exercise, Right, Wrong


def im2col_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"x": rng.normal(size=(1, 1, 1, 1)), "size": 1, "padding": (0, 1)}
    yield {"x": rng.normal(size=(1, 1, 3, 1)), "size": (1, 2)}
    yield {"x": rng.normal(size=(1, 2, 2, 1)), "size": 1}
    yield {"x": rng.normal(size=(1, 2, 3, 1)), "size": 2}
    yield {"x": rng.normal(size=(1, 2, 2, 1)), "size": 2, "padding": 1}
    yield {"x": rng.normal(size=(1, 4, 3, 1)), "size": 1, "stride": 2}
    yield {"x": rng.normal(size=(2, 4, 3, 2)), "size": (3, 2)}
    yield {"x": rng.normal(size=(1, 5, 4, 1)), "size": 2, "stride": 2}
    yield {"x": rng.normal(size=(2, 5, 6, 3)), "size": (2, 3), "stride": (1, 2), "padding": (1, 0)}
    yield {"x": rng.normal(size=(1, 6, 5, 1)), "size": 2, "dilation": 2}
    yield {"x": rng.normal(size=(2, 7, 5, 2)), "size": (3, 2), "stride": (2, 1), "padding": (0, 1), "dilation": (1, 2)}
    yield {"x": rng.normal(size=(1, 4, 5, 2)), "size": 3, "stride": 3, "padding": 2}


def columns_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """The columns of every case above, and the size of the image that they would come from."""
    for case in im2col_cases(rng):
        columns = rng.normal(size=im2col(**case).shape)
        options: dict[str, Any] = {name: case[name] for name in ("stride", "padding", "dilation") if name in case}
        yield {"columns": columns, "image_size": case["x"].shape[1:3], **options}
    yield {
        "columns": rng.normal(size=(1, 6, 5, 3, 3, 1)),
        "image_size": (4, 3),
        "padding": 2,
    }  # the whole frame is read


def large_columns(rng: np.random.Generator) -> dict[str, Any]:
    return {"columns": rng.normal(size=(1, 511, 511, 2, 2, 1)), "image_size": (512, 512)}


WINDOWS = r"""`stride`, `padding` and `dilation` are ints or (vertical, horizontal) pairs. The helpers of the
starter are yours to use. Python loops may run over the offsets $(i, j)$ only."""

IM2COL = Exercise(
    title="im2col: every window of an image",
    functions=(im2col,),
    given=(as_pair, output_size, pad_image, at_offset),
    task=r"""
Copy out the window of pixels that each output of a convolution sees. `x` is $(N, H, W, C)$, `size` is $(k_h, k_w)$
or one int for both, and the result is $(N, H', W', k_h, k_w, C)$:

$$\text{columns}_{n p q i j c} = x_{n,\; p s_h + i d_h - m_h,\; q s_w + j d_w - m_w,\; c}$$

with stride $s$, dilation $d$ and padding $m$; pixels outside the image are 0. """
    + WINDOWS,
    hints=(
        "Look at one offset (i, j) in the window. Which pixels of the padded image stand there, over all windows? They "
        "lie at equal distances: a slice with a step takes them all at once.",
        r"At offset $(i, j)$ the padded image is read in rows $i d_h,\ i d_h + s_h,\ \dots,\ i d_h + (H' - 1) s_h$, "
        r"and in the columns likewise, with $H' = \lfloor (H + 2m_h - d_h(k_h - 1) - 1)/s_h \rfloor + 1$ "
        "(Chellapilla, Puri and Simard 2006).",
        "`columns = np.empty((N, height, width, kh, kw, C), x.dtype)`; for each (i, j) put "
        "`at_offset(padded, (i * dh, j * dw), (height, width), stride)` into `columns[:, :, :, i, j]`.",
    ),
    why=r"""For a fixed offset $(i, j)$ the pixels that are read lie $s_h$ rows and $s_w$ columns apart: a slice
with a step. So $k_h k_w$ copies of whole arrays do what would take $N H' W'$ copies of windows. Common mistakes:
multiplying the offsets by the stride (windows move by the stride, pixels in a window lie $d$ apart), and padding on
one side only.""",
    difficulty=2,
    minutes=15,
    cases=im2col_cases,
    speed=lambda rng: {"x": rng.normal(size=(1, 512, 512, 1)), "size": 2},
    equivalent={
        "im2col: output_size((x.shape[1], x.shape[2]), size, stride, padding, dilation) → nothing": (
            "It is called to raise where no window fits, which the task does not ask for."
        ),
        "im2col: output_size((x.shape[1], x.shape[2]), size, stride, padding, dilation) → "
        "output_size((x.shape[1], x.shape[2]), stride, size, padding, dilation)": (
            "It is called to raise where no window fits, which the task does not ask for."
        ),
        "im2col: 1 → 2": "It is in the call that only raises, where no window fits.",
        "im2col: windows.transpose(0, 1, 2, 4, 5, 3).copy() → windows.transpose(0, 1, 2, 4, 5, 3)": (
            "A view has the same numbers."
        ),
    },
    wrong=(
        Wrong(
            "padding behind only",
            {"padded[:, ph : ph + H, pw : pw + W] = x": "padded[:, :H, :W] = x"},
            "that puts all the padding below and to the right of the image",
        ),
        Wrong("no padding", {"padded = pad_image(x, padding)": "padded = x"}, "that ignores `padding`", crashes=True),
        Wrong(
            "no dilation",
            {"(kh - 1) * dh + 1, (kw - 1) * dw + 1": "kh, kw", "::sh, ::sw, :, ::dh, ::dw]": "::sh, ::sw]"},
            "that ignores `dilation`",
        ),
        Wrong("no stride", {"windows[:, ::sh, ::sw, ": "windows[:, :, :, "}, "that ignores `stride`"),
        Wrong(
            "strides exchanged",
            {"windows[:, ::sh, ::sw, ": "windows[:, ::sw, ::sh, "},
            "that takes the vertical stride for the horizontal one",
        ),
        Wrong(
            "channels first",
            {"windows.transpose(0, 1, 2, 4, 5, 3)": "windows"},
            "that leaves the channels before the window's own axes",
        ),
        Wrong(
            "windows transposed",
            {"windows.transpose(0, 1, 2, 4, 5, 3)": "windows.transpose(0, 1, 2, 5, 4, 3)"},
            "whose windows are transposed",
        ),
        Wrong(
            "windows flipped",
            {"windows.transpose(0, 1, 2, 4, 5, 3)": "windows.transpose(0, 1, 2, 4, 5, 3)[..., ::-1, ::-1, :]"},
            "that reads every window backwards",
        ),
        Wrong(
            "as a matrix",
            {"4, 5, 3).copy()": "4, 5, 3).reshape(-1, kh * kw * x.shape[3])"},
            "that returns the matrix, with places and offsets already flattened",
        ),
    ),
    right=(
        Right(
            "index arrays",
            """
            import numpy as np

            def im2col(x, size, stride=1, padding=0, dilation=1):
                pair = lambda v: v if isinstance(v, (tuple, list)) else (v, v)
                indices = []
                for axis, (k, s, p, d) in enumerate(zip(*map(pair, (size, stride, padding, dilation)))):
                    places = np.arange(0, x.shape[1 + axis] + 2 * p - d * (k - 1), s)
                    indices.append(places[:, None] + d * np.arange(k))
                (ph, pw), (rows, cols) = pair(padding), indices
                frame = np.pad(x, [(0, 0), (ph, ph), (pw, pw), (0, 0)])
                return frame[:, rows[:, None, :, None], cols[None, :, None, :]]
            """,
        ),
        Right(
            "a loop over offsets",
            """
            import numpy as np

            def im2col(x, size, stride=1, padding=0, dilation=1):
                (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
                    (v, v) if isinstance(v, int) else v for v in (size, stride, padding, dilation)
                )
                padded = np.zeros((x.shape[0], x.shape[1] + 2 * ph, x.shape[2] + 2 * pw, x.shape[3]), x.dtype)
                padded[:, ph:padded.shape[1] - ph, pw:padded.shape[2] - pw] = x
                bottom, right = dh * (kh - 1), dw * (kw - 1)
                return np.stack([
                    np.stack([
                        padded[:, i:padded.shape[1] - bottom + i:sh, j:padded.shape[2] - right + j:sw]
                        for j in range(0, right + 1, dw)
                    ], axis=3)
                    for i in range(0, bottom + 1, dh)
                ], axis=3)
            """,
        ),
    ),
)

COL2IM = Exercise(
    title="col2im: adding the windows back",
    functions=(col2im,),
    given=(as_pair, output_size, at_offset),
    task=r"""
The way back from windows to the image. Every entry of `columns` $(N, H', W', k_h, k_w, C)$ is **added** to the
pixel that im2col would have read it from:

$$x_{n a b c} = \sum_{p, q, i, j} \text{columns}_{n p q i j c}$$

The sum runs over all $p, q, i, j$ with $p s_h + i d_h - m_h = a$ and $q s_w + j d_w - m_w = b$,
with stride $s$, dilation $d$ and padding $m$. `image_size` is $(H, W)$ and the result $(N, H, W, C)$. What falls
outside the image is dropped; a pixel that no window reads is 0. """
    + WINDOWS,
    hints=(
        "Work on an image with its padding and cut the padding off at the end. At one offset (i, j), no two windows "
        "read the same pixel: there a slice can be added in one go.",
        r"im2col is linear; col2im is its transpose: $\langle \text{im2col}(x), C\rangle = \langle x, \text{col2im}(C)"
        r"\rangle$. At offset $(i, j)$ the rows are $i d_h,\ i d_h + s_h, \dots$: $H'$ of them.",
        "`padded = np.zeros((N, H + 2 * ph, W + 2 * pw, C), columns.dtype)`; for each (i, j) "
        "`at_offset(padded, (i * dh, j * dw), (height, width), stride)` is a view: add `columns[:, :, :, i, j]` to it.",
    ),
    why=r"""A pixel that was copied into several windows influences the loss through each copy, so its gradient is
the sum over the copies. Hence `+=`, not `=`: with a stride as large as the window the two agree, and the mistake
shows only where windows overlap. For one offset the pixels of all windows are different, so the slice may be added
at once.""",
    difficulty=2,
    minutes=15,
    cases=columns_cases,
    speed=large_columns,
    equivalent={
        "col2im: 2 → 3": "A frame that is wider at its far end is cut off again.",
        "col2im: 2 → 3 (2)": "A frame that is wider at its far end is cut off again.",
    },
    wrong=(
        Wrong(
            "overwrites",
            {"seen += columns": "seen[...] = columns"},
            "that overwrites where windows overlap: the last one stays, not the sum",
        ),
        Wrong(
            "mean of the windows",
            {
                "    for i in range(kh)": "    counts = np.zeros_like(padded)\n    for i in range(kh)",
                "            seen += columns[:, :, :, i, j]\n": "            seen += columns[:, :, :, i, j]\n"
                "            at_offset(counts, (i * dh, j * dw), (height, width), stride)[...] += 1\n"
                "    padded /= np.maximum(counts, 1)\n",
            },
            "that takes the mean over the windows of a pixel: right for putting an image together again, but not the "
            "transpose of im2col",
        ),
        Wrong(
            "padding left on",
            {"return padded[:, ph : ph + H, pw : pw + W]": "return padded"},
            "that does not cut the padding off",
        ),
        Wrong(
            "cut at the corner",
            {"return padded[:, ph : ph + H, pw : pw + W]": "return padded[:, :H, :W]"},
            "that cuts the padding off below and to the right only",
        ),
        Wrong(
            "offsets in strides",
            {"(i * dh, j * dw), (height": "(i, j), (height"},
            "that ignores `dilation`",
        ),
        Wrong(
            "windows flipped",
            {"columns[:, :, :, i, j]": "columns[:, :, :, kh - 1 - i, kw - 1 - j]"},
            "that puts every window back upside down and mirrored",
        ),
        Wrong(
            "stride of one",
            {"(height, width), stride)\n            seen": "(height, width), 1)\n            seen"},
            "that ignores `stride`",
        ),
        Wrong(
            "zeros",
            {"            seen += columns[:, :, :, i, j]\n": "            seen = seen + columns[:, :, :, i, j]\n"},
            "that adds to a copy, so that the image stays 0",
        ),
    ),
    right=(
        Right(
            "np.add.at",
            """
            import numpy as np

            def col2im(columns, image_size, stride=1, padding=0, dilation=1):
                (sh, sw), (ph, pw), (dh, dw) = [
                    (v, v) if np.ndim(v) == 0 else tuple(v) for v in (stride, padding, dilation)
                ]
                N, P, Q, kh, kw, C = columns.shape
                rows = sh * np.arange(P)[:, None, None, None] + dh * np.arange(kh)[:, None]
                cols = sw * np.arange(Q)[:, None, None] + dw * np.arange(kw)
                image = np.zeros((N, image_size[0] + 2 * ph, image_size[1] + 2 * pw, C), dtype=columns.dtype)
                np.add.at(image, (slice(None), rows, cols), columns)
                return image[:, ph : image.shape[1] - ph, pw : image.shape[2] - pw]
            """,
        ),
    ),
)
