"""Pages that are served at once, and the lessons that are run while one reads."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from groundup.reader import background, build, server
from reader_site import SITE, Visit
from test_reader_server import serving

RNN, ATTENTION = "p02_char_rnn", "self_attention"


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty checkout whose sources have the stamp "now"."""
    monkeypatch.setattr(build, "stamp", lambda root: "now")
    (tmp_path / "build/site").mkdir(parents=True)
    return tmp_path


def test_the_lesson_that_is_read_comes_first_and_one_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    pages, ran, said = server.Pages(), list[str](), list[str]()

    async def run(root: Path, name: str, jobs: int) -> str:
        ran.append(name)
        pages.reading = {"a": "d", "d": "a"}.get(name, "elsewhere")  # the reader goes on meanwhile
        return "d fails." if name == "d" else ""

    async def all_of_it() -> list[str]:
        messages: asyncio.Queue[str] = asyncio.Queue()
        pages.open.add(messages)
        assert await background.fill(Path(), ["a", "b", "c", "d"], 1, pages, said.append) == ["d fails."]
        return [messages.get_nowait() for _ in range(messages.qsize())]

    monkeypatch.setattr(background, "run", run)
    assert asyncio.run(all_of_it()) == ["outputs a", "outputs d", "outputs b", "outputs c"]
    assert ran == ["a", "d", "b", "c"]
    assert said == ["d fails.", "Not every lesson has its outputs: 1 failed."]


def test_pages_are_served_before_anything_is_run(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran, served = list[str](), list[server.Dev | None]()

    async def run(root: Path, name: str, jobs: int) -> str:
        ran.append(name)
        return ""

    monkeypatch.setattr(background, "run", run)
    monkeypatch.setattr(build, "preview", lambda root, torch: ["a", "b"])
    monkeypatch.setattr(server, "serve", lambda site, port, browser, page, say, dev, allowed: served.append(dev))

    def learn(page: str = "") -> server.Dev | None:
        background.serve(checkout, 0, False, page, 1, True, lambda text: None)
        return served.pop()

    follow = learn("lessons/b/")
    assert follow is not None
    assert ran == []
    assert not build.is_current(checkout)
    asyncio.run(follow(server.Pages()))
    assert ran == ["b", "a"]
    assert build.is_current(checkout)
    assert learn() is None  # nothing is left to do

    build.finish(checkout, "now", ["a fails."])
    assert learn() is not None  # what failed is tried again
    monkeypatch.setattr(build, "preview", lambda root, torch: [])
    assert learn() is None
    assert build.is_current(checkout)


def test_what_a_lesson_says_of_its_failure_is_told(tmp_path: Path) -> None:
    said = asyncio.run(background.run(tmp_path / "nothing here", "no_such_lesson", 1))
    assert said


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
