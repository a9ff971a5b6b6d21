"""Files written whole or not at all."""

import contextlib
import errno
import os
from pathlib import Path

from groundup.errors import UserError


def sweep(folder: Path) -> None:
    """Remove what processes that were killed while writing left in a folder."""
    for part in folder.glob(".*.part"):
        writer = part.name.split(".")[-2]
        if writer.isdecimal() and not is_running(int(writer)):
            part.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Whether there is a process of that number; where that cannot be asked, it is taken to run."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_whole(path: Path, data: bytes | str) -> None:
    """Write a file beside its place, then move it there, so that no half-written file ever stands at ``path``."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data.encode() if isinstance(data, str) else data)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error)).lower()
        raise UserError(f"Cannot write {path}: {reason}.") from error
