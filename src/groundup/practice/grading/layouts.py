"""The same numbers, otherwise in memory: an answer that reads arrays as flat memory is found out."""

from typing import Any

from groundup.practice.exercise import Exercise
from groundup.practice.grading.trees import mapped_arrays
from groundup.practice.grading.wire import laid_out

WORDS = {
    "Fortran": "columns first in memory, as Fortran has them",
    "strided": "every other number of a larger array",
    "reversed": "views that run backwards through memory",
}


def layouts_for(exercise: Exercise) -> tuple[str, ...]:
    """The layouts that an answer has to take: PyTorch has no tensors that run backwards."""
    return ("Fortran", "strided") if exercise.track == "torch" else tuple(WORDS)


def in_layout(value: Any, layout: str) -> Any:
    """A tree with every array in this layout."""
    return mapped_arrays(value, lambda array: laid_out(array, layout))
