"""What the operating system takes from the learner's process, where it offers that: on Linux, Landlock.

A hook of Python sees what goes through Python. The kernel sees all: whatever an answer does with memory, with C code or
with another interpreter, files but Python's own and the packages' stay unreadable (the reference among them), nothing
is written, no program is started and no signal leaves. Needs no privileges. This file stands alone.
"""

import contextlib
import os
import struct
import sys
from collections.abc import Iterator
from typing import Any

CREATE, ADD, RESTRICT = 444, 445, 446  # the system calls' numbers, on every processor that Linux runs on
NO_NEW_PRIVILEGES, DIE_WITH_PARENT, SIGKILL = 38, 1, 9  # of prctl
READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
DEVICES = ("/dev/null", "/dev/urandom", "/proc/self", "/proc/cpuinfo", "/sys/devices/system/cpu")


def isolate(packages: list[str], secret: str, keep: bool = False) -> bool:
    """Shut everything but what may be read: Python itself, the ``packages`` (folders), but nothing in ``secret``.

    Whether the system could; if not, nothing has changed. With ``keep`` ctypes stays, for a package that uses it.
    """
    if sys.platform != "linux":
        return False
    try:
        import ctypes
    except ImportError:
        return False
    try:
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(DIE_WITH_PARENT, SIGKILL, 0, 0, 0)
        return landlock(library.syscall, library.prctl, list(readable(packages, secret)))
    except (OSError, AttributeError):
        return False
    finally:  # nobody is to find these by walking through objects
        for name in [] if keep else [name for name in sys.modules if name.partition(".")[0] in ("ctypes", "_ctypes")]:
            vars(sys.modules.pop(name)).clear()


def landlock(syscall: Any, prctl: Any, paths: list[tuple[str, int]]) -> bool:
    """Restrict this process and all that it starts to reading these paths."""
    version = syscall(CREATE, None, 0, 1)
    if version < 1:
        return False
    files = (1 << (13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16)) - 1
    network, scope = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = syscall(CREATE, struct.pack("QQQ", files, network, scope), size, 0)
    if rules < 0:
        return False
    try:
        for path, rights in paths:
            with contextlib.suppress(OSError):
                place = os.open(path, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined,unused-ignore]
                try:
                    syscall(ADD, rules, 1, struct.pack("=Qi", rights, place), 0)
                finally:
                    os.close(place)
        return prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and syscall(RESTRICT, rules, 0) == 0
    finally:
        os.close(rules)


def readable(packages: list[str], secret: str) -> Iterator[tuple[str, int]]:
    """Paths and what may be done with them. A folder that holds the secret is opened entry by entry."""
    secret = os.path.realpath(secret)
    library = os.path.dirname(os.path.realpath(os.__file__))
    for folder in dict.fromkeys(os.path.dirname(os.path.realpath(folder)) for folder in packages):
        yield folder, READ_FOLDER  # what is installed is no secret
    for folder in [library, *packages, *SYSTEM, *DEVICES]:
        yield from beneath(os.path.realpath(folder), secret, folder == library)


def beneath(path: str, secret: str, inside: bool) -> Iterator[tuple[str, int]]:
    """The path whole, or what is ``inside`` it but the secret and the packages that were installed there."""
    if path == secret or path.startswith(secret + os.sep) or not os.path.exists(path):
        return
    if not os.path.isdir(path):
        yield path, READ_FILE
    elif inside or secret.startswith(path + os.sep):
        yield path, READ_FOLDER
        for name in os.listdir(path):
            if name not in ("site-packages", "dist-packages"):
                yield from beneath(os.path.join(path, name), secret, False)
    else:
        yield path, READ_FILE | READ_FOLDER
