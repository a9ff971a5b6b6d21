"""Brings Pyodide, NumPy and Matplotlib into a folder, so that a site needs no other host to run its cells.

The core comes from Pyodide's npm package, which has no NumPy. The wheels come from a PyPI package that carries
them unchanged for its own page; each is checked against the sha256 in the core's lock, and the core against
INTEGRITY. So whoever serves these files, and whatever became of the cache, only the published bytes pass.
"""

import base64
import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from groundup.errors import UserError
from groundup.files import write_whole

VERSION = "314.0.3"
#: The same files on a public host, for sites that would rather point there.
CDN = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
#: sha512 of pyodide-314.0.3.tgz as npm publishes it, in base64.
INTEGRITY = "sK40My6m8tmBUYtYH9au9rXUeh9x0wfahtHdOlGmJxZDsKBGKtP6KznyFB2+u/klbQTdDionR0uaVd176zVQzQ=="
LOCK = "pyodide-lock.json"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
#: What cells import; the lock knows what these need in turn.
PACKAGES = ("numpy", "matplotlib")
CARRIER = "open-webui==0.12.4"

NOTICE = f"""Pyodide {VERSION} (Mozilla Public License 2.0, https://github.com/pyodide/pyodide) and Python packages
built for it, all unchanged; the licence of each package is inside its wheel.
{LOCK} is the published one, cut to the packages that are here.
"""

Say = Callable[[str], None]


def fetch(folder: Path, say: Say) -> None:
    """Put all that Pyodide needs to run the lessons into ``folder``; ``say`` is told of every download.

    Downloads are kept in cache_folder(). Raises UserError without network, with a full disk, or if what was
    downloaded is not what was published.
    """
    cache = cache_folder() / f"pyodide-{VERSION}"
    core = _core(cache, say)
    lock = json.loads(core[LOCK])
    lock["packages"] = _needed(lock["packages"], PACKAGES)
    wheels = _wheels({one["file_name"]: one["sha256"] for one in lock["packages"].values()}, cache, say)
    # A lock that lists what is not here would let a cell send the browser after it.
    files = {**core, **wheels, LOCK: json.dumps(lock, indent=1).encode(), "NOTICE.txt": NOTICE.encode()}
    for name, data in files.items():
        write_whole(folder / name, data)


def cache_folder() -> Path:
    """Where downloads are kept: $GROUNDUP_CACHE, or groundup's folder in the platform's cache for this user."""
    if chosen := os.environ.get("GROUNDUP_CACHE"):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/groundup"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "groundup/Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "groundup"


def _core(cache: Path, say: Say) -> dict[str, bytes]:
    """The files of the npm package that a browser loads, by name."""
    archive = cache / f"pyodide-{VERSION}.tgz"
    data = archive.read_bytes() if archive.is_file() else b""
    if not _is_published(data):
        url = f"{_registry()}/pyodide/-/{archive.name}"
        say(f"Downloading Pyodide {VERSION} (6 MB) from {url}")
        data = _download(url)
        if not _is_published(data):
            raise UserError(f"{url} is not the package that was published (its checksum differs).")
        write_whole(archive, data)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {name: tar.extractfile(f"package/{name}") for name in (*CORE, LOCK)}
        return {name: member.read() for name, member in members.items() if member is not None}


def _is_published(archive: bytes) -> bool:
    return base64.b64encode(hashlib.sha512(archive).digest()).decode() == INTEGRITY


def _registry() -> str:
    """The npm registry that this machine is set up for, without a slash at its end."""
    chosen = os.environ.get("NPM_CONFIG_REGISTRY", "")
    if not chosen and (npm := shutil.which("npm")):
        asked = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, check=False)
        chosen = asked.stdout.strip() if asked.returncode == 0 else ""
    return (chosen or "https://registry.npmjs.org").rstrip("/")


def _download(url: str) -> bytes:
    try:
        with urlopen(Request(url, headers={"User-Agent": "groundup"}), timeout=60) as answer:
            data: bytes = answer.read()
            return data
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise UserError(f"Cannot download Pyodide from {url} ({reason}): is this machine online?") from error


def _needed(packages: dict[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """The wanted entries of a lock and, in turn, those that they depend on."""
    found: dict[str, Any] = {}
    names = list(wanted)
    while names:
        name = names.pop()
        if name not in found:
            found[name] = packages[name]
            names += packages[name]["depends"]
    return dict(sorted(found.items()))


def _wheels(wanted: dict[str, str], cache: Path, say: Say) -> dict[str, bytes]:
    """The wheels by file name, each with its wanted sha256, from the cache or from the package that carries them."""
    kept = {name: (cache / name).read_bytes() for name in wanted if (cache / name).is_file()}
    good = {name: data for name, data in kept.items() if _sha256(data) == wanted[name]}
    missing = sorted(wanted.keys() - good)
    if missing:
        say(f"Downloading NumPy and Matplotlib for Pyodide (106 MB, of which 13 MB are kept): {CARRIER} from PyPI")
        for name, data in _carried(missing, cache).items():
            if _sha256(data) != wanted[name]:
                raise UserError(f"{name} in {CARRIER} is not the file that Pyodide published (its checksum differs).")
            write_whole(cache / name, data)
            good[name] = data
    return good


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _carried(names: list[str], cache: Path) -> dict[str, bytes]:
    """Files of Pyodide's folder in the PyPI package, which pip downloads as it is set up on this machine."""
    # --python-version: the package refuses newer Pythons, and not a line of it will run here.
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--python-version=3.12", "--no-cache-dir"]
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        command = [sys.executable, "-m", "pip", "download", *options, f"--dest={folder}", CARRIER]
        # pip unpacks into TMPDIR: the cache's disk is the one that is known to have room.
        environment = {**os.environ, "TMPDIR": folder}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        found = next(Path(folder).glob("*.whl"), None)
        if done.returncode or found is None:
            raise UserError(_why(done.stderr, cache))
        with zipfile.ZipFile(found) as wheel:
            inside = {path.rsplit("/", 1)[-1]: path for path in wheel.namelist() if "/pyodide/" in path}
            absent = [name for name in names if name not in inside]
            if absent:
                raise UserError(f"{CARRIER} does not carry {', '.join(absent)}.")
            return {name: wheel.read(inside[name]) for name in names}


def _why(stderr: str, cache: Path) -> str:
    """One sentence out of what pip wrote."""
    if "No module named pip" in stderr:
        return f"NumPy for Pyodide is downloaded with pip, which {sys.executable} does not have."
    if os.strerror(errno.ENOSPC) in stderr:
        return f"Cannot write {cache}: the disk is full."
    last = next((line for line in reversed(stderr.splitlines()) if line.startswith("ERROR")), "ERROR: no reason given")
    return f"Cannot download {CARRIER} from PyPI ({last.removeprefix('ERROR: ').rstrip('.')}): is this machine online?"
