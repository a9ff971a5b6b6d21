"""Kernels behind live cells: one for each lesson, shared by all its pages, with a queue of runs."""

import asyncio
import contextlib
import json
import os
import queue
import signal
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundup.notebooks.kernels import kernel_manager, scratch_folder
from groundup.reader import runner
from groundup.reader.cells import Planner

Event = dict[str, Any]
Send = Callable[[Event], None]

KERNELS = 3
IDLE_SECONDS = 30 * 60.0
#: Seconds that a cell may go on after Stop before its kernel is ended.
PATIENCE = 3.0
MIME = "application/vnd.groundup+json"
#: Seconds between two looks at whether an idle kernel is still there.
WATCH = 1.0
#: What follows whenever a kernel has ended.
LOST = "All variables are gone; the next run starts Python afresh and runs again what its cell needs."
#: What is said when a kernel was ended on purpose.
ENDED = {
    "killed": f"The cell did not stop, so Python was ended. {LOST}",
    "restarted": f"Python was restarted. {LOST}",
    "idle": f"Python was not used for long and was ended. {LOST}",
    "room": f"Python was ended to make room for another lesson’s. {LOST}",
}
#: Seconds that a question about a name may take.
ASKING = 2.0
AT_WORK = "Python is at work for another page of this lesson; a run here comes after it."

#: Runs first in every kernel, where groundup need not be installed. Each track gets a namespace of its own.
START = f"""
import json, sys, time, types
from IPython.display import display

runner = types.ModuleType("groundup_runner")
sys.modules[runner.__name__] = runner
exec(compile({Path(runner.__file__).read_text(encoding="utf-8")!r}, "<groundup runner>", "exec"), runner.__dict__)
namespaces, sources = {{}}, {{}}


def emit(event):
    display({{{MIME!r}: event}}, raw=True)


def run(text):
    track, cell, source = json.loads(text)
    known = sources.setdefault(track, {{}})
    known[cell] = source
    started = time.perf_counter()
    ok = runner.run_cell(cell, source, namespaces.setdefault(track, {{}}), emit, known)
    emit({{"type": "end", "cell": cell, "ok": ok, "seconds": round(time.perf_counter() - started, 4)}})


def answer(text):
    kind, track, words = json.loads(text)
    ask = {{"complete": runner.complete, "describe": runner.describe}}[kind]
    emit({{"type": "answer", "found": ask(words, namespaces.get(track, {{}}))}})


runner.run, runner.answer = run, answer
get_ipython().kernel.raw_input = get_ipython().kernel.getpass = runner.no_input
"""


class KernelDied(Exception):
    """The kernel's process has ended."""


class TooManyKernels(Exception):
    """No further kernel can be started: all that may be are at work."""


class Kernel:
    """A Python process that runs cells in a scratch folder, and its connection."""

    def __init__(self) -> None:
        self.scratch = scratch_folder()
        self.manager = kernel_manager(Path(self.scratch.name))
        self.client: Any = None
        self.group: int | None = None  # of processes, the kernel's and those that cells start
        self._killed = False

    async def start(self) -> None:
        """Start the process and load the runner into it."""
        scratch = Path(self.scratch.name)
        work = scratch / "work"
        work.mkdir()
        ours = ("PYTHONWARNINGS", "PYTHONSTARTUP")
        env = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        env |= {key: value for key, value in os.environ.items() if key not in ours}
        env |= {"IPYTHONDIR": str(scratch / "ipython"), "MPLBACKEND": "Agg"}  # none of the user's start-up files
        try:
            await self.manager.start_kernel(cwd=str(work), env=env)
            self.group = getattr(self.manager.provisioner, "pgid", None)
            self.client = self.manager.client()
            self.client.start_channels(stdin=False, hb=False, control=False)
            await self.client.wait_for_ready(timeout=60)
            await self.execute(START, lambda message: None)
        except BaseException:
            await self.end()
            raise

    async def execute(self, code: str, hear: Callable[[Event], None]) -> None:
        """Run code; ``hear`` gets each message about it. Raises KernelDied."""
        request = self.client.execute(code, silent=True, store_history=False, allow_stdin=False)
        answered = False
        while True:
            try:
                message = await self.client.get_iopub_msg(timeout=0.3)
            except queue.Empty:
                if not await self.manager.is_alive():
                    raise KernelDied from None
                if answered:  # a flood of output can drown the message that says it is done
                    return
                with contextlib.suppress(queue.Empty):
                    reply = await self.client.get_shell_msg(timeout=0.01)
                    answered = reply["parent_header"].get("msg_id") == request
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                if not answered:  # the reply came before
                    with contextlib.suppress(queue.Empty):
                        await self.client.get_shell_msg(timeout=1)
                return
            hear(message)

    async def alive(self) -> bool:
        """Whether the process runs, and is to run on."""
        return not self._killed and await self.manager.is_alive()

    async def epitaph(self) -> str:
        """How the process ended, in words."""
        code = await self.manager.provisioner.poll() if self.manager.provisioner else None
        if code == -signal.SIGKILL:
            return f"Python was killed, perhaps because memory ran out. {LOST}"
        if code is not None and code < 0:
            return f"Python crashed ({signal.Signals(-code).name}). {LOST}"
        by = "" if code is None else f": its exit code was {code}"
        return f"Python has ended{by}. {LOST}"

    async def interrupt(self) -> None:
        """What Ctrl-C does."""
        with contextlib.suppress(RuntimeError, ProcessLookupError):
            await self.manager.interrupt_kernel()

    async def kill(self) -> None:
        """End the process at once; whoever waits for it gets KernelDied."""
        self._killed = True
        if self.manager.provisioner is not None:
            await self.manager.provisioner.kill()

    async def end(self) -> None:
        """End the process, those that it has started, and its scratch folder. Nobody may wait for it."""
        if self.client is not None:
            self.client.stop_channels()
        with contextlib.suppress(RuntimeError, ProcessLookupError):
            await self.manager.shutdown_kernel(now=True)
        if self.group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)
        self.scratch.cleanup()


@dataclass(eq=False)
class Listener:
    """A page that is open, until it is not."""

    send: Send
    here: bool = True

    def tell(self, event: Event) -> None:
        if self.here:
            self.send(event)


@dataclass
class Job:
    """A run that a page asked for."""

    run: int
    track: str
    cells: list[tuple[str, str]]
    target: str
    listener: Listener
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, kind: str, **event: Any) -> None:
        self.listener.tell({"type": kind, "run": self.run, **event})


@dataclass
class Session:
    """The state of one lesson: its kernel, what has run there, what is to run, and the pages that are open."""

    pool: "Sessions"
    listeners: set[Listener] = field(default_factory=set)
    kernel: Kernel | None = None
    planners: dict[str, Planner] = field(default_factory=dict)
    jobs: deque[Job] = field(default_factory=deque)  # that wait
    job: Job | None = None  # that runs
    worker: asyncio.Task | None = None
    watcher: asyncio.Task | None = None
    used: float = field(default_factory=time.monotonic)
    using: asyncio.Lock = field(default_factory=asyncio.Lock)  # the kernel's connection
    dropped: str = ""  # why the run that goes on is to stop: "interrupted" or "restarted"

    @property
    def busy(self) -> bool:
        return self.worker is not None and not self.worker.done()

    def announce(self, state: str, text: str = "", job: Job | None = None) -> None:
        """Tell all pages how Python is; those that did not ask for the job hear that it is another page's."""
        for listener in list(self.listeners):
            others = job is not None and job.listener is not listener
            said, words = ("busy", AT_WORK) if others else (state, text)
            listener.tell({"type": "status", "state": said, "text": words})

    def submit(self, job: Job) -> None:
        """Run it, after those that wait."""
        self.jobs.append(job)
        if self.job is not None and self.job.listener is not job.listener:
            job.listener.tell({"type": "status", "state": "busy", "text": AT_WORK})
        if not self.busy:
            self.worker = asyncio.create_task(self._work())

    def interrupt(self, listener: Listener) -> Coroutine[Any, Any, None]:
        """Drop what a page waits for, at once; what is returned stops what runs for it, or for a page that has gone.

        Other pages' runs go on. A kernel that does not listen is ended.
        """
        runs = self.job
        mine = runs if runs is not None and (runs.listener is listener or not runs.listener.here) else None
        self._drop("interrupted", mine, [job for job in self.jobs if job.listener is listener])
        return self._interrupt(mine)

    async def _interrupt(self, job: Job | None) -> None:
        for _ in range(3):  # more than once: a cell that has not quite begun does not hear the first
            if job is None or job.over.is_set() or self.kernel is None:
                return
            await self.kernel.interrupt()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(job.over.wait(), PATIENCE / 3)
        if job is self.job and self.kernel is not None:
            self.dropped = "killed"
            await self.kernel.kill()

    def restart(self) -> Coroutine[Any, Any, None]:
        """Forget all that has run, at once; what is returned ends the kernel. The next run gets a new one."""
        self._drop("restarted", self.job, list(self.jobs))
        kernel = self.kernel
        if self.job is None:
            self.kernel = None
            self.planners.clear()
        return self._restart(self.job, kernel)

    async def _restart(self, job: Job | None, kernel: Kernel | None) -> None:
        if kernel is not None:
            await (kernel.end() if job is None else kernel.kill())
        if job is not None:
            await job.over.wait()
        self.announce("ready", "Nothing has run; the next run starts Python afresh.")

    async def answer(self, kind: str, track: str, words: str) -> Any:
        """What is known of a name ("complete" or "describe") now; None without a kernel, or while it is at work."""
        kernel, found = self.kernel, None
        if kernel is None or self.job is not None or self.using.locked():
            return None

        def hear(message: Event) -> None:
            nonlocal found
            found = message["content"].get("data", {}).get(MIME, {}).get("found", found)

        code = f"__import__('sys').modules['groundup_runner'].answer({json.dumps([kind, track, words])!r})"
        async with self.using:
            try:
                await asyncio.wait_for(kernel.execute(code, hear), ASKING)
            except TimeoutError:  # an attribute that is computed for ever
                await kernel.interrupt()
            except Exception:  # it was ended meanwhile
                return None
        return found

    async def end(self, why: str = "") -> None:
        """End the kernel, if there is one, and tell the open pages why."""
        kernel, self.kernel = self.kernel, None
        self.planners.clear()
        if kernel is not None:
            if why:
                self.announce("stopped", why)
            await kernel.end()

    def _drop(self, reason: str, runs: Job | None, waiting: list[Job]) -> None:
        if runs is not None:
            self.dropped = reason
        for job in waiting:
            self.jobs.remove(job)
            job.tell("done", ok=False, reason=reason)

    async def _watch(self, kernel: Kernel) -> None:
        """Tell the open pages when the kernel dies while nothing runs."""
        while self.kernel is kernel:
            await asyncio.sleep(WATCH)
            if not self.busy and not await kernel.alive() and self.kernel is kernel:
                await self.end(await kernel.epitaph())

    async def _work(self) -> None:
        while self.jobs:
            self.used, self.dropped = time.monotonic(), ""
            job = self.job = self.jobs.popleft()
            try:
                if self.kernel is not None and not await self.kernel.alive():
                    await self.end()
                reason = await self._run(job)
            except KernelDied:
                reason = "restarted"
                why = ENDED.get(self.dropped) or (await self.kernel.epitaph() if self.kernel else LOST)
                await self.end(why)
            except Exception as error:
                reason = "error"
                await self.end()
                text = str(error) if isinstance(error, TooManyKernels) else f"Python could not run the cell: {error!r}"
                self.announce("failed", text)
            job.tell("done", ok=not reason, reason=reason)
            self.used, self.job = time.monotonic(), None
            if self.kernel is not None:
                self.announce("ready")
            job.over.set()

    async def _run(self, job: Job) -> str:
        """Run the cells that the job needs and return why it ended early, or nothing."""
        if self.kernel is None:
            self.announce("starting", "Starting Python…", job)
            self.kernel = await self.pool.start()
            self.watcher = asyncio.create_task(self._watch(self.kernel))
        self.announce("busy", "", job)
        planner = self.planners.setdefault(job.track, Planner())
        plan = planner.plan(job.cells, job.target)
        job.tell("plan", cells=plan)
        sources = dict(job.cells)
        for cell in plan:
            if self.dropped:
                return self.dropped
            job.tell("start", cell=cell)
            ok = await self._cell(job, cell, sources[cell])
            if not ok:
                return self.dropped or "error"
            planner.ran(cell)
        return ""

    async def _cell(self, job: Job, cell: str, source: str) -> bool:
        """Run one cell, tell what comes of it, and return whether it ran without error."""
        if self.kernel is None:
            raise KernelDied
        started = time.perf_counter()
        printed = runner.Printed(lambda name, text: job.tell("stream", cell=cell, name=name, text=text))
        end: Event = {"type": "end", "ok": False, "seconds": 0.0}

        def hear(message: Event) -> None:
            nonlocal end
            content = message["content"]
            event = content.get("data", {}).get(MIME) if message["msg_type"] == "display_data" else None
            if message["msg_type"] == "stream":
                printed.write(content["name"], content["text"])
            elif message["msg_type"] == "display_data":
                printed.close()
            if isinstance(event, dict) and event.get("type") == "end":
                end = event
            elif isinstance(event, dict):
                job.listener.tell({**event, "run": job.run, "cell": cell})
            elif message["msg_type"] == "display_data":  # a cell's own display(…)
                job.tell("value", cell=cell, text=content["data"].get("text/plain", "")[: runner.VALUE_LIMIT])

        code = f"__import__('sys').modules['groundup_runner'].run({json.dumps([job.track, cell, source])!r})"
        try:
            async with self.using:
                await self.kernel.execute(code, hear)
        except KernelDied:
            printed.close()
            seconds = round(time.perf_counter() - started, 4)
            job.tell("end", cell=cell, ok=False, seconds=seconds)
            raise
        printed.close()
        job.tell("end", cell=cell, ok=bool(end["ok"]), seconds=end["seconds"])
        return bool(end["ok"])


class Sessions:
    """The sessions of all lessons; few of them have a kernel."""

    def __init__(self, kernels: int = KERNELS, idle_seconds: float = IDLE_SECONDS) -> None:
        self.kernels, self.idle_seconds = kernels, idle_seconds
        self.of: dict[str, Session] = {}
        self._starting = asyncio.Lock()

    def session(self, lesson: str) -> Session:
        """The session of a lesson."""
        return self.of.setdefault(lesson, Session(self))

    async def start(self) -> Kernel:
        """A new kernel; if there are many, the one unused longest ends. Raises TooManyKernels."""
        async with self._starting:
            alive = [session for session in self.of.values() if session.kernel]
            if len(alive) >= self.kernels:
                idle = [session for session in alive if not session.busy]
                if not idle:
                    raise TooManyKernels(f"{self.kernels} other lessons are at work; stop one of them first.")
                await min(idle, key=lambda session: session.used).end(ENDED["room"])
            kernel = Kernel()
            await kernel.start()
            return kernel

    async def end_idle(self) -> None:
        """End kernels that nobody has used for long; goes on for ever."""
        while True:
            await asyncio.sleep(min(60.0, self.idle_seconds / 2))
            for session in list(self.of.values()):
                if session.kernel and not session.busy and time.monotonic() - session.used > self.idle_seconds:
                    await session.end(ENDED["idle"])

    async def close(self) -> None:
        """End all kernels."""
        workers = [session.worker for session in self.of.values() if session.worker]
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await asyncio.gather(*(session.end() for session in self.of.values()))
