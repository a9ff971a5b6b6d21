"""The map of lessons in README.md, written from the records: ``python -m groundup.reader.contents``."""

from collections.abc import Sequence
from pathlib import Path

from groundup.files import write_whole
from groundup.lesson import Lesson
from groundup.lessons import all_lessons

BEGIN, END = "<!-- lessons: made by `make readme` -->", "<!-- end of lessons -->"


def lesson_map(lessons: Sequence[Lesson]) -> str:
    """The lessons as a Markdown table: what is built, level, minutes, and what to read before."""
    rows = ["| lesson | what you build | level | minutes | needs |", "|---|---|---|---:|---|"]
    for lesson in lessons:
        link = f"[{lesson.name}](src/groundup/lessons/{lesson.folder.name}/lesson.py)"
        needs = ", ".join(lesson.needs) or "—"
        rows.append(f"| {link} | {lesson.summary} | {lesson.level} | {lesson.minutes} | {needs} |")
    return "\n".join(rows)


def with_map(readme: str, lessons: Sequence[Lesson]) -> str:
    """The README with the table between its two marks made anew."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{lesson_map(lessons)}\n{END}{after}"


if __name__ == "__main__":
    path = Path(__file__).resolve().parents[3] / "README.md"
    write_whole(path, with_map(path.read_text(), all_lessons()))
