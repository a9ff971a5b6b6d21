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
from groundup.practice.desk import begin, check_file, upcoming
from groundup.practice.exercise import Exercise
from groundup.practice.registry import lesson_of

POLL = 0.1  # seconds; looking at one file costs nothing, and works on every kind of drive and with every editor
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
    while following:
        following = watch_one(*following, keys)


def watch_one(exercise: Exercise, path: Path, keys: Keys) -> tuple[Exercise, Path] | None:
    """Watch one exercise; returns the one to go on with, None to stop."""
    seen = last = mark_of(path)
    passed = graded(exercise, path, first=True)
    away = 0.0
    while True:
        key = keys(POLL)
        if key == "q":
            return None
        if key == "h":
            count = progress.next_hint(exercise, len(exercise.hints))
            for number in range(1, count + 1):
                render.hint(exercise, number)
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
        if now is None:
            away += POLL
            if away - POLL < GONE <= away:
                render.line(f"{path} is gone: waiting for it to come back.", "yellow")
        elif settled and (now != seen or key == ""):
            seen, away = now, 0.0
            passed = graded(exercise, path)
            last = mark_of(path)


def following(exercise: Exercise, path: Path) -> tuple[Exercise, Path] | None:
    """Begin the next exercise, in the same folder."""
    upon = upcoming(progress.load(), but=exercise)
    if upon is None:
        render.line("That was the last one: every exercise is solved.", "bold green")
        return None
    there = answers.path_for(upon, path.parent)
    begin(upon, there)
    return upon, there


def graded(exercise: Exercise, path: Path, first: bool = False) -> bool:
    """Grade the file as it is now and show the verdict; whether it passed.

    The ``first`` time, what is not written yet is no news: then the task is shown.
    """
    clear()
    try:
        verdict, attempt = check_file(exercise, path)
    except UserError as error:
        render.line(str(error), "red")
        return False
    if first and verdict.status == "unwritten":
        render.task(exercise, lesson_of(exercise))
        render.line(f"Write your answer in {path}: it is checked whenever you save it.")
    else:
        render.verdict(verdict, exercise, attempt)
        if verdict.passed:
            render.line(f"Ours, and why it is right: {answers.command('solution', exercise, path)}")
        render.line(f"{time.strftime('%H:%M:%S')} {path}", "dim")
    render.line(KEYS, "dim")
    return verdict.passed


def clear() -> None:
    """An empty screen; a line where there is none."""
    console = show.output()
    console.clear() if console.is_terminal else print("—" * 40)
    sys.stdout.flush()
