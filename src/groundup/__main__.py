"""``python -m groundup``, and the command ``groundup``: Ctrl-C is heard while the rest is still being imported."""

import os
import signal
import sys


def leave(*_: object) -> None:
    """End at once, however deep in an import: an exception there may get lost or come out as another."""
    os.write(2, b"Stopped.\n")
    os._exit(130)


def main() -> None:
    """Run the command line."""
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:  # else somebody has decided otherwise, such as nohup or a shell's &
        signal.signal(signal.SIGINT, leave)
    from groundup.cli import main as run

    try:
        signal.signal(signal.SIGINT, heard)
        run()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
