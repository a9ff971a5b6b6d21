"""What the commands and watch mode have in common: order, starting, checking."""

from collections.abc import Iterable
from pathlib import Path

from groundup import show
from groundup.lesson import Lesson
from groundup.lessons import all_lessons
from groundup.practice import answers, progress
from groundup.practice.exercise import Exercise
from groundup.practice.grading.verdict import Verdict
from groundup.practice.registry import all_exercises
from groundup.practice.store import Exercises


def ordered() -> list[Exercise]:
    """All exercises: by lesson, then by difficulty."""
    places = {lesson.folder.name: place for place, lesson in enumerate(all_lessons())}
    return sorted(all_exercises(), key=lambda one: (places[one.folder], one.difficulty))


def grouped(exercises: Iterable[Exercise]) -> list[tuple[Lesson, list[Exercise]]]:
    """The lessons that have some of these exercises, each with its own."""
    exercises = list(exercises)
    groups = [(lesson, [one for one in exercises if one.folder == lesson.folder.name]) for lesson in all_lessons()]
    return [(lesson, own) for lesson, own in groups if own]


def upcoming(kept: Exercises, but: Exercise | None = None) -> Exercise | None:
    """The next exercise to solve that can run here, other than ``but``."""
    torch = show.has("torch")
    return progress.next_unsolved(
        kept, (one for one in ordered() if one is not but and (torch or one.track != "torch"))
    )


def demand_track(exercise: Exercise) -> None:
    """Raise UserError with the command that brings PyTorch, if the exercise needs it and it is missing."""
    if exercise.track == "torch":
        show.demand("torch", f"The exercise {exercise.name}")


def begin(exercise: Exercise, path: Path) -> bool:
    """Write the file if there is none and start the clock; whether a file was written."""
    demand_track(exercise)
    written = answers.write_fresh(exercise, path)
    progress.start(exercise)
    return written


def grade_file(exercise: Exercise, path: Path, seed: int | None = None) -> Verdict:
    """Grade a file, on new arguments unless a seed is named."""
    from groundup.practice.grading.grader import grade

    demand_track(exercise)
    return grade(exercise, answers.read(path), seed)


def check_file(exercise: Exercise, path: Path, seed: int | None = None) -> tuple[Verdict, progress.Attempt]:
    """The same, and the outcome is kept."""
    verdict = grade_file(exercise, path, seed)
    return verdict, progress.record(exercise, verdict.status, verdict.check)
