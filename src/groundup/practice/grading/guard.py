"""Limits on the learner's process, and calls that it may not make. This file stands alone.

The guard is an audit hook of Python itself: nobody can take one out, and a tracer does not see it. What it decides
by are constants in its code, for the code that it watches could change everything else: global names, built-ins,
and what closures hold (through the frames of an exception).
"""

import os
import sys
from collections.abc import Callable

MEMORY = 2 * 1024**3  # bytes above what the process has when the learner's code begins
#: Beginnings of the names of events: processes, signals, the network, memory by address, changes to the disk.
EVENTS = (
    *("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill", "pty.spawn"),
    *("signal.pthread_kill", "subprocess.", "socket.", "sqlite3.", "ctypes.", "resource.", "shutil.", "webbrowser."),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
    *("gc.get_", "code.__new__", "winreg.", "syslog."),
)
#: Imports that are refused by name; of others that are no part of Python or NumPy the files cannot be read.
UNWANTED = (
    *("groundup", "torch", "scipy", "autograd", "jax", "tensorflow", "keras", "sklearn", "cupy", "numba", "tinygrad"),
    *("ctypes", "_ctypes", "_posixsubprocess", "subprocess", "multiprocessing", "_multiprocessing"),
)
HOOK = """
def hook(event, args):
    what = ""
    if event == "import":
        name = "".join((args[0],)).partition(".")[0]
        if name in {UNWANTED}:
            what = "import " + name
    elif event == "open":
        try:
            path = "".join((args[0],))
        except:
            path = "(by bytes or by its number)"
        if args[2] & WRITING:
            what = "writing a file"
        elif ".." in path or not (
            (path.startswith(HOMES) and not path.startswith(SECRET))
            or (path.startswith(OWN) and "site-packages" not in path and "dist-packages" not in path)
        ):
            what = "reading the file " + path
    elif event.startswith(EVENTS):
        what = event
    if what:
        tell(what)
        raise refusal(what)
"""


class Refused(BaseException):
    """A call that an answer may not make. Not an Exception, so that `except Exception` does not swallow it."""


def limit(seconds: float) -> None:
    """Bound memory, processor time and written files of this process, where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the grader's own clock is left
        return
    pages = 0
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
    memory = pages * resource.getpagesize() + MEMORY
    wanted = {
        "RLIMIT_AS": (memory, memory) if pages else None,
        "RLIMIT_CPU": (int(seconds) + 2, int(seconds) + 4),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_FSIZE": (0, 0),
    }
    for name, bounds in wanted.items():
        if bounds and hasattr(resource, name):
            try:
                resource.setrlimit(getattr(resource, name), bounds)
            except (ValueError, OSError):  # a stricter limit is there already
                continue


def watch(packages: tuple[str, ...], homes: tuple[str, ...], secret: str, tell: Callable[[str], None]) -> None:
    """From now on refuse what an answer has no use for: other packages, files, processes, the network.

    ``packages`` may be imported, and files be read that lie in ``homes`` but not in ``secret``, or belong to Python.
    ``tell`` hears what was refused.
    """
    # Without an event of its own there is one way to a new process: give it one.
    stub = type(sys)("_posixsubprocess")
    stub.fork_exec = lambda *_: os.fork()  # type: ignore[attr-defined]
    sys.modules["_posixsubprocess"] = stub
    if "subprocess" in sys.modules:
        sys.modules["subprocess"]._fork_exec = stub.fork_exec  # type: ignore[attr-defined]
    sys.modules.pop("ctypes", None)
    unwanted = sorted(set(UNWANTED) - set(packages))
    text = HOOK.replace("{UNWANTED}", "{" + repr(unwanted)[1:-1] + "}")
    text = text.replace("WRITING", str(os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))
    text = (
        text.replace("HOMES", repr(homes))
        .replace("SECRET", repr(secret))
        .replace("OWN", repr(os.path.dirname(os.__file__) + os.sep))
    )
    namespace = {"tell": tell, "refusal": Refused}
    exec(text.replace("EVENTS", repr(EVENTS)), namespace)
    sys.addaudithook(namespace.pop("hook"))  # type: ignore[arg-type]
