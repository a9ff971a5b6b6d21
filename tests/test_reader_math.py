"""Formulas can be read whole, at every width: in the room they have, in pieces, or behind a scrollbar one sees."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from groundup.practice.registry import all_exercises
from reader_site import CHROMIUM, FLAGS, NO_CHROMIUM, folders, lesson_url

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTHS = (1440, 768, 390)

#: The formulas that are wider than the box that cuts them off, where that box shows no scrollbar.
CUT = """() => {
    for (const fold of document.querySelectorAll('details')) fold.open = true;
    for (const hint of document.querySelectorAll('[data-hint]')) hint.hidden = false;
    const cuts = element => ['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(element).overflowX);
    return [...document.querySelectorAll('.katex-html')].filter(formula => {
        const bases = [...formula.querySelectorAll(".katex-base")];
        const right = Math.max(...bases.map(one => one.getBoundingClientRect().right));
        for (let box = formula.parentElement; box; box = box.parentElement) {
            if (box !== document.documentElement && !cuts(box)) continue;
            if (box.offsetHeight > box.clientHeight && box.scrollWidth > box.clientWidth) return false;
            const edge = box === document.documentElement ? innerWidth : box.getBoundingClientRect().right;
            if (right > edge + 1) return true;
        }
        return false;
    }).map(formula => formula.textContent);
}"""


@pytest.fixture(scope="module")
def page() -> Iterator["Page"]:
    """A page in a Chromium with scrollbars, which tests do without otherwise; no script runs in it."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--hide-scrollbars"]
        )
        yield chromium.new_context(java_script_enabled=False).new_page()
        chromium.close()


def cut(page: "Page", address: str) -> dict[int, list[str]]:
    """The formulas of a page that are cut off, by the width of the window."""
    page.goto(address)
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found[width] = page.evaluate(CUT)
    return {width: formulas for width, formulas in found.items() if formulas}


@pytest.mark.parametrize("folder", folders())
def test_no_formula_of_a_lesson_is_cut_off(page: "Page", static: str, folder: str) -> None:
    assert cut(page, lesson_url(static, folder)) == {}
    assert page.locator(".katex-html").count() or not page.locator(".equation").count()


def test_no_formula_of_a_task_is_cut_off(page: "Page", static: str) -> None:
    found = {one.name: cut(page, f"{static}practice/{one.name}/") for one in all_exercises()}
    assert {name: formulas for name, formulas in found.items() if formulas} == {}


#: Formulas that a line may break inside a short bracket, "|" standing for where, and what a line may part from them.
TORN = """() => [...document.querySelectorAll('.katex-html')].filter(one => !one.closest('.short')).map(formula =>
    [...formula.querySelectorAll('.katex-base')].map(base => base.textContent).join('|')
).filter(text => /[[(][^[\\]()|]{0,6}\\|[^[\\]()|]{0,6}[\\])]/.test(text))"""
PARTED = """() => [...document.querySelectorAll('.prose .katex, .practice-task .katex')].filter(formula =>
    !formula.closest('.katex-display') && /^[-’']?\\p{L}{1,6}(?!\\p{L})/u.test((formula.parentElement.matches('.short')
        ? formula.parentElement : formula).nextSibling?.data ?? '')
).map(formula => formula.parentElement.textContent)"""


@pytest.mark.parametrize("folder", folders())
def test_short_brackets_and_endings_stay_together(page: "Page", static: str, folder: str) -> None:
    page.goto(lesson_url(static, folder))
    assert page.evaluate(TORN) == []
    assert page.evaluate(PARTED) == []


def test_a_formula_that_is_cut_off_is_noticed(page: "Page", static: str) -> None:
    add = "style => document.head.append(Object.assign(document.createElement('style'), {textContent: style}))"
    for hidden in (False, True):
        page.goto(f"{static}practice/gelu/")
        if hidden:
            page.evaluate(add, ".equation-body::-webkit-scrollbar { display: none; }")
        page.evaluate(add, ".equation-body .katex-base { padding-right: 40rem; }")
        assert bool(page.evaluate(CUT)) == hidden  # else it scrolls, and one sees it
