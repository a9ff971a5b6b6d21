"""JupyterLab beside the reader: one server for all lessons, started when a page first asks for it."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections import deque
from importlib.util import find_spec
from urllib.parse import quote

from groundup.errors import UserError

#: The address with its token, as JupyterLab prints it on stderr.
ADDRESS = re.compile(rb"(http://127\.0\.0\.1:\d+)/\S*\?token=(\w+)")
START_SECONDS = 60.0


def command(lesson: str) -> list[str]:
    """What starts it."""
    return [sys.executable, "-m", "groundup", "lab", lesson, "--no-browser"]


class Lab:
    """A JupyterLab that ends with the reader."""

    def __init__(self) -> None:
        self.child: asyncio.subprocess.Process | None = None
        self.reader: asyncio.Task[None] | None = None
        self.found: asyncio.Future[tuple[str, str]] | None = None
        self.lock = asyncio.Lock()

    async def address(self, lesson: str) -> str:
        """The address of a lesson's notebook. Raises UserError if JupyterLab is missing or does not start."""
        async with self.lock:
            if self.child is None or self.child.returncode is not None:
                await self._start(lesson)
        assert self.found is not None
        try:
            base, token = await asyncio.wait_for(asyncio.shield(self.found), START_SECONDS)
        except TimeoutError:
            await self.end()
            raise UserError("JupyterLab did not start within a minute.") from None
        return f"{base}/lab/tree/{quote(lesson)}.ipynb?token={token}"

    async def _start(self, lesson: str) -> None:
        for module in ("jupyterlab", "jupytext"):
            if find_spec(module) is None:
                raise UserError("JupyterLab is not installed here: pip install 'groundup[lab]' brings it.")
        # A session of its own: Ctrl-C is for us, and end() reaches its kernels.
        self.child = await asyncio.create_subprocess_exec(
            *command(lesson),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self.found = asyncio.get_running_loop().create_future()
        self.reader = asyncio.create_task(self._read(self.child, self.found))

    async def _read(self, child: asyncio.subprocess.Process, found: "asyncio.Future[tuple[str, str]]") -> None:
        """Read what JupyterLab prints, all its life, for a full pipe would stop it."""
        assert child.stderr is not None
        last: deque[str] = deque(maxlen=1)
        async for line in child.stderr:
            match = ADDRESS.search(line)
            if match and not found.done():
                found.set_result((match[1].decode(), match[2].decode()))
            if line.strip():
                last.append(line.decode(errors="replace").strip())
        await child.wait()
        if not found.done():
            found.set_exception(UserError(f"JupyterLab did not start: {''.join(last)}"))

    async def end(self) -> None:
        """End JupyterLab, and its kernels with it."""
        child, self.child = self.child, None
        if child is None:
            return
        for sign, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, sign)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), seconds)
        if self.reader is not None:
            await self.reader
