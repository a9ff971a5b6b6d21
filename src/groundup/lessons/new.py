"""A new lesson: a folder in the right form that works at once, for its author to replace piece by piece."""

import keyword
import re
from pathlib import Path

from groundup.errors import UserError
from groundup.files import write_whole
from groundup.lessons import all_lessons

LESSONS = Path(__file__).parent
TEMPLATE = LESSONS / "template"
NUMBER = re.compile(r"\d\d|m\d\d")


def new_lesson(names: list[str], title: str | None = None, lessons: Path = LESSONS) -> list[Path]:
    """Write the folder of ``["03", "lstm"]``, or of ``["optimizers"]`` for a lesson that stands alone. Its files.

    Raises UserError outside a checkout, for a number or name that is taken or has another form.
    """
    if not (lessons.parents[2] / "pyproject.toml").is_file():
        raise UserError("New lessons are made in a checkout of groundup, and this is an installed package.")
    *numbers, slug = names
    number = numbers[0] if numbers else ""
    if len(numbers) > 1 or (number and not NUMBER.fullmatch(number)):
        raise UserError(f"Write a number of two digits and a name, or a name alone: 03 lstm, not {' '.join(names)}.")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug) or keyword.iskeyword(slug) or slug in ("new", "template"):
        raise UserError(f"A lesson's name is small letters, digits and _, and begins with a letter: not {slug!r}.")
    title = slug.replace("_", " ").capitalize() if title is None else " ".join(title.split())
    if not title or '"' in title or "\\" in title:
        raise UserError(f'A title is a line of text without " and \\: not {title!r}.')
    for lesson in all_lessons():
        for mine, taken in ((number, lesson.number), (slug, lesson.slug)):
            if mine and mine == taken:
                raise UserError(f"{mine} is taken: {lesson.name} is in {lesson.folder}.")
    folder = lessons / (f"p{number}_{slug}" if NUMBER.fullmatch(number) else slug)
    if folder.exists():
        raise UserError(f"{folder} is there already.")
    words = {"FOLDER": folder.name, "NUMBER_OR_SLUG": number or slug, "NUMBER": number, "SLUG": slug, "TITLE": title}
    words["NAME"] = f"{number} {slug}".strip()
    written = []
    for source in sorted(TEMPLATE.rglob("*.txt")):
        text = re.sub(r"@([A-Z_]+)@", lambda found: words[found[1]], source.read_text(encoding="utf-8"))
        written.append(folder / source.relative_to(TEMPLATE).with_suffix(""))
        write_whole(written[-1], text)
    return written
