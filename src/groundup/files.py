"""Files written whole or not at all."""

import errno
import os
from pathlib import Path

from groundup.errors import UserError


def write_whole(path: Path, data: bytes | str) -> None:
    """Write a file beside its place, then move it there, so that no half-written file ever stands at ``path``."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data.encode() if isinstance(data, str) else data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True) if path.parent.is_dir() else None
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error)).lower()
        raise UserError(f"Cannot write {path}: {reason}.") from error
