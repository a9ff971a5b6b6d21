"""``python -m groundup``, and the command ``groundup``: Ctrl-C is heard while the rest is still being imported."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from groundup.cli import main as run

        run()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
