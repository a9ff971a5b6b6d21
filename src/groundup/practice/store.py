"""Where progress is kept: one JSON file in the user's data folder, changed whole and by one process at a time."""

import contextlib
import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from groundup.errors import UserError
from groundup.files import write_whole

VERSION = 1
PATIENCE = 10.0  # seconds to wait for another process, which needs a few milliseconds

Say = Callable[[str], None]
Exercises = dict[str, dict[str, Any]]
T = TypeVar("T")


class Newer(ValueError):
    """A file of a later version: not broken, only unknown."""


def to_stderr(text: str) -> None:
    """The plainest way to say something beside the output."""
    print(text, file=sys.stderr)


def data_folder() -> Path:
    """$GROUNDUP_DATA, or groundup's folder in the platform's place for this user's data."""
    if chosen := os.environ.get("GROUNDUP_DATA"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/groundup"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "groundup"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "groundup"


def progress_file() -> Path:
    """The file itself, where a link of that name leads."""
    return (data_folder() / "practice.json").resolve()


def encode(exercises: Exercises) -> str:
    """The file's text."""
    return json.dumps({"version": VERSION, "exercises": exercises}, indent=1) + "\n"


def decode(data: bytes, checked: Callable[[Any], Exercises]) -> Exercises:
    """The exercises in the bytes of a progress file. Raises ValueError with a few words that say why there are none."""
    try:
        record = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    version = record.get("version") if isinstance(record, dict) else None
    if type(version) is not int:
        raise ValueError("it is not a progress file")
    if version > VERSION:
        raise Newer(f"a newer groundup wrote it (version {version}; this one knows {VERSION})")
    return checked(record.get("exercises"))


def read(checked: Callable[[Any], Exercises], say: Say = to_stderr) -> Exercises:
    """What the file holds, {} if there is none. A file that cannot be used is set aside, but not a newer groundup's,
    which reading leaves alone; what goes wrong is said."""
    path = progress_file()
    try:
        decode(path.read_bytes(), checked)
    except Newer as newer:
        say(f"{path} cannot be used: {newer}. It is left as it is.")
        return {}
    except (OSError, ValueError):
        pass
    try:
        return _read(path, checked, say)
    except UserError as error:
        say(str(error))
        return {}


def change(
    function: Callable[[Exercises], T], checked: Callable[[Any], Exercises], say: Say = to_stderr, strict: bool = False
) -> T:
    """Read, let ``function`` change what was read, write: no other process's change falls between.

    Returns what ``function`` returns. Where nothing can be written, that is said in a sentence and the result is
    returned all the same; with ``strict`` it is a UserError.
    """
    path = progress_file()
    done: list[T] = []
    try:
        with locked(path.with_suffix(".lock")):
            exercises = _read(path, checked, say)
            done.append(function(exercises))
            write_whole(path, encode(exercises))
    except UserError as error:
        if strict:
            raise
        say(f"Your progress is not kept. {error}")
        return done[0] if done else function(_peek(path, checked))
    return done[0]


def _read(path: Path, checked: Callable[[Any], Exercises], say: Say) -> Exercises:
    newer = False
    try:
        return decode(path.read_bytes(), checked)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        reason, newer = str(error), isinstance(error, Newer)
    except IsADirectoryError:
        reason = "it is a folder"
    except OSError as error:
        raise UserError(f"Cannot read {path}: {reason_for(error)}.") from error
    number = 1
    while (aside := path.with_name(f"{path.stem}.broken-{number}{path.suffix}")).exists():
        number += 1
    try:
        path.rename(aside)
    except FileNotFoundError:  # another process has done it
        return {}
    except OSError as error:
        raise UserError(f"{path} cannot be used ({reason}), nor set aside: {reason_for(error)}.") from error
    back = f" With the newer one, `groundup practice import {aside}` brings it back." if newer else ""
    say(f"{path} cannot be used: {reason}. It is kept as {aside.name}, and progress begins anew.{back}")
    return {}


def _peek(path: Path, checked: Callable[[Any], Exercises]) -> Exercises:
    """What can be read without changing anything."""
    try:
        return decode(path.read_bytes(), checked)
    except (OSError, ValueError):
        return {}


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that other processes respect. Raises UserError if the folder cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise UserError(f"Cannot write {path.parent}: {reason_for(error)}.") from error
    with file:
        deadline = time.monotonic() + PATIENCE
        while not _try_lock(file):
            if time.monotonic() > deadline:
                raise UserError(f"Another groundup has been holding {path} for {PATIENCE:.0f} s.")
            time.sleep(0.01)
        yield  # closing the file gives the lock back


def _try_lock(file: BinaryIO) -> bool:
    """Whether the lock is ours now; where a file system or platform has no locks, it is."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return True
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def reason_for(error: OSError) -> str:
    """The system's words, in lower case."""
    return "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error)).lower()
