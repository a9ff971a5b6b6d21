"""Watching an answer: graded again whenever it is saved, with hints and the next exercise a key away."""

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from groundup import show
from groundup.errors import UserError
from groundup.practice import answers, progress, render
from groundup.practice.desk import begin, grade_file, upcoming
from groundup.practice.exercise import Exercise
from groundup.practice.grading.process import end_all
from groundup.practice.grading.verdict import Verdict
from groundup.practice.registry import lesson_of

POLL = 0.1  # seconds; looking at one file costs nothing, and works on every kind of drive and with every editor
QUICK = 1.0  # seconds that a grading may take before one listens for keys meanwhile
GONE = 1.0  # seconds that a file may be away while an editor replaces it
KEYS = "h hint · s skip · n next · Enter check again · q quit (each with Enter)"

Keys = Callable[[float], str | None]


def keyboard() -> Keys:
    """Lines typed on standard input: waits so many seconds for one, None if none came."""
    lines: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        # Not through sys.stdin, whose lock a waiting thread would hold when Python ends.
        waiting = b""
        with contextlib.suppress(OSError):  # the terminal is gone
            while data := os.read(file, 1024):
                *whole, waiting = (waiting + data).split(b"\n")
                for line in whole:
                    lines.put(line.decode(errors="replace").strip().lower())

    def typed(seconds: float) -> str | None:
        try:
            return lines.get(timeout=seconds)
        except queue.Empty:
            return None

    try:
        file = sys.stdin.fileno()
        threading.Thread(target=listen, daemon=True).start()
    except (OSError, ValueError, AttributeError):  # no standard input
        pass
    return typed


def mark_of(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file is written or replaced; None while there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def watch(exercise: Exercise, path: Path, keys: Keys) -> None:
    """Grade the file on every save until the learner quits."""
    following: tuple[Exercise, Path] | None = exercise, path
    try:
        while following:
            following = watch_one(*following, keys)
    finally:
        end_all()


def watch_one(exercise: Exercise, path: Path, keys: Keys) -> tuple[Exercise, Path] | None:
    """Watch one exercise; returns the one to go on with, None to stop."""
    seen = last = mark_of(path)
    passed, key = graded(exercise, path, keys, first=True)
    away = 0.0
    while True:
        key = keys(POLL) if key is None else key
        if key == "q":
            return None
        if key == "h":
            hints(exercise)
        elif key == "s" or (key == "n" and passed):
            if key == "s" and not passed:
                progress.note(exercise, "skipped")
            return following(exercise, path)
        elif key == "n":
            render.line("It has not passed yet: s skips it.", "yellow")
        elif key:
            render.line(KEYS, "dim")
        now = mark_of(path)
        settled, last = now == last, now  # a file that still changes is being written
        again, key = key == "", None
        if now is None:
            away += POLL
            if away - POLL < GONE <= away:
                render.line(f"{path} is gone: waiting for it to come back.", "yellow")
        elif settled and (now != seen or again):
            seen, away = now, 0.0
            passed, key = graded(exercise, path, keys)
            last = mark_of(path)


def hints(exercise: Exercise) -> None:
    """Show one hint more than before."""
    count = progress.next_hint(exercise, len(exercise.hints))
    for number in range(1, count + 1):
        render.hint(exercise, number)


def following(exercise: Exercise, path: Path) -> tuple[Exercise, Path] | None:
    """Begin the next exercise, in the same folder."""
    upon = upcoming(progress.load(), but=exercise)
    if upon is None:
        render.line("That was the last one: every exercise is solved.", "bold green")
        return None
    there = answers.path_for(upon, path.parent)
    begin(upon, there)
    return upon, there


def graded(exercise: Exercise, path: Path, keys: Keys, first: bool = False) -> tuple[bool, str | None]:
    """Grade the file as it is now and show the verdict; whether it passed. And the key that put an end to it, if one
    did: an answer that loops keeps nobody waiting, nor does one that is saved anew.

    The ``first`` time, what is not written yet is no news: then the task is shown.
    """
    clear()
    outcome: list[Verdict | UserError] = []

    def work() -> None:
        try:
            outcome.append(grade_file(exercise, path))
        except UserError as error:
            outcome.append(error)

    mark = mark_of(path)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(QUICK)
    while thread.is_alive():
        key = keys(POLL)
        if key == "h":
            hints(exercise)
        elif key in ("q", "s") or mark_of(path) not in (mark, None):
            end_all()
            thread.join(QUICK)
            return False, key
    found = outcome[0]
    if isinstance(found, UserError):
        render.line(str(found), "red")
        return False, None
    attempt = progress.record(exercise, found.status, found.check)
    if first and found.status == "unwritten":
        render.task(exercise, lesson_of(exercise))
        render.line(f"Write your answer in {path}: it is checked whenever you save it.")
    else:
        render.verdict(found, exercise, attempt)
        if found.passed:
            render.line(f"Ours, and why it is right: {answers.command('solution', exercise, path)}")
        render.line(f"{time.strftime('%H:%M:%S')} {path}", "dim")
    render.line(KEYS, "dim")
    return found.passed, None


def clear() -> None:
    """An empty screen; a line where there is none."""
    console = show.output()
    console.clear() if console.is_terminal else print("—" * 40)
    sys.stdout.flush()
