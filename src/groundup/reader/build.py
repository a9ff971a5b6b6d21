"""The site: built in a checkout from the lessons, copied from the package elsewhere."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from groundup.errors import UserError
from groundup.files import write_whole
from groundup.reader import node

PACKAGE = Path(__file__).resolve().parents[1]
#: Where a wheel carries the built site.
SHIPPED = Path(__file__).parent / "site"

Progress = Callable[[int], AbstractContextManager[Callable[[str], None]]]


def checkout() -> Path | None:
    """The root of the checkout that this package runs from, or None for an installed package."""
    root = PACKAGE.parents[1]
    return root if (root / "web" / "package.json").is_file() else None


def stamp(root: Path) -> str:
    """A hash of all that the site is made of: the package, its data, the results and the front end."""
    digest = hashlib.sha256()
    for path in sorted(sources(root)):
        digest.update(f"{path.relative_to(root)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sources(root: Path) -> Iterable[Path]:
    """The files of a checkout that can change the site."""
    for folder in (root / "src" / "groundup", root / "results", root / "web"):
        for path, folders, files in os.walk(folder):
            folders[:] = [
                name for name in folders if name not in ("__pycache__", "node_modules", "site", "dist", ".cache")
            ]
            yield from (Path(path, file) for file in files)
    yield from root.glob("pyproject.toml")  # says where the source is


def build(root: Path, out: Path, jobs: int, torch: bool, progress: Progress) -> list[str]:
    """Execute the notebooks that have changed, and write the pages of a checkout's lessons into ``out``.

    Returns a sentence for each notebook that failed; its page has text and code all the same.
    """
    from groundup.lessons import all_lessons
    from groundup.reader import data
    from groundup.reader.executed import execute_all

    lessons, failed = all_lessons(), list[str]()
    tracks = sum(len(lesson.tracks) for lesson in lessons)
    with progress(tracks) as report:
        runs = execute_all(lessons, root / "build" / "executed", torch, jobs, report, failed)
    data.write(lessons, runs, root / "build" / "site-data")
    pages(root, out)
    return failed


def pages(root: Path, out: Path) -> None:
    """Render build/site-data into ``out``. Files that were there before go."""
    install(root / "web")
    node.run(
        ["node", "scripts/build.mjs", "--data", str(root / "build" / "site-data"), "--out", str(out)], root / "web"
    )


def install(web: Path) -> None:
    """Install what the front end needs, if that has changed."""
    installed, lock = web / "node_modules" / ".package-lock.json", web / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        node.run(["npm", "ci", "--no-audit", "--no-fund"], web)


def current(
    root: Path, jobs: int, torch: bool, progress: Progress, say: Callable[[str], None]
) -> tuple[Path, list[str]]:
    """The checkout's own built site, brought up to date if its sources have changed, and what failed on the way.

    What failed is tried again at the next call.
    """
    out, wanted, failed = root / "build" / "site", stamp(root), list[str]()
    if not is_current(root, wanted):
        say("Building the pages; lessons that have changed are run first.")
        failed = build(root, out, jobs, torch, progress)
        finish(root, wanted, failed)
    return out, failed


def is_current(root: Path, made_of: str) -> bool:
    """Whether the checkout's built site is what sources with this stamp make, and nothing failed."""
    kept = root / "build" / "site" / "stamp"
    return kept.is_file() and kept.read_text() == made_of and not (root / "build" / "failed").is_file()


def finish(root: Path, made_of: str, failed: Sequence[str]) -> None:
    """Keep that the site has been built of the sources with this stamp, and what failed."""
    failures = root / "build" / "failed"
    failures.unlink(missing_ok=True)
    if failed:
        write_whole(failures, "\n".join(failed) + "\n")
    write_whole(root / "build" / "site" / "stamp", made_of)


def clear(root: Path) -> None:
    """Take away a checkout's built pages, which are to be made anew."""
    site = root / "build" / "site"
    for name in ("lessons", "notebooks", "practice"):
        shutil.rmtree(site / name, ignore_errors=True)
    for name in ("index.html", "search.json", "way.json", "stamp"):
        (site / name).unlink(missing_ok=True)
    site.mkdir(parents=True, exist_ok=True)


def export(site: Path, out: Path, base: str, pyodide: str, say: Callable[[str], None]) -> None:
    """Copy a built site to ``out`` as plain files for any host, with the runtime that its cells will use.

    ``base`` is the path under which the host serves it ("/", "/courses/groundup/"), or its whole address. Only the page
    for wrong addresses needs the path, all others link relatively; an address is told to those who share links.
    ``pyodide``: "self" (its files are put beside the site), "cdn", the address of another copy, or "none".
    Raises UserError if ``out`` holds something else.
    """
    from groundup.reader import cards
    from groundup.reader import pyodide as files

    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "site.json").is_file())):
        raise UserError(f"{out} holds something that is not a site of groundup; name a new or empty folder.")
    if out.resolve() != site.resolve():
        kept = out / "pyodide"
        if out.is_dir():
            for old in out.iterdir():
                if old != kept:
                    shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        shutil.copytree(site, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("stamp"))
    lost = out / "404.html"
    write_whole(lost, lost.read_text().replace('="/', f'="{urlsplit(base).path}'))
    if urlsplit(base).scheme:
        cards.write(out, base, PACKAGE.parents[1] / "results" / "picture.png")
    if pyodide == "self":
        files.fetch(out / "pyodide", say)
    else:
        shutil.rmtree(out / "pyodide", ignore_errors=True)
    address = {"self": "pyodide/", "cdn": files.CDN, "none": ""}.get(pyodide, pyodide)
    runtime = {"kind": "pyodide", "url": address} if address else {"kind": "none"}
    write_whole(out / "runtime.json", json.dumps(runtime) + "\n")
