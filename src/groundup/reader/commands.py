"""``groundup learn`` and ``groundup site``: the reader on this machine, and as plain files for a web host."""

import functools
import os
import re
from pathlib import Path
from typing import Annotated

import typer

from groundup import show
from groundup.errors import UserError
from groundup.lessons import find_lesson
from groundup.reader import build

site = typer.Typer(
    help="Build the reader as plain files for any web host, or rebuild it while you write a lesson.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

OnPort = Annotated[int, typer.Option(min=1, max=65535, help="If it is busy, the next free one.")]
Browser = Annotated[bool, typer.Option(help="Open the browser.")]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        metavar="NAME",
        help="Answer to this name too, such as box:9000: what the browser's address shows where the port is forwarded.",
    ),
]
Jobs = Annotated[int, typer.Option(min=1, help="Notebooks to run at a time, one thread each.")]
JOBS = min(2, os.cpu_count() or 1)


def learn(
    lesson: Annotated[
        str | None, typer.Argument(metavar="[LESSON]", help="The lesson to open. [default: the front page]")
    ] = None,
    port: OnPort = 8765,
    browser: Browser = True,
    jobs: Jobs = JOBS,
    allow_host: Hosts = None,
) -> None:
    """Read the lessons in the browser, with cells that run on this machine.

    In a checkout the pages come at once, and lessons that have no outputs yet get them while you read.

    Serves on this machine only; nobody else can reach it or run code through it. Ctrl-C ends it. If you forward its
    port to another machine (`ssh -L 9000:localhost:8765 box`), say under which name: `--allow-host localhost:9000`.

    Examples: `groundup learn`, `groundup learn 13`, `groundup learn --no-browser --port 9000`
    """
    from groundup.reader import background, server

    page = f"lessons/{find_lesson(lesson).folder.name}/" if lesson else ""
    root = build.checkout()
    if root is None:
        server.serve(_shipped(), port=port, browser=browser, page=page, say=show.stderr, allowed=allow_host or ())
    else:
        _demand_builders()
        background.serve(root, port, browser, page, jobs, show.stderr, allow_host or ())


@site.command("build")
def site_build(
    out: Annotated[Path, typer.Option(help="Folder for the pages: new, empty, or an older site.")],
    base: Annotated[
        str,
        typer.Option(
            help="Path under which the host will serve them, as in /groundup/, or the whole address: then links that "
            "people share carry a picture."
        ),
    ] = "/",
    pyodide: Annotated[
        str,
        typer.Option(
            metavar="self|cdn|none|URL",
            help="Where the browser gets Python for live cells: beside the site (27 MB), from the public CDN, "
            "from an address of your own, or nowhere.",
        ),
    ] = "self",
    jobs: Jobs = JOBS,
) -> None:
    """Write the reader as plain files. There, NumPy cells run in the reader's browser (Pyodide).

    Examples: `groundup site build --out public`, `groundup site build --out public --base /groundup/ --pyodide cdn`
    """
    if not re.fullmatch(r"(https?://[\w.-]+(:\d+)?)?/([\w.~-]+/)*", base):
        raise UserError(
            f"--base is a path that begins and ends with /, such as /groundup/, or an address such as "
            f"https://school.org/groundup/, not {base!r}."
        )
    if pyodide not in ("self", "cdn", "none") and not re.fullmatch(r"https?://\S+/", pyodide):
        raise UserError(f"--pyodide is self, cdn, none or an address that ends with /, not {pyodide!r}.")
    built, failed = _built(jobs)
    build.export(built, out, base, pyodide, show.stderr)
    show.stderr(f"The site is in {out}; any web host can serve it as it is.")
    if base == "/":
        show.stderr("If that will be under a path, as in https://school.org/dl/, build it with `--base /dl/`.")
    if failed:
        show.stderr(f"{len(failed)} of the notebooks failed, as said above: their pages are without outputs.")
        raise typer.Exit(1)


@site.command("dev")
def site_dev(port: OnPort = 8765, browser: Browser = True, jobs: Jobs = JOBS) -> None:
    """Serve a checkout's pages and reload them whenever a lesson, a model or the front end is saved.

    A saved lesson shows at once with the outputs of cells that have not changed; then it is run, and shows again.
    """
    root = build.checkout()
    if root is None:
        raise UserError("There are no lessons to edit here: `groundup site dev` works in a checkout of groundup.")
    show.demand("watchfiles", "Rebuilding on save")
    from groundup.reader import dev

    dev.serve(root, _built(jobs)[0], port, browser, show.stderr)


def _built(jobs: int) -> tuple[Path, list[str]]:
    """The site to serve: a checkout's own, up to date, or the one that came with the package; and what failed."""
    root = build.checkout()
    if root is None:
        return _shipped(), []
    _demand_builders()
    progress = functools.partial(show.progress, quiet=False, doing="running the lessons")
    site, failed = build.current(root, jobs, show.has("torch"), progress, show.stderr)
    for sentence in failed:
        show.stderr(sentence)
    return site, failed


def _shipped() -> Path:
    """The site that came with the package. Raises UserError if it came without."""
    if not (build.SHIPPED / "site.json").is_file():
        raise UserError("This copy of groundup came without the reader's pages: install a released wheel.")
    return build.SHIPPED


def _demand_builders() -> None:
    for module in ("jupytext", "nbclient"):
        show.demand(module, "Building the pages")
