"""A program that answers questions, one line of JSON for each, and is kept for the next: starting it takes longer."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from groundup.errors import UserError

#: Bytes of the longest answer.
LONGEST = 1_000_000


class Helper:
    """A program, started by the first question. It answers ``{"error": why}`` to what it cannot do."""

    def __init__(self, command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.command, self.folder, self.env = command, folder, env
        self.process: asyncio.subprocess.Process | None = None

    async def ask(self, question: Any) -> dict[str, Any]:
        """The answer. Raises UserError with the reason if there is none; whoever is cancelled meanwhile ends it."""
        if self.process is None:
            pipe = asyncio.subprocess.PIPE
            self.process = await asyncio.create_subprocess_exec(
                *self.command, cwd=self.folder, env=self.env, stdin=pipe, stdout=pipe, limit=LONGEST
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            await self.process.stdin.drain()
            line = await self.process.stdout.readline()
        except ConnectionError:
            line = b""
        except asyncio.CancelledError:
            await self.end()
            raise
        if not line:
            code = await self.process.wait()
            self.process = None
            raise UserError(f"{Path(self.command[0]).name} has ended with code {code}; the terminal may say why.")
        answer: dict[str, Any] = json.loads(line)
        if answer.get("error"):
            raise UserError(answer["error"])
        return answer

    async def end(self) -> None:
        """End the program; the next question starts another one."""
        process, self.process = self.process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def answer_all(answer: Callable[[Any], dict[str, Any]], explain: Callable[[BaseException], str]) -> None:
    """Be a helper until the other side goes. What is printed meanwhile goes to the terminal."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for line in sys.stdin:
            try:
                said = answer(json.loads(line))
            except Exception as error:
                said = {"error": explain(error)}
            print(json.dumps(said), file=out, flush=True)
