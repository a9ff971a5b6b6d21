"""``groundup site dev``: pages that follow the author."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from groundup.reader import dev

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
        asyncio.run(dev.remake(CHECKOUT, list(saved), lambda: said.append("reload"), said.append))
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
    assert said[1:] == ["line 3: there is no such function"]
