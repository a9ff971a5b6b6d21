"""Pictures: digits or the user's own, their augmentation, and the views that a test averages over."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from groundup.data.digits import Digits, load_digits, split_digits
from groundup.data.images import load_image_folder
from groundup.lessons.p07_alexnet.model import colour_components, crop, random_colour, random_crop, random_flip, shift
from groundup.ops.types import Array

FARTHEST = 0.5  # pixels a digit is shifted by: of 8, what the paper's 16 of 256 are


class Part(NamedTuple):
    images: Array  # (count, S, S, C), 0..1
    labels: Array


class Data(NamedTuple):
    """Pictures to train on, to choose with and to measure with, and what augmentation and centring need."""

    train: Part
    validation: Part
    test: Part
    mean: Array  # (C,), of the training pixels
    components: tuple[Array, Array]  # of the training pixels' colours
    photos: bool  # may be cropped and mirrored
    size: int  # pixels that the network sees


def load_data(
    folder: Any, most: int | None, rng: np.random.Generator, say: Callable[[str], None] = lambda text: None
) -> Data:
    """The digits, or the user's pictures: 70/10/20 % or 60/20/20 % of every class to train, choose and measure."""
    if folder is None:
        digits = load_digits()
        parts = split_digits(Digits(digits.images[..., None], digits.labels))
    else:
        found = load_image_folder(folder, most=most, say=say)
        rows = np.arange(len(found.labels)) if most is None else rng.permutation(len(found.labels))
        parts = split_digits(Digits(found.images[rows], found.labels[rows]), 0.2, 0.2)
    train, validation, test = (Part(part.images, part.labels) for part in parts)
    photos = train.images.shape[3] == 3
    size = train.images.shape[1] * 7 // 8 if photos else train.images.shape[1]  # the paper: 224 of 256
    mean = train.images.mean(axis=(0, 1, 2))
    return Data(train, validation, test, mean, colour_components(train.images), photos, size)


def augment(images: Array, data: Data, rng: np.random.Generator) -> Array:
    """Section 4.1. Photographs are cropped, mirrored, recoloured; digits shifted and lightened, never mirrored."""
    if data.photos:
        images = random_flip(random_crop(images, data.size, rng), rng)
    else:
        images = shift(images, rng.uniform(-FARTHEST, FARTHEST, size=(len(images), 2)))
    return random_colour(images, data.components, rng)


def views(images: Array, data: Data) -> list[Array]:
    """The middle first, then the four corners (shifts, for digits), and for photographs all five mirrored."""
    count = (len(images), 2)
    if data.photos:
        room = images.shape[1] - data.size
        places = [(room // 2, room // 2), (0, 0), (0, room), (room, 0), (room, room)]
        five = [crop(images, np.broadcast_to(place, count), data.size) for place in places]
        return [*five, *(view[:, :, ::-1] for view in five)]
    d = FARTHEST / 2
    moves = [(d, d), (d, -d), (-d, d), (-d, -d)]
    return [images, *(shift(images, np.broadcast_to(move, count)) for move in moves)]


def nearest_labels(data: Data, images: Array) -> Array:
    """(N,): for each picture the label of the nearest training picture, by Euclidean distance of pixels."""
    known = data.train.images.reshape(len(data.train.labels), -1)
    squares = np.vecdot(known, known)
    nearest = [
        (squares - 2 * images[start : start + 256].reshape(-1, known.shape[1]) @ known.T).argmin(axis=1)
        for start in range(0, len(images), 256)
    ]
    return data.train.labels[np.concatenate(nearest)]


def moved(images: Array, rng: np.random.Generator) -> Array:
    """Each picture moved by one pixel, up, down, left or right at random; what comes in is empty."""
    steps = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)], float)
    return shift(images, steps[rng.integers(4, size=len(images))])
