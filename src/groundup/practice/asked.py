"""What one check asks of an exercise's solution: every call with its arguments, every upstream gradient."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from groundup.practice.exercise import Arguments, Exercise
from groundup.practice.grading.grader import State, checks
from groundup.practice.grading.process import InProcess
from groundup.practice.grading.subject import Answer, Remote
from groundup.practice.starter import solution


@dataclass
class Seen:
    """What was asked: the arguments of each call by name, its value, and the upstream gradients."""

    exercise: Exercise
    calls: list[tuple[Arguments, Any]] = field(default_factory=list)
    pulls: list[tuple[Any, ...]] = field(default_factory=list)

    def arrays(self, kinds: str = "biuf") -> list[np.ndarray]:
        """All arrays among the arguments, of these kinds."""
        return [a for arguments, _ in self.calls for a in leaves(arguments) if a.dtype.kind in kinds]


class Recorder(Remote):
    """The solution, run here, and what it is asked."""

    def __init__(self, exercise: Exercise) -> None:
        super().__init__(exercise, InProcess())
        self.seen = Seen(exercise)

    def __call__(self, **arguments: Any) -> Answer:
        got = super().__call__(**arguments)
        self.seen.calls.append((arguments, got.value))
        pull = got.pull

        def noted(*upstream: Any) -> Any:
            self.seen.pulls.append(upstream)
            return pull(*upstream)

        got.pull = noted
        return got


def asked_of(exercise: Exercise, seed: int = 0) -> Seen:
    """All that one check asks of the solution."""
    answer = Recorder(exercise)
    try:
        answer.load(solution(exercise))
        with np.errstate(all="ignore"):
            for name, check in checks(exercise, answer, seed, State()):
                if name != "speed":
                    check()
    finally:
        answer.worker.close()
    if exercise.speed:
        answer.seen.calls.append((exercise.speed(np.random.default_rng(seed)), None))
    return answer.seen


def leaves(value: Any) -> Iterator[np.ndarray]:
    """The arrays of a tree."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        yield value
