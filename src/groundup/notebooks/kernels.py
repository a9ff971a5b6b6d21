"""Kernels: processes of the Python that runs now, for notebooks and for live cells."""

import os
from pathlib import Path
from typing import Any


def kernel_manager(scratch: Path) -> Any:
    """A manager for one kernel, not yet started, whose files lie in ``scratch``.

    ``scratch`` must be short: the kernel's sockets are files, whose paths may have 100 letters.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    return AsyncKernelManager(
        # No folders: always the Python that runs now, whatever kernels the user has installed.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True),
        transport="ipc" if os.name == "posix" else "tcp",
        connection_file=str(scratch / "kernel.json"),
    )
