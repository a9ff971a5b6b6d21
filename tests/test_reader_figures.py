"""Diagrams and figures that one can touch, in Chromium: sliders, values under the pointer, strips on a phone."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from reader_site import Cell, Learn, Visit, data, folders, lesson_url, until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Visits = Callable[..., Visit]
NARROW = {"width": 390, "height": 844}
DECODER, RNN = "tiny_decoder", "p02_char_rnn"


def slider(page: "Page", cell: str) -> "Locator":
    found = page.locator(f"#cell-{cell} [data-frames]")
    found.scroll_into_view_if_needed()
    return found


@pytest.mark.parametrize("folder", folders())
def test_diagrams_and_sliders_are_on_every_page(visit: Visits, static: str, folder: str) -> None:
    page = visit(lesson_url(static, folder)).page
    named = {svg.get_attribute("aria-label") for svg in page.locator(".diagram > svg[role=img]").all()}
    assert len(named) == len(data(folder)["diagrams"]) >= 1
    assert all(named)
    drawn = [out for cell in data(folder)["cells"] if cell["type"] == "code" for out in cell["outputs"]]
    sliders = [one["frames"] for one in drawn if one.get("frames")]
    assert sliders
    assert page.locator("[data-frames] input[type=range]").count() == len(sliders)
    assert all(len(one["values"]) == len(one["files"]) <= 12 for one in sliders)


def test_a_diagram_takes_the_colours_of_the_page(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    text = page.locator(".diagram text").first
    seen = []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        seen.append(text.evaluate("one => getComputedStyle(one).fill"))
    assert seen[0] != seen[1]


@pytest.mark.parametrize("folder", folders())
def test_on_a_phone_diagrams_and_figures_are_strips_with_legible_text(visit: Visits, static: str, folder: str) -> None:
    page = visit(lesson_url(static, folder), viewport=NARROW).page
    page.evaluate("() => document.querySelectorAll('details').forEach(one => (one.open = true))")
    for diagram in page.locator(".diagram").all():
        scale = diagram.locator("svg").evaluate("one => one.getBoundingClientRect().width / one.viewBox.baseVal.width")
        sizes = diagram.locator("[font-size]").evaluate_all("all => all.map(one => +one.getAttribute('font-size'))")
        assert min(sizes) * scale >= 8.99
    for image in page.locator(".output-figure img").all():
        drawn = float(image.get_attribute("width") or "nan")
        assert image.evaluate("one => one.getBoundingClientRect().width") >= 0.74 * drawn
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    wide = page.locator(".output-figure").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth).length"
    )
    assert wide > 0


def test_the_slider_moves_by_keyboard_and_says_its_value(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER)).page
    found = slider(page, "mask-frames")
    handle, image = found.get_by_role("slider", name="mask"), found.locator("img")
    assert handle.get_attribute("aria-valuetext") == "causal"
    first = image.get_attribute("src")
    handle.focus()
    handle.press("ArrowRight")
    assert handle.get_attribute("aria-valuetext") == "one diagonal too many" == found.locator("output").inner_text()
    assert image.get_attribute("src") != first
    until(page, "() => document.querySelector('#cell-mask-frames [data-frames] img').complete")
    handle.press("End")
    assert handle.get_attribute("aria-valuetext") == "no mask"


def test_pointer_and_arrow_keys_tell_values(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER)).page
    found = slider(page, "mask-frames")
    image, tip = found.locator("img"), page.locator(".reading")
    until(page, "() => document.querySelector('#cell-mask-frames [data-frames] img').complete")
    box = image.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.5)
    tip.wait_for(state="visible")
    assert re.fullmatch(r"token 2 → 2, \d: 0\.\d+", tip.inner_text())
    page.mouse.move(5, 5)
    tip.wait_for(state="hidden")
    found.locator("button").focus()
    page.keyboard.press("ArrowRight")
    tip.wait_for(state="visible")
    assert tip.inner_text() == "token 1 → 6, 1: 1"
    page.keyboard.press("ArrowDown")
    until(page, "() => document.querySelector('.reading').innerText.startsWith('token 2 → 2, 1')")
    page.keyboard.press("ArrowRight")
    until(page, "() => document.querySelector('.reading').innerText.startsWith('token 2 → 2, 2')")
    page.keyboard.press("Escape")
    tip.wait_for(state="hidden")


def test_without_scripts_a_few_pictures_stand_side_by_side(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER), java_script_enabled=False).page
    assert page.locator("#cell-mask-frames .frames-still").is_visible()
    assert not page.locator("#cell-mask-frames [data-frames]").is_visible()


def test_a_cell_that_is_run_has_its_slider_again(visit: Visits, learn: Learn) -> None:
    page = visit(f"{lesson_url(learn.url, DECODER)}#token={learn.token}").page
    cell = Cell(page, "mask-frames")
    cell.run()
    handle = cell.live.get_by_role("slider", name="mask")
    handle.focus()
    handle.press("End")
    assert handle.get_attribute("aria-valuetext") == "no mask"
    image = cell.live.locator("img").bounding_box()
    assert image
    page.mouse.move(image["x"] + image["width"] * 0.55, image["y"] + image["height"] * 0.5)
    page.locator(".reading").wait_for(state="visible")
