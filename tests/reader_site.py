"""What the tests of the pages share: the built site, the two servers that it is read from, and Chromium.

STATIC is ``build/public`` from a plain web server, under a path, with Pyodide behind the cells; LEARN is
``groundup learn`` with a kernel. Whatever is opened here may talk to 127.0.0.1 only, and every test ends with a
look at what it must not have done: requests to elsewhere, errors of the page, errors on the console.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from groundup.reader import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request

ROOT = Path(__file__).resolve().parents[1]
SITE, PUBLIC = ROOT / "build" / "site", ROOT / "build" / "public"
#: The path under which STATIC is served: links must not take it for the root of the host.
PREFIX = "/courses/dl/"
SECONDS = 30.0  # a loaded machine starts Pyodide in many

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NO_CHROMIUM = "there is no Chromium on this machine"
FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
NO_FIREFOX = "there is no Firefox on this machine"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ELSEWHERE = re.compile(r"^(?!http://127\.0\.0\.1[:/]|ws://127\.0\.0\.1[:/]|data:|blob:|about:)")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line on what a machine without a browser leaves out."""
    for why in (NO_CHROMIUM, NO_FIREFOX):
        left = [report for report in terminalreporter.stats.get("skipped", []) if why in str(report.longrepr)]
        if left:
            terminalreporter.write_line(f"Left out: {len(left)} tests of the pages in a browser, for {why}.")


# ---- the built site ----------------------------------------------------------------------------------------------


@cache
def _out_of_date() -> bool:
    kept = SITE / "stamp"
    if not kept.is_file() or kept.read_text() != build.stamp(ROOT):
        return True
    pages = [path.relative_to(SITE) for path in SITE.rglob("*.html") if path.name != "404.html"]
    return any(not (PUBLIC / page).is_file() for page in pages) or any(
        (PUBLIC / page).read_bytes() != (SITE / page).read_bytes() for page in pages
    )


@pytest.fixture(scope="session")
def public() -> Path:
    """build/public, as the sources are now."""
    if _out_of_date():
        pytest.fail("The built pages are not up to date: run `make test`, or `groundup site build --out build/public`.")
    return PUBLIC


@cache
def site_json() -> Any:
    """What the front page is made of."""
    return json.loads((SITE / "site.json").read_text())


def folders() -> list[str]:
    """The lessons' folders, as far as this checkout has them: known without a built site."""
    return sorted(path.parent.name for path in (ROOT / "src/groundup/lessons").glob("*/lesson.py"))


@cache
def data(folder: str) -> Any:
    """What a lesson's page is made of."""
    return json.loads((ROOT / "build/site-data/lessons" / f"{folder}.json").read_text())


@cache
def sources(folder: str) -> dict[str, str]:
    """The raw sources of a lesson's cells by id, as the page loads them to run."""
    return {cell["id"]: cell["source"] for cell in json.loads((SITE / "lessons" / folder / "cells.json").read_text())}


# ---- servers -----------------------------------------------------------------------------------------------------


class Files(SimpleHTTPRequestHandler):
    """A web host as plain as they come: files below a path, 404.html for the rest, no headers of its own."""

    def __init__(self, *args: Any, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        super().__init__(*args, **options)

    def translate_path(self, path: str) -> str:
        if not path.startswith(self.prefix):
            return str(Path(self.directory) / "nothing is here")
        return super().translate_path("/" + path.removeprefix(self.prefix))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        if code != 404:
            return super().send_error(code, message, explain)
        page = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args: Any) -> None:
        pass


class Host(ThreadingHTTPServer):
    """Forgives browsers that hang up."""

    def handle_error(self, *args: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*args)


@contextlib.contextmanager
def served(folder: Path, prefix: str = PREFIX) -> Iterator[str]:
    """The address under which a folder's files are served."""
    with Host(("127.0.0.1", 0), partial(Files, directory=str(folder), prefix=prefix)) as host:
        thread = threading.Thread(target=host.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{host.server_address[1]}{prefix}"
        host.shutdown()
        thread.join()


class Learn:
    """A running ``groundup learn``, or another command that serves the pages."""

    def __init__(self, folder: Path, *command: str, **env: str) -> None:
        self.mark = uuid4().hex  # every process that comes of it has this in its environment
        env = os.environ | {"GROUNDUP_TEST_MARK": self.mark, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | env
        whole = [sys.executable, "-m", "groundup", *(command or ["learn"]), "--no-browser", "--port", "8900"]
        self.process = subprocess.Popen(whole, cwd=folder, env=env, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        said = ""
        while "Ctrl-C" not in said:
            line = self.process.stderr.readline()
            said += line
            assert line, f"groundup learn ended: {said}"
        self.opened = re.findall(r"http://127\.0\.0\.1:\d+/\S*", said)[0]
        self.url, _, self.token = self.opened.partition("#token=")

    def end(self) -> str:
        """Ctrl-C: it ends well and leaves no process behind. Answers with what it has said since it started."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, said
        assert not self.family()
        return said

    def family(self) -> list[str]:
        """The commands of the processes that came of it and are still there, where /proc tells."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self.mark.encode() in (place / "environ").read_bytes():
                    found.append((place / "cmdline").read_text().replace("\0", " "))
        return found


@pytest.fixture(scope="session")
def static(public: Path) -> Iterator[str]:
    """The address of STATIC."""
    with served(public) as address:
        yield address


@pytest.fixture(scope="session")
def bare(public: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site that knows its path (--base) and has no Python (--pyodide none)."""
    out = tmp_path_factory.mktemp("bare")
    build.export(SITE, out, PREFIX, "none", print)
    with served(out) as address:
        yield address


@pytest.fixture(scope="session")
def learn(public: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learn]:
    """LEARN."""
    running = Learn(tmp_path_factory.mktemp("learn"))
    yield running
    assert running.end() == ""


# ---- the browser -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium. One a module and not one a session: while Playwright runs, asyncio belongs to it."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * SECONDS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Watch:
    """What a browser context has done that it must not do."""

    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    #: Errors that a test brings about, such as a server that is gone; it says which.
    expected: list[str] = field(default_factory=list)
    #: Requests that have not been answered yet.
    on_the_way: set["Request"] = field(default_factory=set)

    def over(self, context: "BrowserContext") -> None:
        """Abort and log what goes elsewhere; log what goes wrong."""

        def abort(route: Any) -> None:
            self.outside.append(route.request.url)
            route.abort()

        def asked(dialog: Any) -> None:
            self.errors.append(f"{dialog.type}: {dialog.message}")
            dialog.dismiss()

        def connected(socket: Any) -> None:
            if ELSEWHERE.match(socket.url):
                self.outside.append(socket.url)

        def said(line: Any) -> None:
            if line.type == "error":
                self.errors.append(line.text)

        def asking(request: Any) -> None:
            if request.resource_type != "eventsource":  # it never ends
                self.on_the_way.add(request)

        context.on("request", asking)
        for ended in ("requestfinished", "requestfailed"):
            context.on(ended, lambda request: self.on_the_way.discard(request))
        context.route(ELSEWHERE, abort)
        context.on("page", lambda page: page.on("websocket", connected))
        context.on("dialog", asked)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", said)

    def check(self) -> None:
        """Fail if anything was logged; the next test starts afresh."""
        outside, errors = [*self.outside], [one for one in self.errors if not any(e in one for e in self.expected)]
        for log in (self.outside, self.errors, self.expected):
            log.clear()
        assert outside == [], "requests that left this machine"
        assert errors == [], "errors in the browser"


@contextlib.contextmanager
def watched(browser: "Browser", **options: Any) -> Iterator[tuple["BrowserContext", Watch]]:
    """A fresh context, and what it did wrong; closed at the end."""
    context, watch = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options}), Watch()
    context.set_default_timeout(1000 * SECONDS)
    watch.over(context)
    yield context, watch
    context.close()  # what was on its way arrives now


#: Before the first page there is about:blank, which has no storage.
FILL = """if (location.protocol === 'http:') for (const [key, value] of Object.entries(%s)) {
    if (localStorage.getItem(key) === null) localStorage.setItem(key, value);
}"""


@dataclass
class Visit:
    """A page in a context of its own. ``visit(address)`` opens it."""

    context: "BrowserContext"
    watch: Watch
    page: "Page"

    def settle(self) -> None:
        """Wait until everything that the page asked for has come: none on its way for half a second."""
        end, quiet = time.monotonic() + SECONDS, time.monotonic()
        while time.monotonic() - quiet < 0.5:
            if self.watch.on_the_way:
                quiet = time.monotonic()
                assert quiet < end, f"never answered: {[one.url for one in self.watch.on_the_way]}"
            self.page.wait_for_timeout(20)


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Callable[..., Visit]]:
    """Opens an address in a fresh context; at the end of the test nothing may have gone wrong in it."""
    watches: list[Watch] = []
    with contextlib.ExitStack() as stack:

        def open_page(address: str, stored: dict[str, Any] | None = None, **options: Any) -> Visit:
            context, watch = stack.enter_context(watched(browser, **options))
            watches.append(watch)
            if stored:
                pairs = {key: value if isinstance(value, str) else json.dumps(value) for key, value in stored.items()}
                context.add_init_script(FILL % json.dumps(pairs))
            page = context.new_page()
            page.goto(address)
            return Visit(context, watch, page)

        yield open_page
    for watch in watches:
        watch.check()


# ---- pages -------------------------------------------------------------------------------------------------------


def lesson_url(root: str, folder: str) -> str:
    """The address of a lesson's page."""
    return f"{root}lessons/{folder}/"


def stored(page: "Page", key: str) -> Any:
    """What the page has put into localStorage."""
    return json.loads(page.evaluate("key => localStorage.getItem(key)", f"groundup:{key}") or "null")


def until(page: "Page", expression: str, arg: Any = None) -> None:
    """Wait until a JavaScript expression or function is true; unlike Playwright's own way, it needs no eval later."""
    end = time.monotonic() + SECONDS
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"never true: {expression} {arg}"
        page.wait_for_timeout(20)


def in_view(page: "Page", element: str) -> None:
    """Wait until the element with this id is on the screen and stays there: the page has stopped scrolling."""
    until(
        page,
        """id => {
            const box = document.getElementById(id)?.getBoundingClientRect();
            const still = window.lastTop === box?.top;
            window.lastTop = box?.top;
            return still && box && box.height > 0 && box.top >= 0 && box.top < innerHeight;
        }""",
        element,
    )


UNFOLD = """(id) => {
    const outside = document.getElementById(id)?.parentElement?.closest('details') ?? null;
    for (let fold = outside; fold; fold = fold.parentElement?.closest('details') ?? null) fold.open = true;
}"""


class Cell:
    """A code cell of a lesson's page, as a reader handles it."""

    def __init__(self, page: "Page", cell_id: str) -> None:
        self.page, self.id = page, cell_id

    @property
    def section(self) -> "Locator":
        """The whole cell; the folds around it are opened first, as a reader would who wants it."""
        self.page.evaluate(UNFOLD, f"cell-{self.id}")
        return self.page.locator(f"#cell-{self.id}")

    def button(self, name: str) -> "Locator":
        """A button of the toolbar by its accessible name: "Run", "Stop", "Edit", "Reset", "Copy"."""
        return self.section.get_by_role("button", name=f"{name} {self.id}", exact=True)

    @property
    def state(self) -> "Locator":
        """How the run goes, in words."""
        return self.section.locator(".cell-strip .cell-state")

    @property
    def live(self) -> "Locator":
        """The output of the last run."""
        return self.section.locator(".cell-live-output")

    @property
    def editor(self) -> "Locator":
        return self.section.locator(".cm-content")

    def write(self, text: str) -> None:
        """Open the editor and put this text into it, as by pasting over everything."""
        from playwright.sync_api import expect

        if not self.editor.count():
            self.button("Edit").click()
        self.editor.press("Control+a")
        self.page.keyboard.insert_text(text)
        expect(self.section.locator(".cell-edited")).to_be_visible()
        folder = self.page.evaluate("document.body.dataset.lesson")
        until(
            self.page,
            """([key, id, text]) => JSON.parse(localStorage.getItem(key) ?? '{}').cells?.[id]?.source === text""",
            [f"groundup:edits:{folder}", self.id, text],
        )

    def run(self, ends: str = r"^ran in ") -> str:
        """Press Run and wait for the end; answers with the text of the output."""

        self.button("Run").click()
        self.ended(ends)
        return self.live.inner_text() if self.live.count() else ""

    def ended(self, ends: str = r"^ran in ") -> None:
        """Wait until the run is over, and over like that."""
        from playwright.sync_api import expect

        expect(self.state).to_have_text(re.compile("^(ran|failed|stopped|did not run|Python was|[A-Z])"))
        expect(self.section).not_to_have_attribute("data-busy", re.compile(""))
        expect(self.state).to_have_text(re.compile(ends))
