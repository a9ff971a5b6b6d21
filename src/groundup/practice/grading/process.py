"""The grader's end of a learner's process: start it, ask it, end it. In the browser the same without a process."""

import contextlib
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from groundup.practice.grading import session, wire

LOG = 10_000  # bytes of what an answer prints
REPLY = 64 * 1024**2  # bytes of one reply
PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")


class Ended(Exception):
    """There will be no further reply: "timeout", "exited" or "garbled", and in words how it ended."""

    def __init__(self, kind: str, words: str = "") -> None:
        super().__init__(kind)
        self.kind, self.words = kind, words


class Worker(Protocol):
    """Whoever runs the answer."""

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request. Raises Ended."""

    def clock(self) -> float:
        """Seconds of processor time that it has taken, by a clock that no answer can turn."""

    def log(self) -> str:
        """What the answer printed, cut."""

    def close(self) -> None:
        """End it, with everything that it started."""


class Process:
    """An answer in a fresh interpreter, with nothing of this one's."""

    def __init__(self, track: str, seconds: float) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="groundup-")
        config = {"track": track, "seconds": seconds, "paths": package_paths(track)}
        config["secret"] = secrets(package_paths(track))
        one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")}
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | one_thread
        worker = Path(__file__).with_name("worker.py")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(worker), json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder.name,
            env=environment,
            start_new_session=True,
        )
        LIVE.add(self)
        self.late = False
        self.printed = b""
        self.timer = threading.Timer(seconds, self.expire)
        self.timer.daemon = True
        self.timer.start()
        self.reader = threading.Thread(target=self.drain, daemon=True)
        self.reader.start()

    def drain(self) -> None:
        """Read what is printed until its end, so that nobody waits for a full pipe; keep the beginning."""
        assert self.process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while block := self.process.stderr.read1(65536):  # type: ignore[attr-defined]
                self.printed += block[: max(0, LOG - len(self.printed))]

    def expire(self) -> None:
        """Time is up."""
        self.late = True
        self.kill()

    def kill(self) -> None:
        """End the process and its group. It cannot say no."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.process.kill()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to a request. Raises Ended."""
        assert self.process.stdin is not None
        data = wire.pack(request)
        try:
            self.process.stdin.write(len(data).to_bytes(8, "big") + data)
            self.process.stdin.flush()
            size = int.from_bytes(self.read(8), "big")
            if size > REPLY:
                raise Ended("big")
            reply = wire.unpack(self.read(size))
        except (OSError, EOFError):
            raise self.how_it_ended() from None
        except ValueError:
            raise Ended("garbled") from None
        if not isinstance(reply, dict) or not reply:
            raise Ended("garbled")
        return reply

    def clock(self) -> float:
        """Processor time of all its threads, read from outside; where the system does not tell, time passed."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                return time.clock_gettime((~self.process.pid << 3) | 2)  # the kernel's number for that clock
        return time.perf_counter()

    def read(self, size: int) -> bytes:
        assert self.process.stdout is not None
        data = self.process.stdout.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def how_it_ended(self) -> Ended:
        """Why there is no reply."""
        if self.late:
            return Ended("timeout")
        self.kill_unless_gone()
        code = self.process.returncode
        if self.late:
            return Ended("timeout")
        if code is not None and code < 0:
            names = {int(number): number.name for number in signal.Signals}
            return Ended("exited", f"signal {names.get(-code, -code)}")
        return Ended("exited", f"exit code {code}")

    def kill_unless_gone(self) -> None:
        """The pipe has been closed: give the process a moment to be gone by itself, for the sake of its exit code."""
        try:
            self.process.wait(0.5)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()

    def log(self) -> str:
        """What the answer printed, cut. What lies in the pipe when it is asked for belongs to it."""
        until = time.monotonic() + 0.5
        while self.reader.is_alive() and self.pending() and time.monotonic() < until:
            time.sleep(0.005)  # the reader's turn
        return self.printed.decode("utf-8", "replace")

    def pending(self) -> bool:
        """Whether something printed waits to be read; where the system cannot tell, no."""
        assert self.process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            return bool(select.select([self.process.stderr], [], [], 0)[0])
        return False

    def close(self) -> None:
        """End it, with everything that it started. What others hold of its pipes is not waited for."""
        LIVE.discard(self)
        self.timer.cancel()
        self.kill()
        self.process.wait()
        self.reader.join(1.0)
        pipes = [self.process.stdin, self.process.stdout, self.process.stderr]
        if self.reader.is_alive():  # a process that got away holds stderr, and closing it would wait for the reader
            pipes.pop()
        for pipe in pipes:
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
        with contextlib.suppress(OSError):
            self.folder.cleanup()


LIVE: set[Process] = set()


def end_all() -> None:
    """End the answers at work, whoever waits for them: there will be no reply."""
    for one in list(LIVE):
        one.kill()


class InProcess:
    """The same without a process, for the browser: no limits, and no defence against an answer that attacks."""

    def __init__(self) -> None:
        self.session, self.printed = session.Session(), session.Printed()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply, after the same journey through bytes: answer and grader share no array."""
        request = wire.unpack(wire.pack(request), trusted=True)
        reply = session.quietly(self.session, request, self.printed)
        try:
            data = wire.pack(reply, self.session.keep)
        except Exception as error:  # what came back cannot travel
            data = wire.pack({"error": self.session.describe(error)})
        return dict(wire.unpack(data))

    def clock(self) -> float:
        """This process's own."""
        return time.process_time()

    def log(self) -> str:
        """What the answer printed, cut."""
        return self.printed.getvalue()

    def close(self) -> None:
        """Nothing to end."""


def start(track: str, seconds: float, in_process: bool = False) -> Worker:
    """A worker for an answer of this track."""
    return InProcess() if in_process or sys.platform == "emscripten" else Process(track, seconds)


def secrets(paths: list[str]) -> list[str]:
    """The folder of groundup, under every name that it has: first of all the real one."""
    here = Path(__file__).parents[2]
    return [f"{path}{os.sep}" for path in dict.fromkeys([here.resolve(), here, *(Path(p, "groundup") for p in paths)])]


def package_paths(track: str) -> list[str]:
    """Where NumPy (and PyTorch) are installed: an isolated interpreter does not look there by itself."""
    found = []
    for name in ("numpy", "torch") if track == "torch" else ("numpy",):
        spec = importlib.util.find_spec(name)
        if spec and spec.origin:
            found.append(str(Path(spec.origin).parent.parent))
    return list(dict.fromkeys(found))
