"""All lessons, found by their folders. A folder with a ``LESSON`` in its ``__init__`` is a lesson."""

import difflib
import functools
import importlib
import pkgutil
import re
from collections.abc import Sequence

from groundup.errors import UserError
from groundup.lesson import Lesson


@functools.cache
def all_lessons() -> tuple[Lesson, ...]:
    """Every lesson, in reading order: those that stand alone come after the primer that they need."""
    found = [
        importlib.import_module(f"{__name__}.{item.name}") for item in pkgutil.iter_modules(__path__) if item.ispkg
    ]
    having = (module.LESSON for module in found if hasattr(module, "LESSON"))
    lessons = sorted(having, key=lambda lesson: (lesson.number or "00~", lesson.slug))
    return tuple(lessons)


def find_lesson(name: str) -> Lesson:
    """The lesson with this number, slug, folder name or unique beginning of one. Raises UserError otherwise.

    A number is a number: 2 and 02 are lesson 02 and never the beginning of 25; so are p2 and p02.
    """
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    lessons = all_lessons()
    number = re.fullmatch(r"([a-z]?)(\d+)", wanted)
    if number:
        prefix, value = number.groups()
        for lesson in lessons:
            known = re.match(r"([a-z])(\d+)_", lesson.folder.name)
            fits = known and int(known[2]) == int(value) and prefix in ("", known[1])
            if fits and (prefix or lesson.number.isdigit()):
                return lesson
        numbers = ", ".join(lesson.number for lesson in lessons if lesson.number)
        raise UserError(f"There is no lesson {name!r}: the numbers are {numbers}; see `groundup list`.")
    names = {
        lesson: [lesson.number, lesson.slug, lesson.folder.name, lesson.name.replace(" ", "_")] for lesson in lessons
    }
    exact = [lesson for lesson in lessons if wanted and wanted in names[lesson]]
    begun = [
        lesson for lesson in lessons if wanted and any(known.startswith(wanted) for known in names[lesson] if known)
    ]
    for matches in (exact, begun):
        if len(matches) == 1:
            return matches[0]
    if begun:
        raise UserError(f"{name!r} could be {' or '.join(lesson.slug for lesson in begun)}: write a little more.")
    slugs = [known for lesson in lessons for known in names[lesson] if known]
    near = difflib.get_close_matches(wanted, slugs, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "see `groundup list`."
    raise UserError(f"There is no lesson {name!r}: {hint}")


def find_lessons(names: Sequence[str]) -> tuple[Lesson, ...]:
    """The named lessons, or all of them if none is named."""
    return tuple(find_lesson(name) for name in names) if names else all_lessons()
