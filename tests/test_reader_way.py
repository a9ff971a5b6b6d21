"""What comes next: the same on the front page, in the header and at the end of a lesson; the path that one follows."""

import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from groundup.practice.registry import all_exercises
from reader_site import ROOT, Visit, folders, lesson_url, site_json, stored, until, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Visits = Callable[..., Visit]
FIRST = site_json()["lessons"][0]["folder"] if (ROOT / "build/site/site.json").exists() else ""
WIDTHS = [{"width": width, "height": 844} for width in (1440, 768, 390, 320)]


def read(*lessons: str, last: str | None = None, path: str | None = None) -> dict[str, Any]:
    """What is stored once these lessons have been read."""
    known = {"read": [], "sections": 9, "ran": [], "done": True, "at": "", "time": 5}
    progress = {"version": 1, "lessons": dict.fromkeys(lessons, known), "last": last or (lessons or (None,))[-1]}
    return {"groundup:progress": progress | ({"path": path} if path else {})}


def order(path: str = "") -> list[str]:
    """The lessons of a path, or all, in reading order."""
    paths = {one["slug"]: one["lessons"] for one in site_json()["paths"]}
    return list(paths[path] if path else [one["folder"] for one in site_json()["lessons"]])


@pytest.mark.parametrize("viewport", WIDTHS, ids=lambda size: str(size["width"]))
def test_lessons_and_practice_are_one_click_away(visit: Visits, static: str, viewport: dict[str, int]) -> None:
    page = visit(static, viewport=viewport).page
    for address in (static, lesson_url(static, FIRST), f"{static}practice/", f"{static}practice/softmax/"):
        page.goto(address)
        header = page.get_by_role("navigation", name="Site")
        for name, target in (("Lessons", "#map"), ("Practice", "practice/")):
            link = header.get_by_role("link", name=name, exact=True)
            box = link.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= viewport["width"]
            assert str(link.get_attribute("href")).endswith(target)
    page.mouse.wheel(0, 1500)
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Practice", exact=True).click()
    page.wait_for_url("**/practice/")
    page.get_by_role("heading", name="Practice", exact=True).wait_for()


@pytest.mark.parametrize("viewport", WIDTHS, ids=lambda size: str(size["width"]))
def test_nothing_on_the_front_page_is_hidden_by_its_width(visit: Visits, static: str, viewport: dict[str, int]) -> None:
    page = visit(static, read(FIRST), viewport=viewport).page
    for words in ("exercises ask for a function", "Lessons in an order that works", "So far: 1 of", "lessons so far"):
        assert page.get_by_text(words).first.is_visible(), words


def test_after_a_lesson_everything_leads_to_the_next(visit: Visits, static: str) -> None:
    lessons = order()
    page = visit(lesson_url(static, lessons[0])).page
    page.get_by_role("button", name="Mark as read").click()
    card = page.get_by_role("navigation", name="Where to go on")
    wanted = f"/lessons/{lessons[1]}/"
    for link in (card.get_by_role("link").first, page.locator("a[rel=next]"), page.locator("a[data-next]")):
        assert str(link.evaluate("link => link.href")).endswith(wanted)
    first = next(one for one in all_exercises() if one.folder == lessons[0])
    assert card.get_by_role("link").nth(1).get_attribute("href").startswith("../../practice/")  # type: ignore[union-attr]
    assert first.folder == lessons[0]
    page.goto(static)
    start = page.locator("[data-continue]").get_by_role("link").first
    titles = {one["folder"]: one["title"] for one in site_json()["lessons"]}
    assert start.inner_text() == f"Next: {titles[lessons[1]]}"
    assert not page.get_by_role("link", name="Continue where you left off").count()
    start.click()
    page.wait_for_url(f"**{wanted}")


def test_the_chosen_path_is_kept_and_next_stays_on_it(visit: Visits, static: str) -> None:
    path = next(one for one in site_json()["paths"] if 3 <= len(one["lessons"]) < len(order()))
    lessons = order(path["slug"])
    page = visit(static).page
    page.locator(f"[data-follow={path['slug']}]").click()
    page.get_by_role("button", name="You follow this path").wait_for()
    assert stored(page, "progress")["path"] == path["slug"]
    for here, following in itertools.pairwise(lessons):
        page.goto(lesson_url(static, here))
        until(page, "end => document.querySelector('a[rel=next]')?.href.endsWith(end)", f"/lessons/{following}/")
        assert f"“{path['title']}”" in page.locator("a[rel=next]").inner_text()
        page.get_by_role("button", name="Mark as read").click()
    page.goto(lesson_url(static, lessons[-1]))
    page.get_by_role("button", name="Mark as read").click()
    page.get_by_role("link", name="Choose another one").click()
    page.wait_for_url("**/#paths")
    assert page.get_by_role("button", name="You follow this path").is_visible()


def test_after_an_exercise_comes_an_unsolved_one_of_its_lesson_then_the_next_lesson(visit: Visits, static: str) -> None:
    own = [one for one in json.loads((ROOT / "build/site/way.json").read_text())["exercises"] if one["folder"] == FIRST]
    solved = {f"groundup:practice:{one['name']}": {"version": 1, "solved": one["hash"]} for one in own[2:]}
    page = visit(f"{static}practice/{own[0]['name']}/", read(FIRST) | solved).page
    until(page, "end => document.querySelector('a.next')?.href.endsWith(end)", f"/practice/{own[1]['name']}/")
    last = {f"groundup:practice:{own[1]['name']}": {"version": 1, "solved": own[1]["hash"]}}
    page = visit(f"{static}practice/{own[0]['name']}/", read(FIRST) | solved | last).page
    until(page, "end => document.querySelector('a.next')?.href.endsWith(end)", f"/lessons/{order()[1]}/")


def test_scrolling_past_is_not_reading(visit: Visits, static: str) -> None:
    page = visit(static).page
    page.clock.install()
    page.goto(lesson_url(static, FIRST))
    for _ in range(12):  # six seconds for the whole lesson, and half a minute at its end
        page.evaluate("scrollBy(0, document.documentElement.scrollHeight / 12)")
        page.clock.run_for(500)
    page.clock.run_for(30_000)
    assert len(stored(page, "progress")["lessons"][FIRST]["read"]) <= 2


@pytest.mark.parametrize("folder", folders())
def test_no_text_announces_a_next_lesson_that_the_page_does_not_open(folder: str) -> None:
    text = (ROOT / f"src/groundup/lessons/{folder}/lesson.py").read_text()
    assert not re.search(r"^# .*\bNext(?: lesson)?:", text, re.MULTILINE)


# ---- search ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asking(browser: "Browser", static: str) -> Iterator["Page"]:
    """A page with its search open, one question after the other."""
    with watched(browser) as (context, watch):
        page = context.new_page()
        page.goto(static)
        page.keyboard.press("/")
        yield page
    watch.check()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("backpropagation", "p02_char_rnn"),
        ("backprop", "p0"),
        ("BPTT", "p02_char_rnn"),
        ("autodiff", "p00_numpy"),
        ("CNN", "p07_alexnet"),
        ("convnet", "p07_alexnet"),
        ("batchnorm", "batch_norm"),
        ("layernorm", "tiny_decoder"),
        ("layer-norm", "tiny_decoder"),
        ("perplexity", "p02_char_rnn"),
        ("tokenizer", ""),
        ("one-hot", ""),
        ("xavier", ""),
        ("einsum", "p00_numpy"),
        ("positional encoding", "tiny_decoder"),
        ("matrices", ""),
        ("gradients", ""),
        ("multihead", "self_attention"),
        ("cross_entropy", "p00_numpy"),
        ("√d", "self_attention"),
        ("attenton", "attention"),
        ("Adam bias correction", "practice/#question-optimizers"),
        ("FlashAttention changes", "practice/#question-self_attention"),
    ],
)
def test_search_knows_what_people_call_it(asking: "Page", asked: str, found: str) -> None:
    box = asking.get_by_role("combobox", name="Search")
    box.fill("")
    asking.locator(".search-hits a").first.wait_for(state="detached")  # what was found before
    box.fill(asked)
    asking.wait_for_selector(".search-hits a[aria-selected=true]")
    addresses = asking.eval_on_selector_all(".search-hits a", "all => all.slice(0, 8).map(link => link.href)")
    assert any(found in address for address in addresses), addresses


def test_synonyms_are_written_once() -> None:
    groups = json.loads((ROOT / "web/src/search/synonyms.json").read_text())
    assert sum(len(group) - 1 for group in groups) >= 60
    assert all(len(group) == len({name.lower() for name in group}) > 1 for group in groups), groups
