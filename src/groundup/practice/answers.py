"""The learner's files: one for each exercise, written once and never over anything."""

import re
import shlex
import textwrap
from pathlib import Path

from groundup.errors import UserError
from groundup.files import write_whole
from groundup.practice.exercise import Exercise
from groundup.practice.mathtext import plain
from groundup.practice.registry import find_exercise
from groundup.practice.starter import starter
from groundup.practice.store import reason_for

FOLDER = Path("practice")
MARK = re.compile(rb"^# Exercise: (\w+)", re.MULTILINE)
LARGEST = 1_000_000  # bytes; an answer has a few thousand


def path_for(exercise: Exercise, folder: Path = FOLDER) -> Path:
    """Where the answer to an exercise lies."""
    return folder / f"{exercise.name}.py"


def command(verb: str, exercise: Exercise, path: Path) -> str:
    """The command line that does something with an answer, as it is to be typed."""
    named = verb in ("hint", "solution", "skip")
    known = path == path_for(exercise)
    return f"groundup practice {verb} {exercise.name if named or known else shlex.quote(str(path))}"


def fresh(exercise: Exercise, path: Path) -> str:
    """What a new file holds: the task as a comment, then the starter."""
    lines = [
        f"Exercise: {exercise.name}",
        f"{exercise.title} (difficulty {exercise.difficulty} of 5, {exercise.minutes} minutes)",
        "",
        *comment_lines(plain(exercise.task)),
        "",
        f"Is it right?   {command('check', exercise, path)}",
        f"On every save: {command('watch', exercise, path)}",
        f"Stuck?         {command('hint', exercise, path)}",
    ]
    header = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    return f"{header}\n{starter(exercise)}"


def comment_lines(text: str) -> list[str]:
    """Paragraphs, broken to fit; lists and indented lines keep their lines."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        kept = block.startswith("    ") or any(re.match(r"\s*([-*|]|\d+\.) ", line) for line in block.splitlines())
        pieces = block.splitlines() if kept else [" ".join(block.split())]
        for piece in pieces:
            indent = " " * (len(piece) - len(piece.lstrip()))
            lines += textwrap.wrap(
                piece, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            ) or [""]
        lines.append("")
    return lines[:-1]


def write_fresh(exercise: Exercise, path: Path) -> bool:
    """Write a new file, whole or not at all; False, and nothing is touched, if there is one with anything in it."""
    if not path.is_file() and (path.exists() or path.is_symlink()):
        raise UserError(f"Cannot write {path}: something that is not a file is in the way.")
    try:
        if path.exists() and path.stat().st_size:
            return False
    except OSError as error:
        raise UserError(f"Cannot write {path}: {reason_for(error)}.") from error
    write_whole(path, fresh(exercise, path))
    return True


def is_untouched(exercise: Exercise, path: Path) -> bool:
    """Whether the file is as it was written."""
    return read(path) == fresh(exercise, path).encode()


def keep_aside(path: Path) -> Path:
    """Move a file to a free name beside it: ``softmax (1).py``."""
    number = 1
    while (aside := path.with_name(f"{path.stem} ({number}){path.suffix}")).exists():
        number += 1
    try:
        path.rename(aside)
    except OSError as error:
        raise UserError(f"Cannot move {path}: {reason_for(error)}.") from error
    return aside


def find(target: str, folder: Path = FOLDER) -> tuple[Exercise, Path]:
    """The exercise and the file that a name or a file stands for; the file need not be there. Raises UserError."""
    if not (target.endswith(".py") or "/" in target or "\\" in target):
        exercise = find_exercise(target)
        return exercise, path_for(exercise, folder)
    path = Path(target)
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    if found := MARK.search(read(path)):
        return find_exercise(found[1].decode()), path
    try:
        return find_exercise(re.sub(r" \(\d+\)$", "", path.stem)), path
    except UserError:
        raise UserError(
            f"{path} does not say which exercise it answers: begin it with a line such as `# Exercise: softmax`."
        ) from None


def read(path: Path) -> bytes:
    """The file's bytes. Raises UserError if there is no such file or it is far too large for an answer."""
    try:
        if path.is_file() and path.stat().st_size > LARGEST:
            raise UserError(f"{path} has {path.stat().st_size / 1e6:.0f} MB: that is no answer to an exercise.")
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"There is no file {path}: `groundup practice start {path.stem}` writes one.") from None
    except OSError as error:
        raise UserError(f"Cannot read {path}: {reason_for(error)}.") from error
