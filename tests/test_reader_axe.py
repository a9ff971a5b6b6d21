"""Every kind of page, in both themes, on a desk and on a phone: axe finds nothing, least of all targets too small."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from groundup.practice.registry import find_exercise
from groundup.practice.starter import changed
from groundup.reader.server import MAKING
from reader_site import ROOT, Visit, lesson_url
from test_reader_pages import NARROW, RNN, WIDE, search
from test_reader_practice import WRONG, check, kernel, write  # noqa: F401
from test_reader_server import TOKEN

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

Visits = Callable[..., Visit]
Look = Callable[[str], Visit]
AXE = (ROOT / "web/node_modules/axe-core/axe.min.js").read_text
LOOKS = [(theme, size) for theme in ("light", "dark") for size in (WIDE, NARROW)]
READ = {"read": [], "sections": 9, "ran": [], "done": True, "at": "", "time": 5}
PROGRESS = {
    "version": 1,
    "lessons": {"p00_numpy_and_pytorch": READ},
    "last": "p00_numpy_and_pytorch",
    "path": "beginner",
}


def axe_finds(page: "Page", part: str = "html") -> list[str]:
    """All that axe has to say against a part of the page, with what is folded unfolded."""
    # What is far from the screen is laid out only when it comes near: where it is, axe must know. A colour on its way
    # to another is neither.
    page.add_style_tag(content="* { content-visibility: visible !important; transition: none !important }")
    page.evaluate("part => document.querySelectorAll(`${part} details`).forEach(one => { one.open = true })", part)
    page.evaluate(AXE(encoding="utf-8"))
    found = page.evaluate(
        """part => axe.run({include: [part]}, {
            resultTypes: ['violations'], rules: {'target-size': {enabled: true}},
        }).then(({violations}) => violations)""",
        part,
    )
    return [f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['failureSummary']}" for one in found]


def looked_at(visit: Visits, theme: str, size: "ViewportSize") -> Look:
    """Opens addresses in a theme, at a size, as someone who has read a lesson."""
    stored = {"groundup:settings": {"version": 1, "theme": theme}, "groundup:progress": PROGRESS}
    return lambda address: visit(address, stored | {"groundup:token": TOKEN}, viewport=size, color_scheme=theme)


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]['width']}")
def look(request: pytest.FixtureRequest, visit: Visits) -> Look:
    return looked_at(visit, *request.param)


def test_front_page_map_paths_and_search(look: Look, static: str) -> None:
    page = look(static).page
    page.locator("[data-place] a").wait_for()
    assert axe_finds(page) == []
    search(page, "softmax")
    assert axe_finds(page, "dialog.search") == []
    page.keyboard.type("qqqq")
    page.locator(".search-hits a").first.wait_for(state="detached")
    assert axe_finds(page, "dialog.search") == []


def test_where_there_is_no_page_and_where_it_is_being_made(look: Look, bare: str) -> None:
    visited = look(bare)
    visited.watch.expected.append("404")
    visited.page.goto(f"{bare}nowhere")
    assert axe_finds(visited.page) == []
    still = re.sub("<script.*?</script>", "", MAKING)  # else it is gone before axe has looked at it
    visited.page.set_content(still.format(told="Begun a moment ago."))
    assert axe_finds(visited.page) == []


def test_practice(look: Look, kernel: str) -> None:  # noqa: F811
    page = look(f"{kernel}practice/").page
    assert axe_finds(page) == []
    page.get_by_role("button", name="Start the clock").click()
    page.goto(f"{kernel}practice/softmax/")
    page.locator(".cm-content").wait_for()
    page.locator("[data-next-hint]").click()
    write(page, changed(find_exercise("softmax"), WRONG))
    check(page, "wrong")
    page.get_by_role("button", name="Give up").click()
    page.locator(".practice-solution").wait_for()
    assert axe_finds(page) == []


@pytest.mark.parametrize("shown", [LOOKS[0], LOOKS[3]], ids=["light-1440", "dark-390"])
def test_a_lesson(visit: Visits, static: str, shown: tuple[str, "ViewportSize"]) -> None:
    page = looked_at(visit, *shown)(lesson_url(static, RNN)).page  # with cards, findings, tables, figures: the shortest
    cell = page.locator("section.cell[data-track=numpy]:visible").first
    cell.get_by_role("button", name="Edit").click()
    cell.locator(".cm-content").wait_for()
    page.get_by_role("button", name="Settings").click()
    page.locator(".settings-panel").wait_for()
    assert axe_finds(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Enlarge:").first.press("Enter")
    page.get_by_role("dialog", name="Figure").wait_for()
    assert axe_finds(page, "dialog") == []
