"""``groundup site dev``: pages that follow the author."""

import asyncio
import runpy
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from groundup.errors import UserError
from groundup.reader import background, dev, node, remake, server
from groundup.reader.helper import Helper
from reader_site import ROOT, SITE, Visit
from test_reader_server import serving

CHECKOUT = Path("/checkout")
LESSONS = CHECKOUT / "src/groundup/lessons"
RNN = "p02_char_rnn"


@pytest.mark.parametrize(
    ("saved", "lessons"),
    [
        ([LESSONS / RNN / "lesson.py"], [RNN]),
        ([LESSONS / RNN / "lesson.py", LESSONS / "m1/model.py", LESSONS / RNN / "model.py"], ["m1", RNN]),
        ([LESSONS / RNN / "lesson.py", CHECKOUT / "src/groundup/optim.py"], None),
        ([LESSONS / "__init__.py"], None),
        ([CHECKOUT / "web/src/cells/cells.css"], None),
        ([CHECKOUT / f"results/{RNN}.json"], None),
    ],
)
def test_a_change_says_which_lessons_to_make_anew(saved: list[Path], lessons: list[str] | None) -> None:
    assert dev.lessons_of(CHECKOUT, saved) == lessons


@dataclass
class Asked:
    """What the author's helpers were asked, and what was said; "reload" stands where pages are reloaded.

    waiting   what the lessons' helper says is to be run
    mistakes  what it says one after the other to questions that it cannot answer, "" for those that it can
    """

    author: dev.Author
    log: list[Any] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    fails: str = ""

    def save(self, *saved: Path) -> list[Any]:
        """Save files and wait until all is shown: what has happened."""
        self.log.clear()
        self.author.changed |= set(saved)
        asyncio.run(self.author.follow())
        return [*self.log]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    pages = server.Pages()
    it = Asked(dev.Author(CHECKOUT, {}, pages, lambda text: it.log.append(text)))
    makers = it.author.makers
    helpers = {id(makers.lessons): "lessons", id(makers.renderer): "renderer"}

    async def ask(self: Helper, question: Any) -> dict[str, Any]:
        it.log.append((helpers[id(self)], question["only"], question["what"]))
        if mistake := it.mistakes.pop(0) if it.mistakes else "":
            raise UserError(mistake)
        return {"waiting": it.waiting}

    async def end(self: Helper) -> None:
        it.log.append(f"{helpers[id(self)]} anew")

    async def run(root: Path, name: str, jobs: int) -> str:
        it.log.append(f"run {name}")
        return it.fails

    monkeypatch.setattr(Helper, "ask", ask)
    monkeypatch.setattr(Helper, "end", end)
    monkeypatch.setattr(background, "run", run)
    monkeypatch.setattr(pages, "tell", lambda message: it.log.append(message))
    return it


def test_saved_prose_is_shown_by_helpers_that_are_kept_and_nothing_is_run(asked: Asked) -> None:
    happened = asked.save(LESSONS / RNN / "lesson.py")
    assert happened[1:] == [
        ("lessons", [RNN], "text"),
        ("renderer", [RNN], "text"),
        "reload",
        "The pages are up to date.",
    ]


def test_a_changed_cell_is_shown_at_once_and_again_when_it_has_run(asked: Asked) -> None:
    asked.waiting = [RNN]
    happened = asked.save(LESSONS / RNN / "lesson.py")
    assert happened[3:] == [
        "reload",
        f"run {RNN}",
        ("lessons", [RNN], "text"),
        ("renderer", [RNN], "text"),
        "reload",
        "The pages are up to date.",
    ]


def test_a_changed_module_is_imported_anew(asked: Asked) -> None:
    happened = asked.save(LESSONS / RNN / "model.py")
    assert happened[1:4] == ["lessons anew", ("lessons", [RNN], ""), ("renderer", [RNN], "")]


def test_the_front_end_is_made_anew(asked: Asked) -> None:
    happened = asked.save(CHECKOUT / "web/src/cells/cells.css")
    assert happened[1:5] == ["lessons anew", "renderer anew", ("lessons", None, ""), ("renderer", None, "")]


def test_a_mistake_is_told_and_what_it_held_up_is_shown_with_the_next_change(asked: Asked) -> None:
    asked.mistakes = ["line 3: there is no such function"]
    happened = asked.save(LESSONS / RNN / "lesson.py")
    assert happened[2:] == ["line 3: there is no such function", 'trouble "line 3: there is no such function"']
    assert asked.author.pages.trouble
    happened = asked.save(LESSONS / "m1/lesson.py")
    assert happened[1] == ("lessons", ["m1", RNN], "text")
    assert not asked.author.pages.trouble


def test_a_lesson_that_fails_is_run_again_after_the_next_change(asked: Asked) -> None:
    asked.waiting, asked.fails = [RNN], "cell 3 fails"
    assert asked.save(LESSONS / RNN / "lesson.py")[-2:] == ["cell 3 fails", 'trouble "cell 3 fails"']
    asked.waiting, asked.fails = [], ""
    assert f"run {RNN}" in asked.save(LESSONS / "m1/lesson.py")


ECHO = """
from groundup.reader.helper import answer_all
def answer(question):
    print("a lesson that prints")
    if question == "leave":
        raise SystemExit(3)
    return {"twice": question * 2}
answer_all(answer, lambda error: f"no: {error}")
"""


def test_a_helper_answers_again_and_again_and_says_what_it_cannot() -> None:
    async def talk() -> None:
        helper = Helper([sys.executable, "-c", ECHO], Path.cwd())
        assert await helper.ask("a") == {"twice": "aa"}
        first = helper.process
        with pytest.raises(UserError, match="no: unsupported operand"):
            await helper.ask({})
        assert await helper.ask("b") == {"twice": "bb"}
        assert helper.process is first
        with pytest.raises(UserError, match="ended with code 3"):
            await helper.ask("leave")
        assert await helper.ask("c") == {"twice": "cc"}
        waiting = asyncio.create_task(helper.ask("d" * 900_000))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert helper.process is None
        await helper.end()

    asyncio.run(talk())


def test_what_helpers_make_of_a_lesson_is_what_a_whole_build_makes(public: Path, tmp_path: Path) -> None:
    for part in ("web", "src", "results"):
        (tmp_path / part).symlink_to(ROOT / part)
    shutil.copytree(ROOT / "build/site", tmp_path / "build/site")
    shutil.copytree(ROOT / "build/site-data", tmp_path / "build/site-data")
    (tmp_path / "build/executed").symlink_to(ROOT / "build/executed")
    pages = [Path("lessons") / RNN / "index.html", Path("lessons") / RNN / "cells.json", Path("practice/index.html")]
    for page in pages:
        (tmp_path / "build/site" / page).unlink()

    async def show() -> None:
        author = dev.Author(tmp_path, node.environment(), server.Pages(), print)
        author.changed.add(tmp_path / "src/groundup/lessons" / RNN / "lesson.py")
        await author.show()
        assert author.to_run == set()
        await author.makers.end()

    asyncio.run(show())
    for page in pages:
        assert (tmp_path / "build/site" / page).read_bytes() == (SITE / page).read_bytes()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1\ny = (", "lesson.py, line 2: SyntaxError: '(' was never closed\n    y = ("),
        ("def f():\n    return 1 / 0\nf()", "lesson.py, line 2: ZeroDivisionError: division by zero\n    return 1 / 0"),
        ("import json\njson.loads('{')", "lesson.py, line 2: JSONDecodeError: "),
    ],
)
def test_an_error_is_told_by_its_line_in_the_lesson(tmp_path: Path, code: str, told: str) -> None:
    file = tmp_path / "src/groundup/lessons/p99/lesson.py"
    file.parent.mkdir(parents=True)
    file.write_text(code)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        runpy.run_path(str(file))
    assert remake.explain(caught.value, tmp_path).startswith(f"src/groundup/lessons/p99/{told}")


def test_trouble_is_shown_on_the_page_until_it_is_mended(visit: Callable[..., Visit], public: Path) -> None:
    open_pages: list[server.Pages] = []

    async def follow(pages: server.Pages) -> None:
        open_pages.append(pages)
        pages.fail("lesson.py, line 3: NameError\n    <b>x</b>")
        while pages.trouble:
            await asyncio.sleep(0.05)
        pages.reload()
        await asyncio.sleep(60)

    with serving(SITE, dev=follow) as running:
        visited = visit(f"http://127.0.0.1:{running.port}/lessons/{RNN}/")
        note = visited.page.locator(".server-note.trouble")
        note.wait_for()
        assert "lesson.py, line 3: NameError\n    <b>x</b>" in note.inner_text()
        visited.settle()
        open_pages[0].trouble = ""
        note.wait_for(state="detached")
        visited.page.goto("about:blank")
