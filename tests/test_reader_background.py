"""Pages that are served at once, and the lessons that are run while one reads."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from groundup.reader import background, build, server
from groundup.reader.makers import Makers
from reader_site import SITE, Visit
from test_reader_server import serving

RNN, ATTENTION = "p02_char_rnn", "self_attention"


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty checkout whose sources have the stamp "now"."""
    monkeypatch.setattr(build, "stamp", lambda root: "now")
    (tmp_path / "build/site").mkdir(parents=True)
    return tmp_path


class Made(Makers):
    """Makers that make nothing; each lesson is to be run."""

    def __init__(self, opens: dict[str, str] | None = None) -> None:
        super().__init__(Path(), {})
        self.asked: list[tuple[Sequence[str] | None, str]] = []
        self.pages, self.opens = server.Pages(), opens or {}

    async def make(self, only: Sequence[str] | None, what: str = "") -> list[str]:
        self.asked.append((only, what))
        self.pages.reading = self.opens.get(what, self.pages.reading)  # what the reader opens meanwhile
        return [*(only or [])]


def test_the_lesson_that_is_read_comes_first_and_one_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    makers, ran, said = Made(), list[str](), list[str]()
    pages = makers.pages

    async def run(root: Path, name: str, jobs: int) -> str:
        ran.append(name)
        pages.reading = {"a": "d", "d": "a"}.get(name, "elsewhere")  # the reader goes on meanwhile
        return "d fails." if name == "d" else ""

    async def all_of_it() -> list[str]:
        messages: asyncio.Queue[str] = asyncio.Queue()
        pages.open.add(messages)
        failed = await background.fill(Path(), ["a", "b", "c", "d"], 1, makers, pages, said.append)
        assert failed == ["d fails."]
        return [messages.get_nowait() for _ in range(messages.qsize())]

    monkeypatch.setattr(background, "run", run)
    assert asyncio.run(all_of_it()) == ["outputs a", "outputs d", "outputs b", "outputs c"]
    assert ran == ["a", "d", "b", "c"]
    assert makers.asked == [*(([name], "text") for name in ran), ([], "search")]
    assert said[1:] == ["d fails.", "Not every lesson has its outputs: 1 failed."]


def lessons(root: Path, *names: str) -> None:
    for name in names:
        (root / "src/groundup/lessons" / name).mkdir(parents=True)
        (root / "src/groundup/lessons" / name / "lesson.py").touch()


def test_the_page_that_is_wanted_is_made_first(tmp_path: Path) -> None:
    lessons(tmp_path, "a", "b", "c", "d")
    makers = Made({"": "d"})
    makers.pages.reading = "b"
    assert asyncio.run(background.make(tmp_path, makers, makers.pages)) == ["b", "d", "a", "c"]
    assert makers.asked == [
        (["b"], "front"),
        ([], ""),
        (["d"], "text"),
        (["a"], "text"),
        (["c"], "text"),
        ([], "search"),
    ]
    assert not makers.pages.making


def test_pages_are_served_before_anything_is_made_or_run(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran, served = list[str](), list[server.Dev | None]()
    lessons(checkout, "a", "b")

    async def run(root: Path, name: str, jobs: int) -> str:
        ran.append(name)
        return ""

    makers = Made()
    monkeypatch.setattr(background, "run", run)
    monkeypatch.setattr(background, "Makers", lambda root, env: makers)
    monkeypatch.setattr(build, "install", lambda web: None)
    monkeypatch.setattr(server, "serve", lambda site, port, browser, page, say, dev, allowed: served.append(dev))

    def learn(page: str = "") -> server.Dev | None:
        background.serve(checkout, 0, False, page, 1, lambda text: None)
        return served.pop()

    (checkout / "build/site/lessons/a").mkdir(parents=True)
    follow = learn("lessons/b/")
    assert follow is not None
    assert (ran, makers.asked) == ([], [])
    assert not (checkout / "build/site/lessons").exists()  # as it was before
    assert not build.is_current(checkout, build.stamp(checkout))
    asyncio.run(follow(makers.pages))
    assert ran == ["b", "a"]
    assert build.is_current(checkout, build.stamp(checkout))
    assert learn() is None  # nothing is left to do

    build.finish(checkout, "now", ["a fails."])
    assert learn() is not None  # what failed is tried again


def test_who_opens_a_page_that_is_still_to_be_made_waits_and_gets_it(tmp_path: Path) -> None:
    opened = list[server.Pages]()

    async def follow(pages: server.Pages) -> None:
        opened.append(pages)
        pages.making = True
        await asyncio.sleep(60)

    with serving(tmp_path, dev=follow) as running:
        status, _, body = running.ask("/lessons/p02/")
        assert (status, b"This page is being made" in body) == (503, True)
        assert opened[0].reading == "p02"
        assert running.ask("/practice/")[0] == 503
        (tmp_path / "lessons/p02").mkdir(parents=True)
        (tmp_path / "lessons/p02/index.html").write_text("here it is")
        assert running.ask("/lessons/p02/")[2] == b"here it is"
        opened[0].fail("there is no <node>")
        assert b"there is no &lt;node&gt;" in running.ask("/practice/")[2]
        opened[0].making = False
        assert running.ask("/practice/")[0] == 404


def test_what_a_lesson_says_of_its_failure_is_told(tmp_path: Path) -> None:
    said = asyncio.run(background.run(tmp_path / "nothing here", "no_such_lesson", 1))
    assert said


def test_the_page_that_waits_becomes_the_page_that_was_made(visit: Callable[..., Visit], tmp_path: Path) -> None:
    async def follow(pages: server.Pages) -> None:
        pages.making = True
        await asyncio.sleep(60)

    with serving(tmp_path, dev=follow) as running:
        visited = visit("about:blank")
        visited.watch.expected.append("503")
        page, asked = visited.page, list[str]()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"http://127.0.0.1:{running.port}/#token=abc")  # as groundup learn opens it
        page.get_by_role("heading", name="This page is being made").wait_for()
        page.wait_for_timeout(1500)
        assert 3 <= len(asked) <= 12  # pages and scripts: it waits between two questions
        (tmp_path / "index.html").write_text("<h1>Here it is</h1>")
        page.get_by_role("heading", name="Here it is").wait_for()
        assert page.url.endswith("#token=abc")


def test_outputs_reload_the_page_of_their_lesson_and_no_other(visit: Callable[..., Visit], public: Path) -> None:
    arrived, told = threading.Event(), threading.Event()

    async def follow(pages: server.Pages) -> None:
        while not arrived.is_set() or not pages.open:
            await asyncio.sleep(0.05)
        assert pages.reading == RNN
        pages.tell(f"outputs {ATTENTION}")
        await asyncio.sleep(1)
        told.set()
        pages.tell(f"outputs {RNN}")

    with serving(SITE, dev=follow) as running:
        visited = visit(f"http://127.0.0.1:{running.port}/lessons/{RNN}/")
        visited.settle()
        with visited.page.expect_event("load", lambda page: told.is_set() or pytest.fail("another lesson's outputs")):
            arrived.set()
        visited.page.goto("about:blank")
