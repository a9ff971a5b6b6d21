"""Sections that are folded: those for a second reading, and the chapter in PyTorch."""

from collections.abc import Callable

import pytest

from reader_site import Visit, in_view, lesson_url, stored

Visits = Callable[..., Visit]
#: Has both kinds, the second one last.
LESSON = "p07_alexnet"
IN_FOLDS = "all => all.filter(one => !one.checkVisibility()).map(one => one.id)"


def test_a_folded_section_opens_by_its_link_as_often_as_one_follows_it(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, LESSON)).page
    fold = page.locator("details.second").first
    section = str(fold.locator("h2, h3").first.get_attribute("id"))
    for _ in range(2):
        page.locator(f".outline a[href='#{section}']").click()
        in_view(page, section)
        page.wait_for_selector(f".outline a[href='#{section}'][aria-current='location']")
        fold.locator("summary").first.click()
        assert fold.get_attribute("open") is None
    page.goto("about:blank")
    page.goto(f"{lesson_url(static, LESSON)}#{section}")
    in_view(page, section)


@pytest.mark.parametrize(
    ("track", "there", "opened"), [("numpy", False, None), ("both", True, None), ("torch", True, "")]
)
def test_the_chapter_in_pytorch_stands_as_the_switch_says(
    visit: Visits, static: str, track: str, there: bool, opened: str | None
) -> None:
    page = visit(lesson_url(static, LESSON), {"groundup:settings": {"version": 1, "track": track}}).page
    chapter = page.locator("details.second[data-track=torch]")
    assert chapter.is_visible() == there
    assert page.locator(".outline .outline-track").is_visible() == there
    if there:
        assert chapter.get_attribute("open") == opened
        assert chapter.locator("summary").first.inner_text().startswith("In PyTorch")


def test_what_is_folded_is_neither_read_nor_where_one_is(visit: Visits, static: str) -> None:
    page = visit(static).page
    page.clock.install()
    page.goto(lesson_url(static, LESSON))
    folded = page.eval_on_selector_all("article details.second :is(h2, h3)", IN_FOLDS)
    assert len(folded) >= 2
    page.locator("details.second").last.evaluate("fold => scrollBy(0, fold.getBoundingClientRect().top - 300)")
    page.clock.run_for(60_000)
    progress = stored(page, "progress")["lessons"][LESSON]
    assert progress["read"]
    assert {*progress["read"], progress["at"]}.isdisjoint(folded)
    assert progress["sections"] == page.locator(".outline [data-track] a").count() - len(folded)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.clock.run_for(1000)
    here = page.locator(".outline [aria-current]")
    assert str(here.get_attribute("href")).removeprefix("#") not in folded


def test_paper_unfolds_them(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, LESSON)).page
    page.emulate_media(media="print")
    assert page.locator("details.second > summary:visible").count() == 0
    assert page.eval_on_selector_all("article details.second :is(h2, h3)", IN_FOLDS) == []
    assert page.locator("details.second .prose p").last.is_visible()


@pytest.mark.parametrize("width", [1440, 1000, 768, 390])
def test_the_line_of_folded_code_runs_into_no_button(visit: Visits, static: str, width: int) -> None:
    visited = visit(lesson_url(static, LESSON), viewport={"width": width, "height": 900})
    visited.settle()
    page = visited.page
    page.locator(".cell.folded .cell-actions button:visible").first.wait_for()
    overlaps = page.eval_on_selector_all(
        ".cell.folded",
        """all => all.filter(cell => cell.checkVisibility()).flatMap(cell => {
            const words = document.createRange();
            words.selectNodeContents(cell.querySelector('.code-fold > summary'));
            const bar = cell.querySelector('.cell-actions').getBoundingClientRect();
            const over = [...words.getClientRects()].some(box =>
                box.right > bar.left && box.left < bar.right && box.bottom > bar.top && box.top < bar.bottom);
            return over ? [cell.id] : [];
        })""",
    )
    assert overlaps == []
    assert page.locator(".cell.folded:visible").count() > 3
