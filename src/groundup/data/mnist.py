"""10,000 handwritten digits of 28 x 28 pixels: real pictures, 1.6 MB.

Source: Y. LeCun and C. Cortes, the MNIST database of handwritten digits, CC BY-SA 3.0. Which hand wrote which digit is
not known here, so that one writer's digits may be on both sides of a split.
"""

import numpy as np
from numpy.typing import DTypeLike

from groundup.data.digits import DigitParts, Digits
from groundup.data.files import package_data


def load_mnist(dtype: DTypeLike = np.float32) -> Digits:
    """Return all digits, shuffled once and for all: images (10000, 28, 28) in 0..1, labels (10000,)."""
    content = np.frombuffer(package_data("mnist10k.gz"), dtype=np.uint8)
    images, labels = content[: 10_000 * 784], content[10_000 * 784 :]
    return Digits(images.reshape(-1, 28, 28).astype(dtype) / np.asarray(255, dtype), labels.astype(np.int64))


def split_mnist(digits: Digits, validation: int = 1000, test: int = 3000) -> DigitParts:
    """Cut the shuffled digits: the last ``test`` of them, before these ``validation``, and the rest to train on.

    Raises ValueError if nothing is left to train on, or a count is negative.
    """
    first, last = len(digits.labels) - validation - test, len(digits.labels) - test
    if first < 1 or validation < 0 or test < 0:
        raise ValueError(f"{validation=} and {test=} of {len(digits.labels)} digits leave nothing to train on")
    parts = (slice(0, first), slice(first, last), slice(last, None))
    return DigitParts(*(Digits(digits.images[rows], digits.labels[rows]) for rows in parts))
