"""``groundup site dev``: pages that follow the author."""

import asyncio
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from groundup.reader import dev, server
from reader_site import SITE, Visit
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


Remade = tuple[list[list[str]], list[str]]


@pytest.fixture
def remake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Remade]:
    """Runs remake() with a small program in the place of the one that makes the pages.

    Gives the words that this one got each time, and what was said; "reload" stands where pages are reloaded.
    """

    def call(saved: Sequence[Path], code: str = "") -> Remade:
        asked, said = list[list[str]](), list[str]()
        start = asyncio.create_subprocess_exec

        async def stand_in(*command: str, **options: Any) -> asyncio.subprocess.Process:
            asked.append(list(command[command.index("groundup.reader.dev") + 1 :]))
            return await start(sys.executable, "-c", code, **options)

        monkeypatch.setattr(asyncio, "create_subprocess_exec", stand_in)
        pages = server.Pages()
        monkeypatch.setattr(pages, "tell", said.append)
        asyncio.run(dev.remake(CHECKOUT, list(saved), pages, said.append))
        assert bool(pages.trouble) == ("reload" not in said)
        return asked, said

    return call


def test_a_saved_lesson_is_shown_at_once_and_again_when_it_has_run(remake: Callable[..., Remade]) -> None:
    asked, said = remake([LESSONS / RNN / "lesson.py"])
    assert asked == [[str(CHECKOUT), "preview", RNN], [str(CHECKOUT), "run", RNN]]
    assert said[1:] == ["reload", "reload", "The pages are up to date."]


def test_the_front_end_changes_without_running_a_lesson(remake: Callable[..., Remade]) -> None:
    asked, said = remake([CHECKOUT / "web/src/cells/cells.css"])
    assert asked == [[str(CHECKOUT), "preview"]]
    assert said.count("reload") == 1


def test_a_mistake_is_told_and_the_pages_stay(remake: Callable[..., Remade]) -> None:
    asked, said = remake([LESSONS / RNN / "lesson.py"], "import sys; sys.exit('line 3: there is no such function')")
    assert len(asked) == 1
    assert said[1:] == ["line 3: there is no such function", 'trouble "line 3: there is no such function"']


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
    assert dev.explain(caught.value, tmp_path).startswith(f"src/groundup/lessons/p99/{told}")


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
