"""All exercises, found in the lessons' folders."""

import difflib
import functools

from groundup.errors import UserError
from groundup.lesson import Lesson
from groundup.lessons import all_lessons
from groundup.practice.exercise import Exercise
from groundup.practice.found import exercises_in


@functools.cache
def all_exercises() -> tuple[Exercise, ...]:
    """Every exercise: the lessons in reading order, in each the easy ones first."""
    found: dict[str, Exercise] = {}
    for lesson in all_lessons():
        for exercise in lesson_exercises(lesson):
            if exercise.name in found:
                raise ValueError(
                    f"two exercises are called {exercise.name!r}: {exercise.folder} and {found[exercise.name].folder}"
                )
            found[exercise.name] = exercise
    return tuple(found.values())


def lesson_exercises(lesson: Lesson) -> tuple[Exercise, ...]:
    """The exercises of one lesson."""
    return exercises_in(f"{lesson.package}.exercises")


def lesson_of(exercise: Exercise) -> Lesson:
    """The lesson that an exercise belongs to."""
    return next(lesson for lesson in all_lessons() if lesson.folder.name == exercise.folder)


def find_exercise(name: str) -> Exercise:
    """The exercise of that name, or with that unique beginning. Raises UserError with the nearest name otherwise."""
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    known = {exercise.name: exercise for exercise in all_exercises()}
    if wanted in known:
        return known[wanted]
    begun = [one for one in known if wanted and one.startswith(wanted)]
    if len(begun) == 1:
        return known[begun[0]]
    if begun:
        raise UserError(f"{name!r} could be {' or '.join(begun)}: write a little more.")
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "see `groundup practice list`."
    raise UserError(f"There is no exercise {name!r}: {hint}")
