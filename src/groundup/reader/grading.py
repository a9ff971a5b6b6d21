"""Practice in `groundup learn`: grades what a page sends and keeps it where `groundup practice` keeps its own."""

import asyncio
from collections.abc import Callable
from typing import Any

from groundup.errors import UserError
from groundup.practice import progress
from groundup.practice.exercise import Exercise
from groundup.practice.grading import grader
from groundup.practice.grading.verdict import Verdict
from groundup.practice.trial import Trial, attempt

Event = dict[str, Any]
#: What a page tells that a learner did.
STEPS: dict[str, Callable[[Exercise], Any]] = {
    "start": progress.start,
    "hint": progress.next_hint,
    "give up": lambda exercise: progress.note(exercise, "gave_up"),
}
SECONDS = grader.SECONDS
UNKNOWN = "This server has no such exercise: reload the page."
KINDS = ("grade", "try", "practice", "progress")


class Desk:
    """What one page practises: one answer is graded at a time, and the others wait."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.tell = tell
        self.turn = asyncio.Lock()
        self.tasks: set[asyncio.Task[None]] = set()
        self.here = True

    def hear(self, message: Event) -> None:
        """Do what a message asks for. Raises ValueError, TypeError or KeyError if it is none of ours."""
        kind, texts = message["type"], [message.get(name, "") for name in ("exercise", "source", "step", "line")]
        if not all(isinstance(text, str) for text in texts) or (kind == "practice" and texts[2] not in STEPS):
            raise ValueError
        name, source, step, line = texts
        if kind == "grade":
            work = self.grade(message["run"], name, source)
        else:
            work = self.attempt(message["run"], name, source, line) if kind == "try" else self.note(name, step)
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def leave(self) -> None:
        """The page has gone: what waits is dropped, and nothing more is kept."""
        self.here = False

    async def grade(self, run: int, name: str, source: str) -> None:
        """Tell the verdict on an answer, and where the learner stands now."""
        async with self.turn:
            if not self.here:
                return
            verdict = await asyncio.to_thread(grade, name, source)
            self.tell({"type": "verdict", "run": run, "verdict": verdict.as_dict()})
            if self.here:
                self.tell(await asyncio.to_thread(kept, name, verdict))

    async def attempt(self, run: int, name: str, source: str, line: str) -> None:
        """Tell what a line gives on an answer; nothing is kept."""
        async with self.turn:
            if self.here:
                trial = await asyncio.to_thread(tried, name, source, line)
                self.tell({"type": "tried", "run": run, "trial": trial.as_dict()})

    async def note(self, name: str, step: str) -> None:
        """Keep what the learner did, if anything, and tell where they stand."""
        self.tell(await asyncio.to_thread(noted, name, step))


def known(name: str) -> Exercise | None:
    """The exercise of exactly this name."""
    from groundup.practice.registry import all_exercises

    return next((one for one in all_exercises() if one.name == name), None)


def grade(name: str, source: str) -> Verdict:
    """The verdict on an answer, which runs in a process of its own."""
    from groundup.practice.desk import demand_track

    exercise = known(name)
    if exercise is None:
        return Verdict(name[:100], "error", UNKNOWN)
    try:
        demand_track(exercise)
    except UserError as error:
        return Verdict(name, "error", str(error))
    return grader.grade(exercise, source, None, seconds=SECONDS)


def tried(name: str, source: str, line: str) -> Trial:
    """What a line gives on an answer, which runs in a process of its own."""
    from groundup.practice.desk import demand_track

    exercise = known(name)
    if exercise is None:
        return Trial(False, message=UNKNOWN)
    try:
        demand_track(exercise)
    except UserError as error:
        return Trial(False, message=str(error))
    return attempt(exercise, source, line, SECONDS)


def kept(name: str, verdict: Verdict) -> Event:
    """Keep the outcome of an attempt, as the command line does."""
    if exercise := known(name):
        progress.record(exercise, verdict.status, verdict.check)
    return standing()


def noted(name: str, step: str) -> Event:
    """Keep a step, if there is one."""
    if step and (exercise := known(name)):
        STEPS[step](exercise)
    return standing()


def standing() -> Event:
    """Where the learner stands with every exercise that they have begun."""
    from groundup.practice.registry import all_exercises

    entries = progress.load()
    states = {one.name: progress.state(entries, one) for one in all_exercises() if one.name in entries}
    return {"type": "progress", "states": states}
