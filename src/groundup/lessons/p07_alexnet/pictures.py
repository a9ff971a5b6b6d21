"""Pictures: digits or the user's own, their augmentation, and the views that a test averages over."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from groundup.data.digits import Digits, split_digits
from groundup.data.images import load_image_folder
from groundup.data.mnist import load_mnist, split_mnist
from groundup.lessons.p07_alexnet.model import colour_components, crop, random_colour, random_crop, random_flip, shift
from groundup.ops.types import Array

FARTHEST = 1 / 14  # of a picture's width is how far digits are moved: 2 pixels of 28; the paper's 16 of 256 are 1.75


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
    """6,000, 1,000 and 3,000 digits to train, choose, measure; of the user's pictures 60/20/20 % of each class."""
    if folder is None:
        digits = load_mnist()
        parts = split_mnist(Digits(digits.images[..., None], digits.labels))
    else:
        found = load_image_folder(folder, most=most, say=say)
        rows = np.arange(len(found.labels)) if most is None else rng.permutation(len(found.labels))
        parts = split_digits(Digits(found.images[rows], found.labels[rows]), 0.2, 0.2)
    train, validation, test = (Part(part.images, part.labels) for part in parts)
    photos = train.images.shape[3] == 3
    size = train.images.shape[1] * 7 // 8 if photos else train.images.shape[1]  # the paper: 224 of 256
    mean = train.images.mean(axis=(0, 1, 2))
    return Data(train, validation, test, mean, colour_components(train.images), photos, size)


def augment(images: Array, data: Data, rng: np.random.Generator, farthest: float = FARTHEST) -> Array:
    """Section 4.1. Photographs are cropped, mirrored, recoloured; digits shifted and lightened, never mirrored.

    farthest: how far digits are shifted each way, as a share of their width.
    """
    if data.photos:
        images = random_flip(random_crop(images, data.size, rng), rng)
    else:
        most = farthest * data.size
        images = shift(images, rng.uniform(-most, most, size=(len(images), 2)))
    return random_colour(images, data.components, rng)


def middle(images: Array, data: Data) -> Array:
    """What the network sees of pictures that are not augmented: the middle of photographs, digits as they are."""
    room = images.shape[1] - data.size
    return crop(images, np.full((len(images), 2), room // 2), data.size) if room else images


def views(images: Array, data: Data) -> list[Array]:
    """The middle first, then the four corners (shifts, for digits), and for photographs all five mirrored."""
    count = (len(images), 2)
    if data.photos:
        room = images.shape[1] - data.size
        places = [(room // 2, room // 2), (0, 0), (0, room), (room, 0), (room, room)]
        five = [crop(images, np.broadcast_to(place, count), data.size) for place in places]
        return [*five, *(view[:, :, ::-1] for view in five)]
    d = FARTHEST * data.size / 2
    moves = [(d, d), (d, -d), (-d, d), (-d, -d)]
    return [images, *(shift(images, np.broadcast_to(move, count)) for move in moves)]


def moved(images: Array, distance: float, rng: np.random.Generator) -> Array:
    """Each picture moved by ``distance`` pixels, up, down, left or right at random; what comes in is empty."""
    steps = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)], float)
    return shift(images, distance * steps[rng.integers(4, size=len(images))])
