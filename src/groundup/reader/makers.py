"""Two helpers that make pages: one writes the data of lessons, one makes pages of it.

They are kept between two questions: starting them takes longer than their work.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from groundup.reader import remake
from groundup.reader.helper import Helper


class Makers:
    """The helpers of a checkout, each started by the first question to it."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        """``env`` is an environment in which ``node`` is found."""
        places = ["--data", str(root / "build" / "site-data"), "--out", str(root / "build" / "site")]
        web = root / "web"
        self.lessons = Helper([sys.executable, "-m", remake.__name__, str(root)], root)
        self.renderer = Helper(["node", str(web / "scripts" / "build.mjs"), "--answer", *places], web, env)

    async def make(self, only: Sequence[str] | None, what: str = "") -> list[str]:
        """Write data and pages of the lessons of these folders, or of all (None), with the outputs that are kept.

        what    "" with all that the other pages say of them
                "text" if nothing has changed but their text
                "front" with the front page, and of practice only their own
                "search" with the index of all lessons
        Returns the folders of those that are still to be run. Raises UserError.
        """
        question: dict[str, Any] = {"only": only, "what": what}
        if what == "front":  # the first of all: the renderer gets ready meanwhile
            ready = self.renderer.ask({"only": [], "what": "prepare"})
            answer, _ = await asyncio.gather(self.lessons.ask(question), ready)
        else:
            answer = await self.lessons.ask(question)
        await self.renderer.ask(question)
        waiting: list[str] = answer["waiting"]
        return waiting

    async def end(self) -> None:
        """End both."""
        await self.lessons.end()
        await self.renderer.end()
