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
    *("signal.", "subprocess.", "socket.", "sqlite3.", "ctypes.", "resource.", "shutil.", "webbrowser.", "fcntl."),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
    *("os.lchown", "os.chflags", "os.utime", "os.setxattr", "os.removexattr", "os.add_dll_directory", "tempfile."),
    *("cpython.", "gc.get_", "code.__new__", "mmap.", "sys._current", "winreg.", "_winapi.", "msvcrt.", "syslog."),
)
#: What of Python's own library an answer may import: pure, or harmless, with what these import themselves.
MODULES = (
    *("__future__", "_abc", "_ast", "_bisect", "_blake2", "_bz2", "_codecs", "_collections"),
    *("_collections_abc", "_colorize", "_compat_pickle", "_compression", "_contextvars", "_csv", "_datetime"),
    *("_decimal", "_functools", "_hashlib", "_heapq", "_io", "_json", "_locale", "_lsprof", "_lzma", "_md5"),
    *("_opcode", "_opcode_metadata", "_operator", "_pickle", "_py_abc", "_pydatetime", "_pydecimal", "_pylong"),
    *("_py_warnings", "_queue", "_random", "_sha1", "_sha2", "_sha256", "_sha3", "_sha512", "_signal", "_socket"),
    *("_sre", "_ssl", "_stat", "_statistics", "_string", "_strptime", "_struct", "_suggestions", "_symtable"),
    *("_sysconfig", "_thread", "_threading_local", "_tokenize", "_tracemalloc", "_types", "_typing", "_uuid"),
    *("_warnings", "_weakref", "_weakrefset", "_zoneinfo", "_zstd", "abc", "annotationlib", "argparse", "array"),
    *("ast", "atexit", "base64", "bdb", "binascii", "bisect", "builtins", "bz2", "cProfile", "calendar", "cmath"),
    *("cmd", "code", "codecs", "codeop", "colorsys", "contextlib", "contextvars", "copy", "copyreg", "csv"),
    *("dataclasses", "datetime", "decimal", "difflib", "dis", "doctest", "enum", "errno", "faulthandler"),
    *(
        "fcntl",
        "fileinput",
        "fnmatch",
        "fractions",
        "functools",
        "gc",
        "genericpath",
        "getopt",
        "getpass",
        "gettext",
        "glob",
        "graphlib",
    ),
    *("gzip", "hashlib", "heapq", "hmac", "inspect", "io", "ipaddress", "itertools", "keyword", "linecache"),
    *("locale", "lzma", "marshal", "math", "numbers", "opcode", "operator", "optparse", "os", "pdb", "pickle"),
    *(
        "pickletools",
        "pkgutil",
        "platform",
        "posix",
        "posixpath",
        "ntpath",
        "pprint",
        "profile",
        "pstats",
        "pwd",
        "pydoc",
    ),
    *("queue", "quopri", "random", "reprlib", "rlcompleter", "sched", "secrets", "select", "selectors", "shlex"),
    *("shutil", "signal", "socket", "ssl", "stat", "statistics", "stringprep", "struct", "subprocess", "symtable"),
    *("sys", "tempfile", "termios", "textwrap", "this", "threading", "time", "timeit", "token", "tokenize"),
    *("trace", "traceback", "tracemalloc", "types", "typing", "unicodedata", "uuid", "warnings", "weakref"),
    *("zipfile", "zipimport", "zlib"),
)
#: Packages of it, with all that is in them.
FOLDERS = (
    *("collections", "compression", "concurrent", "email", "encodings", "html", "importlib", "json"),
    *("logging", "pathlib", "re", "string", "sysconfig", "unittest", "urllib", "xml", "zoneinfo"),
)
#: Imported by those where they are there, and not needed: as good as not installed.
ABSENT = (
    *("readline", "_winapi", "msvcrt", "nt", "org", "string.templatelib", "_pyrepl", "_remote_debugging"),
    *("charset_normalizer", "chardet", "colorama", "flint", "gmpy", "gmpy2"),
)
HOOK = """
def hook(event, args):
    what = ""
    if event == "import":
        name = "".join((args[0],))
        root = name.partition(".")[0]
        if root in ABSENT or name in ABSENT:
            raise missing(name)
        if args[1] is not None:
            path = "".join((args[1],))
            if not (name in MODULES or path.startswith(HOMES)) or "/../" in path:
                what = "import " + name
        elif not (name in MODULES or root in FOLDERS or root in PACKAGES or root.startswith("_sysconfigdata_")):
            what = "import " + name
    elif event == "open":
        try:
            path = "".join((args[0],))
        except:
            path = "(by bytes or by its number)"
        if path.endswith(".pdbrc"):
            raise nothing(path)
        if args[2] & WRITING:
            what = "writing a file"
        elif "/./" in path or "//" in path or ".." in path or not (
            (path.startswith(HOMES) and not path.lower().startswith(SECRET))
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


def watch(
    packages: tuple[str, ...], homes: tuple[str, ...], secret: tuple[str, ...], tell: Callable[[str], None]
) -> None:
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
    constants = {
        "MODULES": "{" + repr(MODULES)[1:-1] + "}",
        "FOLDERS": "{" + repr(FOLDERS)[1:-1] + "}",
        "ABSENT": "{" + repr(tuple(set(ABSENT) - set(sys.modules)))[1:-1] + "}",
        "PACKAGES": "{" + repr(packages)[1:-1] + "}",
        "WRITING": str(os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND),
        "HOMES": repr(homes),
        "SECRET": repr(tuple(path.lower() for path in secret)),
        "OWN": repr(os.path.dirname(os.__file__) + os.sep),
        "EVENTS": repr(EVENTS),
    }
    text = HOOK
    for name, value in constants.items():
        text = text.replace(name, value)
    namespace = {"tell": tell, "refusal": Refused, "missing": ModuleNotFoundError, "nothing": FileNotFoundError}
    exec(text, namespace)
    sys.addaudithook(namespace.pop("hook"))  # type: ignore[arg-type]
