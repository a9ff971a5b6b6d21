"""All exercises, found in the lessons' folders."""

import difflib
import functools
import inspect

from groundup.errors import UserError
from groundup.lesson import Lesson
from groundup.lessons import all_lessons
from groundup.practice.exercise import Exercise
from groundup.practice.found import exercises_in


@functools.cache
def all_exercises() -> tuple[Exercise, ...]:
    """Every exercise with a name of its own: the lessons in reading order, in each the easy ones first."""
    return tuple(owners[0] for owners in _by_name().values() if len(owners) == 1)


def clashes() -> list[str]:
    """A sentence for each name that several exercises have: all of them are left out until one is renamed."""
    return [_clash(name) for name, owners in _by_name().items() if len(owners) > 1]


@functools.cache
def _by_name() -> dict[str, list[Exercise]]:
    found: dict[str, list[Exercise]] = {}
    for lesson in all_lessons():
        for exercise in exercises_in(f"{lesson.package}.exercises"):
            found.setdefault(exercise.name, []).append(exercise)
    return found


def _clash(name: str) -> str:
    files = [inspect.getsourcefile(exercise.cases) for exercise in _by_name()[name]]
    return f"Exercises of one name, {name!r}, are left out until each has its own: {' and '.join(map(str, files))}"


def lesson_exercises(lesson: Lesson) -> tuple[Exercise, ...]:
    """Those of one lesson."""
    return tuple(exercise for exercise in all_exercises() if exercise.folder == lesson.folder.name)


def lesson_of(exercise: Exercise) -> Lesson:
    """The lesson that an exercise belongs to."""
    return next(lesson for lesson in all_lessons() if lesson.folder.name == exercise.folder)


def find_exercise(name: str) -> Exercise:
    """The exercise of that name, or with that unique beginning. Raises UserError with the nearest name otherwise."""
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    known = {exercise.name: exercise for exercise in all_exercises()}
    if wanted in known:
        return known[wanted]
    if wanted in _by_name():
        raise UserError(_clash(wanted))
    begun = [one for one in known if wanted and one.startswith(wanted)]
    if len(begun) == 1:
        return known[begun[0]]
    if begun:
        raise UserError(f"{name!r} could be {' or '.join(begun)}: write a little more.")
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "see `groundup practice list`."
    raise UserError(f"There is no exercise {name!r}: {hint}")
