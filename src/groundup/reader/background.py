"""Pages that are served at once and made meanwhile, the one that is wanted first; then lessons are run.

A lesson is run in a process of its own, ``python -m groundup.reader.remake ROOT JOBS FOLDER``.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from groundup.errors import UserError
from groundup.reader import build, node, remake, server
from groundup.reader.makers import Makers

Say = Callable[[str], None]


def serve(root: Path, port: int, browser: bool, page: str, jobs: int, say: Say, allowed: Sequence[str] = ()) -> None:
    """Serve a checkout's pages until Ctrl-C, and make those that are not up to date."""
    follow: server.Dev | None = None
    made_of = build.stamp(root)
    if not build.is_current(root, made_of):
        env = node.environment()
        build.install(root / "web")
        build.clear(root)
        say("The pages are made while you read, the one that you open first.")

        async def follow(pages: server.Pages) -> None:
            pages.reading = page.removeprefix("lessons/").rstrip("/")
            makers = Makers(root, env)
            try:
                waiting = await make(root, makers, pages)
                failed = await fill(root, waiting, jobs, makers, pages, say) if waiting else []
                build.finish(root, made_of, failed)
            except UserError as error:
                pages.fail(str(error))
                say(str(error))
            finally:
                await makers.end()

    server.serve(root / "build" / "site", port, browser, page, say, follow, allowed)


async def make(root: Path, makers: Makers, pages: server.Pages) -> list[str]:
    """Make all pages, each time that of the lesson that is wanted if it is missing; those to be run.

    The front page comes with the first lesson; then practice, for other lessons' pages show their exercises.
    """
    pages.making = True
    left = sorted(path.parent.name for path in root.glob("src/groundup/lessons/*/lesson.py"))
    waiting: list[str] = []
    for what in ("front", "", *("text" for _ in left[1:]), "search"):
        name = pages.reading if pages.reading in left else left[0] if left else ""
        chosen = [name] if what in ("front", "text") else []
        left = [one for one in left if one not in chosen]
        waiting += await makers.make(chosen, what)
    pages.making = False
    return waiting


async def fill(
    root: Path, waiting: Sequence[str], jobs: int, makers: Makers, pages: server.Pages, say: Say
) -> list[str]:
    """Run the lessons one after the other, each time the one being read if it waits; what failed, in words."""
    say(f"{len(waiting)} lessons are run while you read, the one that you open first: they are without outputs yet.")
    left, failed = list(waiting), list[str]()
    while left:
        name = pages.reading if pages.reading in left else left[0]
        left.remove(name)
        if said := await run(root, name, jobs):
            failed.append(said)
            say(said)
        await makers.make([name], "text")
        pages.tell(f"outputs {name}")
    await makers.make([], "search")
    say(f"Not every lesson has its outputs: {len(failed)} failed." if failed else "Every lesson has its outputs.")
    return failed


async def run(root: Path, name: str, jobs: int) -> str:
    """Run one lesson, in a process of its own; "" or what went wrong."""
    command = [sys.executable, "-m", remake.__name__, str(root), str(jobs), name]
    code, said = await to_its_end(command)
    return (said or f"Lesson {name} failed.") if code else ""


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
