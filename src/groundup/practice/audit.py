"""The audit: wrong variants, mutants and the starter must be refused, right variants and the solution accepted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from groundup.practice.exercise import Exercise, Wrong
from groundup.practice.grading.diagnose import sentence
from groundup.practice.grading.grader import grade
from groundup.practice.grading.verdict import Verdict
from groundup.practice.mutants import Score, score
from groundup.practice.regions import Regions, regions
from groundup.practice.registry import all_exercises
from groundup.practice.starter import changed, solution, starter


@dataclass(frozen=True)
class Tried:
    """One answer that was graded, and whether the grader did with it what it should.

    kind  "starter", "solution", "wrong" or "right"
    """

    exercise: str
    kind: Literal["starter", "solution", "wrong", "right"]
    name: str
    verdict: Verdict
    as_should: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "exercise": self.exercise,
            "kind": self.kind,
            "name": self.name,
            "as_should": self.as_should,
            "verdict": self.verdict.as_dict(),
        }


@dataclass(frozen=True)
class Row:
    """A line of the audit's table."""

    exercise: Exercise
    tried: tuple[Tried, ...]
    score: Score | None = None
    regions: Regions = field(default_factory=dict)

    def count(self, kind: str) -> tuple[int, int]:
        """How many answers of this kind were tried, and how many were graded as they should be."""
        found = [one for one in self.tried if one.kind == kind]
        return len(found), sum(one.as_should for one in found)

    @property
    def passed(self) -> bool:
        """Whether all were, and no mutant is unaccounted for."""
        return all(one.as_should for one in self.tried) and (self.score is None or self.score.passed)


def audit_exercise(exercise: Exercise, seed: int = 0, in_process: bool = False) -> Row:
    """Grade starter, solution, variants and mutants of one exercise. They are ours: ``in_process`` saves processes."""
    return Row(exercise, tuple(tries(exercise, seed, in_process)), score(exercise, seed), regions(exercise, seed))


def tries(exercise: Exercise, seed: int, in_process: bool) -> Iterator[Tried]:
    """One after the other."""
    verdict = grade(exercise, starter(exercise), seed, in_process=in_process)
    yield Tried(exercise.name, "starter", "starter", verdict, verdict.status == "unwritten")
    verdict = grade(exercise, solution(exercise), seed, in_process=in_process)
    yield Tried(exercise.name, "solution", "solution", verdict, verdict.passed)
    for wrong in exercise.wrong:
        verdict = grade(exercise, changed(exercise, wrong), seed, in_process=in_process)
        yield Tried(exercise.name, "wrong", wrong.name, verdict, refused(wrong, verdict))
    for right in exercise.right:
        verdict = grade(exercise, changed(exercise, right), seed, in_process=in_process)
        yield Tried(exercise.name, "right", right.name, verdict, verdict.passed)


def refused(wrong: Wrong, verdict: Verdict) -> bool:
    """Whether a wrong variant was refused for the right reason: not because it breaks, and not as another mistake."""
    told = verdict.diagnosis in ("", sentence(wrong.diagnosis))
    return verdict.status in ("wrong", "refused", *(["error"] if wrong.crashes else [])) and told


def audit(exercises: Iterable[Exercise] | None = None, seed: int = 0) -> Iterator[Row]:
    """A row for each exercise, as it is done; for all of them if none are named."""
    for exercise in all_exercises() if exercises is None else exercises:
        yield audit_exercise(exercise, seed)
