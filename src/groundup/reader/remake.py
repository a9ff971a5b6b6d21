"""Brings the data of lessons' pages up to date while somebody works on them; a process of its own.

``python -m groundup.reader.remake ROOT`` answers the questions of ``makers``. What it has imported it knows,
so it is started anew when a module changes, and kept while nothing but a lesson's text does.
``python -m groundup.reader.remake ROOT JOBS FOLDER…`` runs lessons and keeps their outputs.
"""

import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from groundup.errors import UserError
from groundup.reader import helper


def write(root: Path, names: Sequence[str] | None, what: str = "") -> list[str]:
    """Write build/site-data for the lessons of these folders, or for all, with the outputs that are kept.

    ``what`` is as ``Makers.make`` says. Returns the folders of those that are still to be run.
    """
    from groundup import show
    from groundup.lessons import all_lessons
    from groundup.notebooks.source_modules import Library
    from groundup.reader import data
    from groundup.reader.executed import built_notebooks, is_kept, last_outputs

    folder, cache, library = root / "build" / "site-data", root / "build" / "executed", Library()
    tracks = ("numpy", "torch") if show.has("torch") else ("numpy",)
    chosen, waiting = [lesson for lesson in all_lessons() if names is None or lesson.folder.name in names], []
    for lesson in chosen:
        built = built_notebooks(lesson, library)
        late = {
            track: track in tracks and not is_kept(lesson, track, notebook, cache) for track, notebook in built.items()
        }
        runs = {
            track: replace(last_outputs(lesson, track, notebook, cache), waiting=late[track])
            for track, notebook in built.items()
        }
        data.write_lesson(lesson, all_lessons(), runs, folder)
        if any(late.values()):
            waiting.append(lesson.folder.name)
    if what == "text":
        data.write_questions(chosen, folder)
    elif what != "search":
        data.write_contents(all_lessons(), folder, chosen if what == "front" else all_lessons())
    return waiting


def run(root: Path, names: Sequence[str], jobs: int = 1) -> None:
    """Run the lessons of these folders and keep their outputs.

    Raises UserError with a sentence for each notebook that fails.
    """
    from groundup import show
    from groundup.lessons import find_lesson
    from groundup.reader.executed import execute_all

    failed: list[str] = []
    chosen = [find_lesson(name) for name in names]
    execute_all(chosen, root / "build" / "executed", show.has("torch"), jobs, lambda line: None, failed)
    if failed:
        raise UserError("\n".join(failed))


def explain(error: BaseException, root: Path) -> str:
    """What went wrong and on which line of the checkout, without the way that led there."""
    if isinstance(error, UserError):
        return str(error)
    what = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        places = [(Path(error.filename), error.lineno, error.text or "")]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        places = [(Path(frame.filename), frame.lineno or 0, frame.line or "") for frame in frames]
        ours = root / "src" / "groundup" / "lessons"
        places = [one for one in places if one[0].is_relative_to(ours)] or places
    path, line, code = places[-1] if places else (root, 0, "")
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    return f"{shown}, line {line}: {what}\n    {code.strip()}"


def main(root: Path, words: Sequence[str]) -> None:
    """Run the lessons that the words name, or answer questions until nobody asks any more."""
    if words:
        try:
            run(root, words[1:], int(words[0]))
        except Exception as error:
            sys.exit(explain(error, root))
        return

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        return {"waiting": write(root, question["only"], question["what"])}

    helper.answer_all(answer, lambda error: explain(error, root))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
