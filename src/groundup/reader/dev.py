"""Pages that follow the author: whenever a lesson, a model or the front end is saved they are made anew.

Of the two helpers the first is started anew when a module has changed, the second with the front end.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from groundup.errors import UserError
from groundup.reader import background, node, server
from groundup.reader.makers import Makers

#: Seconds that what is being shown may take before a change that comes meanwhile ends it.
PATIENCE = 1.0


def serve(root: Path, site: Path, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the checkout's pages, watch its files, and reload the pages after each change."""
    env = node.environment()

    async def follow(pages: server.Pages) -> None:
        from watchfiles import awatch

        author = Author(root, env, pages, say)
        at_work = asyncio.create_task(author.warm_up())
        try:
            async for changes in awatch(root / "src" / "groundup", root / "web" / "src", root / "results"):
                paths = {Path(path) for _, path in changes if "__pycache__" not in path}
                if not paths:
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(author.shown.wait(), PATIENCE)
                at_work.cancel()
                await asyncio.wait([at_work])
                author.changed |= paths
                at_work = asyncio.create_task(author.follow())
        finally:
            at_work.cancel()
            await asyncio.wait([at_work])
            await author.makers.end()

    server.serve(site, port=port, browser=browser, page="", say=say, dev=follow)


def lessons_of(root: Path, paths: Iterable[Path]) -> list[str] | None:
    """The folders of the lessons that the changed files belong to; None if others may have changed too."""
    place = root / "src" / "groundup" / "lessons"
    inside = [path.relative_to(place).parts if path.is_relative_to(place) else () for path in paths]
    return sorted({parts[0] for parts in inside}) if all(len(parts) > 1 for parts in inside) else None


@dataclass
class Author:
    """What was saved and is not shown yet, what is to be run, and the helpers that do it."""

    root: Path
    env: Mapping[str, str]
    pages: server.Pages
    say: Callable[[str], None]
    changed: set[Path] = field(default_factory=set)
    to_run: set[str] = field(default_factory=set)
    shown: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.makers = Makers(self.root, self.env)

    async def follow(self) -> None:
        """Show what has changed with the outputs that still hold; then run what is to be run, and show that.

        What goes wrong is said in the terminal and on the pages, which stay as they were.
        """
        self.say(f"{', '.join(sorted({path.name for path in self.changed if path.exists()})[:3]) or 'A file'} changed")
        try:
            self.shown.clear()
            await self.show()
            self.shown.set()
            self.pages.reload()
            for name in sorted(self.to_run):
                said = await background.run(self.root, name, 1)
                await self.makers.make([name], "text")
                if said:
                    raise UserError(said)
                self.to_run.discard(name)
                self.pages.reload()
        except UserError as error:
            self.say(str(error))
            self.pages.fail(str(error))
        else:
            self.say("The pages are up to date.")
        finally:
            self.shown.set()

    async def show(self) -> None:
        """Bring data and pages up to date with the files that have changed. Raises UserError."""
        only = lessons_of(self.root, self.changed)
        text = only is not None and all(path.name == "lesson.py" for path in self.changed)
        if not text:
            await self.makers.lessons.end()
        if only is None:
            await self.makers.renderer.end()
        self.to_run |= set(await self.makers.make(only, "text" if text else ""))
        self.changed.clear()

    async def warm_up(self) -> None:
        """Start the helpers by showing a lesson as it is."""
        name = min(path.parent.name for path in self.root.glob("src/groundup/lessons/*/lesson.py"))
        with contextlib.suppress(UserError):
            await self.makers.make([name], "text")
        self.shown.set()
