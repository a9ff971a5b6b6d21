"""Exercises on augmentation: windows at random places, and moves by fractions of a pixel."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p07_alexnet.model import random_crop, shift
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Finding, Subject, fits, special


def crop_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for shape, size in [
        ((1, 2, 2, 1), 1),
        ((1, 3, 3, 1), 2),
        ((2, 4, 5, 1), 3),
        ((3, 6, 4, 3), 2),
        ((5, 4, 7, 1), 3),
    ]:
        yield {"images": rng.normal(size=shape), "size": size, "rng": np.random.default_rng(rng.integers(2**32))}


def numbered(count: int, height: int, width: int, channels: int) -> np.ndarray:
    """Images in which no two pixels are equal, so that a crop says where it was taken."""
    return np.arange(float(count * height * width * channels)).reshape(count, height, width, channels)


def corners_of(images: np.ndarray, crops: np.ndarray) -> np.ndarray | None:
    """The upper left corner (N, 2) of each crop; None unless each is a window of the image of its number."""
    _, height, width, channels = images.shape
    size = crops.shape[1]
    place = np.round(crops[:, 0, 0, 0] - images[:, 0, 0, 0]).astype(int) // channels
    rows, columns = np.divmod(place, width)
    inside = (rows >= 0) & (columns >= 0) & (rows <= height - size) & (columns <= width - size)
    if not inside.all():
        return None
    span = np.arange(size)
    where = np.ix_(np.arange(len(images)), span, span)
    taken = images[where[0], rows[:, None, None] + where[1], columns[:, None, None] + where[2]]
    return np.stack([rows, columns], axis=1) if np.array_equal(taken, crops) else None


def whole_images(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """A window as large as the image has one place. It is asked last: drawing one place too few fails here, too."""
    arguments: dict[str, Any] = {"images": numbered(2, 3, 3, 1), "size": 3, "rng": np.random.default_rng(0)}
    if np.array_equal(answer(**arguments).value, arguments["images"]):
        return None
    return Finding("whole images", "A window of the image's own size is the image.", arguments)


def windows_of_the_images(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """Every crop is a window of its own image, with all channels."""
    for shape, size in [((2, 3, 4, 1), 2), ((6, 5, 4, 3), 3)]:
        arguments: dict[str, Any] = {
            "images": numbered(*shape),
            "size": size,
            "rng": np.random.default_rng(rng.integers(2**32)),
        }
        if corners_of(arguments["images"], np.asarray(answer(**arguments).value)) is None:
            message = f"Crop number n should be a window of {size} by {size} neighbouring pixels of image number n."
            return Finding("windows", message, arguments)
    return None


def every_place(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """All places are as likely, for rows and columns together, and each image has its own."""
    count = 3000
    images = numbered(count, 3, 4, 1)
    generator = np.random.default_rng(rng.integers(2**32))
    corners = corners_of(images, np.asarray(answer(images=images, size=2, rng=generator).value))
    shown = {"images": "3000 different images of 3 by 4 pixels", "size": 2}
    if corners is None:
        return Finding("windows", "Crop number n should be a window of image number n.", shown)
    if len(np.unique(corners, axis=0)) == 1:
        return Finding(
            "places", "All images were cropped at the same place: each should have a place of its own.", shown
        )
    found = np.zeros((2, 3), int)
    np.add.at(found, tuple(corners.T), 1)
    share = 1 / found.size
    if np.abs(found / count - share).max() > 6 * np.sqrt(share * (1 - share) / count):
        message = "The 2 · 3 places of the upper left corner should be equally likely; so often each was chosen:"
        return Finding("places", message, shown, (), f"about {count * share:.0f} each", str(found.tolist()))
    again = (corners[1:] == corners[:-1]).all(axis=1).mean()
    if abs(again - share) > 6 * np.sqrt(share * (1 - share) / count):
        message = "The place of an image tells that of the next one: draw them independently."
        return Finding("places", message, shown, (), f"equal places {share:.2f} of the time", f"{again:.2f}")
    return None


def many_places(answer: Subject, reference: Subject, rng: np.random.Generator) -> Finding | None:
    """More places than images get by a trick: 300 places for 6000 images, all as likely, none of them in turns."""
    count, height, width = 6000, 15, 20
    images = numbered(count, height, width, 1)
    generator = np.random.default_rng(rng.integers(2**32))
    corners = corners_of(images, np.asarray(answer(images=images, size=1, rng=generator).value))
    shown = {"images": f"{count} different images of {height} by {width} pixels", "size": 1}
    if corners is None:
        return Finding("windows", "Crop number n should be a window of image number n.", shown)
    place = corners @ np.array([width, 1])
    if not fits(np.bincount(place, minlength=height * width), np.full(height * width, 1 / (height * width))):
        return Finding("many places", f"The {height} · {width} places should be equally likely.", shown)
    if max((place[lag:] == place[:-lag]).mean() for lag in range(1, count // 2)) > 0.5:
        return Finding("many places", "The places come again in the same order: draw one for every image.", shown)
    return None


def crops_from_rng(answer: Subject, reference: Subject, rng: np.random.Generator) -> str | None:
    """The draws come from ``rng``: equal states give equal crops, other states others."""
    images = numbered(20, 5, 6, 1)
    first, again, other = (answer(images=images, size=2, rng=np.random.default_rng(seed)).value for seed in (1, 1, 2))
    if not np.array_equal(first, again):
        return "Two generators in the same state should give the same crops: draw from `rng` alone."
    if np.array_equal(first, other):
        return "Two generators in different states gave the same crops: draw from `rng`."
    return None


RANDOM_CROP = Exercise(
    title="Random crops",
    functions=(random_crop,),
    exact=False,
    task=r"""
Cut a window of `size` by `size` pixels out of each image of `images` $(N, H, W, C)$: the result is
$(N, \text{size}, \text{size}, C)$. Images need not be square. The upper left corner is drawn for each image by
itself, and every place where the window fits is equally likely:

$$P(\text{corner} = (a, b)) = \frac{1}{(H - \text{size} + 1)(W - \text{size} + 1)}, \qquad
0 \le a \le H - \text{size},\quad 0 \le b \le W - \text{size}$$

All draws come from `rng`, a `numpy.random.Generator`. No loops.""",
    hints=(
        "Draw N rows and N columns. How many places are there along an axis of length H: H − size, or one more? "
        "Then one indexing operation takes all windows at once.",
        r"With images $x$, the result is $y_{nij} = x_{n,\, a_n + i,\, b_n + j}$ (translations: Krizhevsky et al. "
        "2012, section 4.1). "
        "Three index arrays that broadcast to (N, size, size) say this.",
        "`a = rng.integers(H - size + 1, size=N)` (the end is excluded), `b` likewise; `rows = a[:, None] + "
        "np.arange(size)`; `images[np.arange(N)[:, None, None], rows[:, :, None], columns[:, None, :]]`.",
    ),
    why=r"""A window of `size` fits into $H$ pixels at $H - \text{size} + 1$ places, and `rng.integers(high)` leaves
`high` out: so `high` is that count. With one less, the last row and column are never in a crop, which no test of
shapes notices, and a crop of the whole size raises an error. One corner for the whole batch is the other mistake:
every image is then moved alike.""",
    difficulty=2,
    minutes=15,
    cases=crop_cases,
    checks=(
        Check("windows", windows_of_the_images),
        Check("places", every_place),
        Check("many places", many_places),
        Check("draws", crops_from_rng),
        Check("whole images", whole_images),
    ),
    speed=lambda rng: {"images": rng.normal(size=(20_000, 6, 6, 1)), "size": 4, "rng": np.random.default_rng(0)},
    wrong=(
        Wrong(
            "last place left out",
            {"room + 1, size": "room, size"},
            "that never chooses the last place: `rng.integers` leaves its end out",
        ),
        Wrong(
            "one place for all",
            {"rng.integers(room + 1, size=(len(images), 2))": "np.tile(rng.integers(room + 1), (len(images), 1))"},
            "that crops all images at the same place",
        ),
        Wrong(
            "on the diagonal",
            {
                "rng.integers(room + 1, size=(len(images), 2))": "np.repeat(rng.integers(room.min() + 1, "
                "size=(len(images), 1)), 2, axis=1)"
            },
            "that draws one number for rows and columns",
        ),
        Wrong(
            "height for width",
            {"images.shape[1:3]": "(images.shape[1], images.shape[1])"},
            "that takes images for square",
            crashes=True,
        ),
        Wrong(
            "rows and columns exchanged",
            {"rows[:, :, None], columns[:, None, :]": "rows[:, None, :], columns[:, :, None]"},
            "that transposes its windows",
        ),
        Wrong(
            "always the middle",
            {"rng.integers(room + 1, size=(len(images), 2))": "np.tile(room // 2, (len(images), 1))"},
            "that crops in the middle",
        ),
        Wrong(
            "its own draws",
            {"rng.integers(room": "np.random.default_rng().integers(room"},
            "that does not draw from `rng`",
        ),
    ),
    right=(
        Right(
            "a view of all windows",
            """
            import numpy as np

            def random_crop(images, size, rng):
                views = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
                n, down, across = views.shape[:3]
                place = rng.integers(0, down * across - 1, size=n, endpoint=True)
                chosen = views[np.arange(n), place // across, place % across]
                return np.moveaxis(chosen, 1, -1)
            """,
        ),
        Right(
            "flat indices and uniform numbers",
            """
            import numpy as np

            def random_crop(images, size, rng):
                N, H, W, C = images.shape
                a, b = (np.floor(rng.random(N) * (n - size + 1)).astype(int) for n in (H, W))
                corner = (np.arange(N) * H + a) * W + b
                window = np.add.outer(W * np.arange(size), np.arange(size))
                return images.reshape(-1, C).take(np.add.outer(corner, window), axis=0)
            """,
        ),
    ),
)


def shift_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"images": rng.normal(size=(1, 1, 1, 1)), "offsets": np.array([[0.25, 0.0]])}
    yield {"images": rng.normal(size=(1, 2, 2, 1)), "offsets": np.array([[0.0, 0.3]])}
    yield {"images": rng.normal(size=(1, 2, 2, 1)), "offsets": np.array([[1.0, 0.0]])}
    yield {"images": rng.normal(size=(1, 3, 3, 1)), "offsets": np.array([[-0.75, 0.5]])}
    yield {"images": rng.normal(size=(2, 3, 3, 2)), "offsets": rng.uniform(-0.5, 0.5, size=(2, 2))}
    yield {"images": rng.normal(size=(4, 4, 4, 1)), "offsets": rng.uniform(-2, 2, size=(4, 2))}
    yield {"images": rng.normal(size=(3, 5, 5, 3)), "offsets": np.array([[2.0, -1.0], [0.0, 0.0], [-3.0, 4.0]])}
    yield {"images": rng.normal(size=(2, 2, 2, 1)), "offsets": np.array([[5.5, 0.0], [0.0, -2.5]])}
    yield {"images": rng.normal(size=(1, 3, 3, 1)), "offsets": np.array([[-2.5, -1.5]])}
    yield {"images": rng.normal(size=(1, 3, 3, 1)), "offsets": np.array([[-2.0, 0.0]])}


FOUR_CORNERS = """
import numpy as np

def shift(images, offsets):
    N, S = images.shape[:2]
    n, a, b = np.ogrid[:N, :S, :S]
    row, column = a - offsets[:, 0, None, None], b - offsets[:, 1, None, None]
    top, left = np.floor(row).astype(int), np.floor(column).astype(int)

    def corner(r, s, weight):
        inside = (r >= 0) & (r < S) & (s >= 0) & (s < S)
        return (inside * weight)[..., None] * images[n, r.clip(0, S - 1), s.clip(0, S - 1)]

    f, g = row - top, column - left
    y = corner(top, left, (1 - f) * (1 - g)) + corner(top + 1, left, f * (1 - g))
    y = y + corner(top, left + 1, (1 - f) * g) + corner(top + 1, left + 1, f * g)
    return y.astype(images.dtype)
"""

SHIFT = Exercise(
    title="Moving images by fractions of a pixel",
    functions=(shift,),
    task=r"""
Move each of the square `images` $(N, S, S, C)$ down and right by its row of `offsets` $(N, 2)$, which may be
negative and need not be whole. Between pixels the image is interpolated linearly along each axis, and outside it is
0:

$$y_{n a b c} = \sum_{r, s}\; \Lambda(a - u_n - r)\; \Lambda(b - v_n - s)\; x_{n r s c}, \qquad
\Lambda(t) = \max(0,\ 1 - |t|)$$

where $(u_n, v_n)$ are the offsets of image $n$. The result has the shape of `images`. No loops.""",
    hints=(
        "What comes to stand at row a was at row a − u. If that lies between two rows, how much of each? The same for "
        "columns, one axis after the other. Do not forget what comes in from outside.",
        r"With $a - u = m + f$, $m = \lfloor a - u \rfloor$ and $0 \le f < 1$, only two terms are left: "
        r"$(1 - f)\, x_m + f\, x_{m+1}$ (bilinear interpolation; the moves: Krizhevsky et al. 2012, section 4.1).",
        "Either pad with zeros, take the window of S + 1 pixels that begins at the whole part, and mix neighbours: "
        "`(1 - f) * w[:, :-1] + f * w[:, 1:]`. Or build weights (N, S, S) with `np.maximum(0, 1 - abs(…))`, for rows "
        "and for columns, and multiply from both sides.",
    ),
    why=r"""Of all $\Lambda(a - u - r)$ at most two are not 0, those of the rows on either side of $a - u$, and
their weights $1 - f$ and $f$ add up to 1. Rounding down must be `floor`: `int` and `astype(int)` round towards 0,
which is wrong for negative positions. Reading at $a + u$ moves the image the other way: what moves *down* by $u$ is
read $u$ *higher*.""",
    difficulty=3,
    minutes=25,
    cases=shift_cases,
    checks=(
        special(
            "far away",
            lambda rng: [{"images": rng.normal(size=(2, 2, 2, 1)), "offsets": np.array([[9.0, 0], [0, -7.3]])}],
        ),
    ),
    speed=lambda rng: {"images": rng.normal(size=(4000, 8, 8, 1)), "offsets": rng.uniform(-0.5, 0.5, size=(4000, 2))},
    equivalent={
        "pad_image: 2 → 3": "A wider frame: what lies beyond is never read.",
        "pad_image: 2 → 3 (2)": "A wider frame: what lies beyond is never read.",
        "pad_image: padded[:, ph:ph + H, pw:pw + W] = x → padded[:, ph:ph + H, pw:pw + W] += x": (
            "The frame is made of zeros."
        ),
        "pad_image: (:, ph:ph + H, pw:pw + W) → (:, pw:pw + W, ph:ph + H)": "Images and frame are square here.",
        "shift: 1 → 2": "It is an axis of a square image.",
        "shift: math.ceil(float(np.abs(offsets).max(initial=0))) → math.floor(float(np.abs(offsets).max(initial=0)))": (
            "One pixel more is added: for a fraction the next whole number is wide enough."
        ),
        "shift: np.abs(offsets).max(initial=0) → np.abs(offsets).max()": (
            "The initial value serves a batch without images, which is not asked for."
        ),
        "shift: 0 → 1": "A frame wider than it need be.",
        "shift: 1 → 2 (2)": "A frame wider than it need be.",
        "shift: np.floor(start) → start": "Starts are positive: to turn them into integers cuts off the same.",
    },
    wrong=(
        Wrong("the other way", {"start = reach - offsets": "start = reach + offsets"}, "that moves up and left"),
        Wrong(
            "whole pixels only",
            {"start = reach - offsets": "start = reach - np.round(offsets)"},
            "that rounds the offsets to whole pixels",
        ),
        Wrong(
            "rounded towards 0",
            FOUR_CORNERS.replace("np.floor(row).astype(int), np.floor(column)", "row.astype(int), column"),
            "that rounds positions towards 0 where it should round down: those just outside the image come out wrong",
        ),
        Wrong(
            "neighbours exchanged",
            {
                "(1 - part[:, 0]) * window[:, :-1] + part[:, 0] * window[:, 1:]": "part[:, 0] * window[:, :-1]"
                " + (1 - part[:, 0]) * window[:, 1:]",
                "(1 - part[:, 1]) * window[:, :, :-1] + part[:, 1] * window[:, :, 1:]": "part[:, 1] * window[:, :, :-1]"
                " + (1 - part[:, 1]) * window[:, :, 1:]",
            },
            "that exchanges the weights of the two neighbours",
        ),
        Wrong(
            "axes exchanged",
            {"start = reach - offsets": "start = reach - offsets[:, ::-1]"},
            "that takes the first offset for the horizontal one",
        ),
        Wrong(
            "one axis only",
            {"(1 - part[:, 1]) * window[:, :, :-1] + part[:, 1] * window[:, :, 1:]": "window[:, :, :-1]"},
            "that interpolates along the rows' axis only",
        ),
        Wrong(
            "the first offset for all",
            {"start = reach - offsets": "start = reach - np.repeat(offsets[:1], len(images), axis=0)"},
            "that moves all images by the first offset",
        ),
        Wrong(
            "edges repeated",
            {
                "crop(pad_image(images, reach), whole": "crop(np.pad(images, ((0, 0), (reach, reach), (reach, reach), "
                "(0, 0)), mode='edge'), whole"
            },
            "that repeats the edge, where zeros should come in",
        ),
        Wrong(
            "round and round",
            {
                "crop(pad_image(images, reach), whole": "crop(np.pad(images, ((0, 0), (reach, reach), (reach, reach), "
                "(0, 0)), mode='wrap'), whole"
            },
            "that brings in on one side what leaves on the other",
        ),
    ),
    right=(
        Right(
            "two matrices of weights",
            """
            import numpy as np

            def shift(images, offsets):
                steps = np.arange(images.shape[1])
                apart = np.subtract.outer(steps, steps)  # a - r
                weights = np.clip(1 - np.abs(apart - offsets[:, :, None, None]), 0, None).astype(images.dtype)
                return np.einsum("nar,nbs,nrsc->nabc", weights[:, 0], weights[:, 1], images, optimize=True)
            """,
        ),
        Right(
            "four corners, and zero outside",
            FOUR_CORNERS,
        ),
    ),
)
