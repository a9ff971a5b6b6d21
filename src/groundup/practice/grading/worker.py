"""The learner's own process: `python -I -S -B worker.py CONFIG`. Requests come on stdin, replies go to stdout.

Uses the standard library, NumPy and the four files beside it, never groundup. What the answer prints goes to stderr.
"""

import json
import os
import sys
from typing import Any


def main(config: dict[str, Any]) -> None:
    """Prepare, shut the doors, then answer requests until there are none."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.dup(1)
    if os.name == "nt":
        import msvcrt

        for file in (incoming.fileno(), outgoing):
            msvcrt.setmode(file, os.O_BINARY)  # type: ignore[attr-defined]
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    torch = config["track"] == "torch"
    if not torch:
        # Without ctypes nobody writes into memory by address; NumPy does without.
        sys.modules["ctypes"] = None  # type: ignore[assignment]
    sys.path[:] = [path for path in sys.path if os.path.isdir(path)]
    sys.path[1:1] = config["paths"]
    import numpy.ctypeslib  # which looks for ctypes once
    import numpy.fft
    import numpy.linalg
    import numpy.random  # noqa: F401

    packages: tuple[str, ...] = ("numpy",)
    homes = []
    for path in config["paths"]:
        parts = [name for name in os.listdir(path) if name in ("numpy", "numpy.libs") or name.startswith("numpy-")]
        homes += [os.path.join(path, name) + os.sep for name in parts]
    if torch:
        import torch.nn.functional

        torch.set_num_threads(1)
        # ctypes is torch's own already; what it does has events.
        packages = (
            "numpy",
            "torch",
            "functorch",
            "torchgen",
            "sympy",
            "mpmath",
            "optree",
            "typing_extensions",
            "ctypes",
        )
        homes = [path + os.sep for path in config["paths"]]
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    import guard  # type: ignore[import-not-found]
    import isolate  # type: ignore[import-not-found]
    import session  # type: ignore[import-not-found]
    import wire  # type: ignore[import-not-found]

    sys.path.remove(here)
    work = session.Session()
    work.alone = True
    guard.limit(config["seconds"])
    if not torch:
        sys.modules.pop("ctypes")
    isolate.isolate(homes, config["secret"][0], keep=torch)
    guard.watch(packages, tuple(homes), tuple(config["secret"]), work.refused.append)
    while size := incoming.read(8):
        request = wire.unpack(incoming.read(int.from_bytes(size, "big")), trusted=True)
        reply = work.ask(request)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:  # closed or replaced by the answer: then there is nothing to show
                continue
        try:
            data = wire.pack(reply, work.keep)
        except BaseException as error:
            data = wire.pack({"error": work.describe(error)})
        write(outgoing, len(data).to_bytes(8, "big") + data)


def write(file: int, data: bytes) -> None:
    """All of it, however little the pipe takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
