"""The 1,797 handwritten digits, 8 x 8: real pictures that fit in 43 kB.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, doi 10.24432/C50P49, CC BY 4.0. Each pixel counts the ink in a 4 x 4 block of a 32 x 32
scan: 0 to 16.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from groundup.data.files import package_data


class Digits(NamedTuple):
    images: NDArray[Any]  # (count, 8, 8), 0 is paper and 1 is ink
    labels: NDArray[np.int64]  # (count,), 0 to 9


class DigitParts(NamedTuple):
    train: Digits
    validation: Digits
    test: Digits


def load_digits(dtype: DTypeLike = np.float32) -> Digits:
    """Return all digits in the order of the source: images (1797, 8, 8) in 0..1, labels (1797,)."""
    planes = np.frombuffer(package_data("digits.gz"), dtype=np.uint8).reshape(65, 1797)
    images = planes[:64].T.reshape(1797, 8, 8).astype(dtype) / np.asarray(16, dtype)
    return Digits(images, planes[64].astype(np.int64))


def split_digits(
    digits: Digits, validation: float = 0.1, test: float = 0.2, seed: int | np.random.Generator = 1998
) -> DigitParts:
    """Deal the digits out at random to training, validation and test, each label in the same proportions.

    validation, test: shares of each label. seed: fixes the split; leave it alone when a run's own seed
    changes, so that all runs are measured on the same digits, or pass the run's generator to draw a new split
    as well.

    The digits are the *test* file of the source: 13 writers, none of them in its training file, neighbours
    in the file by the same hand. A cut in the middle would hold out writers, which is another and harder
    question; dealt out at random, held-out digits come from the same distribution as those trained on.
    """
    if not (validation >= 0 and test >= 0 and validation + test < 1):
        raise ValueError(f"shares must be >= 0 and leave something to train on: {validation=}, {test=}")
    rng = np.random.default_rng(seed)
    parts: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for label in np.unique(digits.labels):
        members = rng.permutation(np.flatnonzero(digits.labels == label))
        count_test, count_validation = round(len(members) * test), round(len(members) * validation)
        cuts = [count_test, count_test + count_validation]
        for part, chosen in zip(parts, np.split(members, cuts), strict=True):
            part.append(chosen)
    # Back in the order of the file, so that no part is sorted by label.
    test_rows, validation_rows, train_rows = (np.sort(np.concatenate(part)) for part in parts)
    return DigitParts(
        *(Digits(digits.images[rows], digits.labels[rows]) for rows in (train_rows, validation_rows, test_rows))
    )


def hold_out_writers(digits: Digits, test: float = 0.2) -> tuple[Digits, Digits]:
    """Digits to train on, and the last ``test`` of the source's file: written by other hands.

    One writer's digits follow one another there, so that at most one hand is on both sides of the cut.
    Raises ValueError for a share that leaves nothing on one side.
    """
    cut = round(len(digits.labels) * (1 - test))
    if not 0 < cut < len(digits.labels):
        raise ValueError(f"a share between 0 and 1 must be left on both sides, not {test}")
    return Digits(digits.images[:cut], digits.labels[:cut]), Digits(digits.images[cut:], digits.labels[cut:])
