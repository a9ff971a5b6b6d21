"""Pages that are served at once; lessons without outputs are run meanwhile, the one that is being read first.

A lesson is run in a process of its own, ``python -m groundup.reader.remake ROOT JOBS FOLDER``.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from groundup.reader import build, remake, server

Say = Callable[[str], None]


def serve(
    root: Path, port: int, browser: bool, page: str, jobs: int, torch: bool, say: Say, allowed: Sequence[str] = ()
) -> None:
    """Serve a checkout's pages until Ctrl-C, and give them the outputs that they lack."""
    follow: server.Dev | None = None
    made_of = build.stamp(root)
    if not build.is_current(root, made_of):
        say("Building the pages.")
        waiting = build.preview(root, torch)
        if waiting:
            say(f"Lessons are run while you read, the one that you open first; {len(waiting)} are without outputs yet.")

            async def follow(pages: server.Pages) -> None:
                pages.reading = page.removeprefix("lessons/").rstrip("/")
                failed = await fill(root, waiting, jobs, pages, say)
                build.finish(root, made_of, failed)
        else:
            build.finish(root, made_of, [])
    server.serve(root / "build" / "site", port, browser, page, say, follow, allowed)


async def fill(root: Path, waiting: Sequence[str], jobs: int, pages: server.Pages, say: Say) -> list[str]:
    """Run the lessons one after the other, each time the one being read if it waits; what failed, in words."""
    left, failed = list(waiting), list[str]()
    while left:
        name = pages.reading if pages.reading in left else left[0]
        left.remove(name)
        if said := await run(root, name, jobs):
            failed.append(said)
            say(said)
        pages.tell(f"outputs {name}")
    say(f"Not every lesson has its outputs: {len(failed)} failed." if failed else "Every lesson has its outputs.")
    return failed


async def run(root: Path, name: str, jobs: int) -> str:
    """Run one lesson and write its page, in a process of its own; "" or what went wrong."""
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
