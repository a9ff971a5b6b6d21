"""Pages that follow the author: whenever a lesson, a model or the front end is saved they are made anew.

The work is done in a process of its own, ``python -m groundup.reader.dev ROOT preview|run [LESSON…]``, because
modules that have changed must be imported afresh.
"""

import asyncio
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from groundup.errors import UserError
from groundup.reader import build, server


def serve(root: Path, site: Path, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the checkout's pages, watch its files, and reload the pages after each change."""

    async def follow(pages: server.Pages) -> None:
        from watchfiles import awatch

        at_work: asyncio.Task[None] | None = None
        async for changes in awatch(root / "src" / "groundup", root / "web" / "src", root / "results"):
            paths = [Path(path) for _, path in changes if "__pycache__" not in path]
            if not paths:
                continue
            if at_work is not None:
                at_work.cancel()
                await asyncio.wait([at_work])
            at_work = asyncio.create_task(remake(root, paths, pages, say))

    server.serve(site, port=port, browser=browser, page="", say=say, dev=follow)


def lessons_of(root: Path, paths: Iterable[Path]) -> list[str] | None:
    """The folders of the lessons that the changed files belong to; None if others may have changed too."""
    place = root / "src" / "groundup" / "lessons"
    inside = [path.relative_to(place).parts if path.is_relative_to(place) else () for path in paths]
    return sorted({parts[0] for parts in inside}) if all(len(parts) > 1 for parts in inside) else None


async def to_its_end(command: Sequence[str]) -> tuple[int, str]:
    """Run a program: its exit code, and what it said on stderr. Whoever is cancelled while waiting ends it."""
    child = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        _, said = await child.communicate()
    except asyncio.CancelledError:
        child.terminate()
        await child.wait()
        raise
    return child.returncode or 0, said.decode(errors="replace").strip()


async def remake(root: Path, paths: list[Path], pages: server.Pages, say: Callable[[str], None]) -> None:
    """Show the change at once with the outputs that still hold; then run what has changed, and show that.

    What goes wrong is said in the terminal and on the pages, which stay as they were.
    """
    only = lessons_of(root, paths)
    web = all(path.is_relative_to(root / "web") for path in paths)
    say(f"{', '.join(sorted({path.name for path in paths if path.exists()})[:3]) or 'A file'} changed")
    for step in ("preview",) if web else ("preview", "run"):
        command = [sys.executable, "-m", __spec__.name, str(root), step, *(only or [])]
        code, said = await to_its_end(command)
        if code:
            say(said)
            pages.fail(said)
            return
        pages.reload()
    say("The pages are up to date.")


def main(root: Path, step: str, names: list[str], jobs: int = 1) -> None:
    """Bring build/site-data and the pages up to date: all of them, or those of some lessons' folders.

    Raises UserError with a sentence for each notebook that fails; the pages are written before.
    """
    from groundup import show
    from groundup.lessons import all_lessons
    from groundup.notebooks.source_modules import Library
    from groundup.reader import data
    from groundup.reader.executed import built_notebooks, execute_all, last_outputs

    folder, cache, library = root / "build" / "site-data", root / "build" / "executed", Library()
    chosen = [lesson for lesson in all_lessons() if not names or lesson.folder.name in names]
    failed: list[str] = []
    for lesson in chosen:
        if step == "run":
            runs = execute_all([lesson], cache, show.has("torch"), jobs, lambda line: None, failed)[lesson.folder.name]
        else:
            built = built_notebooks(lesson, library)
            runs = {track: last_outputs(lesson, track, notebook, cache) for track, notebook in built.items()}
        data.write_lesson(lesson, all_lessons(), runs, folder)
    data.write_contents(all_lessons(), folder)
    build.pages(root, root / "build" / "site", chosen if names else ())
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


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    except Exception as error:
        sys.exit(explain(error, Path(sys.argv[1])))
