"""Kernels: processes of the Python that runs now, for notebooks and for live cells."""

import os
import tempfile
from pathlib import Path
from typing import Any

LONGEST = 60  # letters of a folder whose sockets still have names that the system takes


def kernel_manager(scratch: Path) -> Any:
    """A manager for one kernel, not yet started, whose files lie in ``scratch``.

    Its sockets are files where their names are short enough (a path may have 100 letters), ports otherwise.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    return AsyncKernelManager(
        # No folders: always the Python that runs now, whatever kernels the user has installed.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True),
        transport="ipc" if os.name == "posix" and len(str(scratch)) <= LONGEST else "tcp",
        connection_file=str(scratch / "kernel.json"),
    )


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for a kernel's files: a short one, even where TMPDIR is long or may not be written to."""
    folders = [tempfile.gettempdir(), *(["/tmp", "/var/tmp", "/dev/shm"] if os.name == "posix" else [])]
    places = [place for place in folders if os.path.isdir(place) and os.access(place, os.W_OK)]
    short = [place for place in places if len(place) <= LONGEST - len("/groundup-12345678")]
    place = next(iter(short or places), None)
    return tempfile.TemporaryDirectory(prefix="groundup-", dir=place, ignore_cleanup_errors=True)
