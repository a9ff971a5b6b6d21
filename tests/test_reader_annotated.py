"""Annotated code on the page: words and formulas beside the lines they are about, and still one cell."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from reader_site import Cell, Visit, data, folders, in_view, lesson_url, sources
from test_reader_axe import axe_finds
from test_reader_pages import NARROW, WIDE

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visits = Callable[..., Visit]
ATTENTION, DECODER, RNN = "self_attention", "tiny_decoder", "p02_char_rnn"
HEADS = "multi-head-multi_head_attention"


def resize(page: "Page", size: dict[str, int]) -> None:
    page.set_viewport_size({"width": size["width"], "height": size["height"]})


#: Where words and code of all steps are, and how much of the code is cut off.
STEPS = """() => [...document.querySelectorAll('.step:has(.step-words)')].map(step => {
    const [words, code] = [step.querySelector('.step-words'), step.querySelector('pre')];
    const [note, pre] = [words.getBoundingClientRect(), code.getBoundingClientRect()];
    return [note.right - pre.left, note.bottom - pre.top, note.top - pre.top, pre.width,
            code.scrollWidth - code.clientWidth];
})"""


#: Resolves when fonts are there and a frame has been drawn: until then cells out of sight may still be laid out anew.
DRAWN = """() => document.fonts.ready.then(
    () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))"""


@pytest.mark.parametrize("folder", folders())
def test_what_is_said_of_a_step_stands_beside_it_and_on_a_phone_above(visit: Visits, static: str, folder: str) -> None:
    page = visit(lesson_url(static, folder), viewport=WIDE).page
    page.add_style_tag(content=".cell { content-visibility: visible !important; }")
    page.evaluate(DRAWN)
    wanted = sum(len(one["steps"]) for cell in data(folder)["cells"] for one in cell.get("beside", ()))
    assert page.locator(".step").count() == wanted > 0
    for right, _, top, width, more in page.evaluate(STEPS):
        assert right <= 1
        assert abs(top) < 2
        assert width >= 78 * 0.6 * 0.8 * 16  # 78 letters of 0.6 em
        assert more <= 1
    resize(page, NARROW)
    page.evaluate(DRAWN)
    assert all(bottom <= 1 and more <= 1 for _, bottom, _, _, more in page.evaluate(STEPS))


def test_a_formula_stands_in_place_of_its_number_and_leads_to_the_text(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER), viewport=WIDE).page
    cell = page.locator("#cell-parts-decoder")
    tags = cell.locator(".equation-number").all_text_contents()
    formulas = cell.locator(".step-formula .equation-number").all_text_contents()
    assert formulas == list(dict.fromkeys(tags)) == ["(2)", "(3)", "(12)"]
    assert len(tags) > len(formulas)  # where it stands already, the number is enough
    assert cell.locator(".mark").count() == 0
    assert cell.locator(".told").count() > 0
    assert not cell.locator(".told").first.is_visible()
    assert cell.locator(".step-formula .katex").count() >= 3
    cell.locator(".equation-number").first.click()
    in_view(page, "eq-2")
    page.locator(".computed:has(#eq-2) .equation-code a").first.click()
    in_view(page, page.url.partition("#")[2])
    assert "-L" in page.url


def test_words_have_code_and_numbers_of_equations_as_links(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER), viewport=WIDE).page
    words = page.locator("#cell-parts-decoder .step-words p", has_text="two gradients meet")
    assert words.locator("a.equation-link").get_attribute("href") == "#eq-12"
    page.goto(lesson_url(static, "p07_alexnet"))
    assert "col2im" in page.locator(".step-words code").all_text_contents()


def test_it_is_one_cell_that_one_can_copy_edit_and_reset(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, ATTENTION), viewport=WIDE).page
    cell, whole = Cell(page, HEADS), sources(ATTENTION)[HEADS]
    cell.section.scroll_into_view_if_needed()
    built = page.evaluate(
        "id => [...document.querySelectorAll(`#cell-${id} .line[id]`)].map(line => line.textContent)", HEADS
    )
    assert [line for line in built if line] == [line for line in whole.splitlines() if line]
    cell.button("Edit").click()
    cell.editor.wait_for()
    assert not cell.section.locator(".steps").is_visible()
    assert "# What asks, what is compared and what is read" in cell.editor.inner_text()
    cell.write(whole + "\n# mine")
    cell.button("Reset").click()
    cell.section.locator(".steps").wait_for()


def test_numbers_of_lines_are_those_of_the_source_and_folds_open_inside_a_step(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN), viewport=WIDE).page
    cell = page.locator("#cell-rnn")
    for line in cell.locator(".step pre > .line:visible").all():
        number = int(str(line.get_attribute("id")).rpartition("-L")[2])
        before = line.evaluate("({previousElementSibling: one}) => one && (one.hidden || one.tagName === 'DETAILS')")
        if before is None:
            assert f"--from:{number - 1}" in str(line.evaluate("line => line.parentNode.getAttribute('style')"))
        elif before:
            assert f"counter-set:line {number}" in str(line.get_attribute("style"))
    fold = cell.locator(".step .inner").first
    fold.scroll_into_view_if_needed()
    assert str(fold.locator("summary").text_content()).endswith("docstring")
    assert not fold.locator(".line").last.is_visible()
    fold.locator("summary").click()
    assert fold.locator(".line").last.is_visible()


def test_steps_are_read_in_order_and_print_shows_them(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, ATTENTION), viewport=WIDE).page
    page.locator(f"#cell-{HEADS}").scroll_into_view_if_needed()
    assert axe_finds(page, f"#cell-{HEADS}") == []
    order = page.locator(f"#cell-{HEADS} .step").first.evaluate("step => [...step.children].map(one => one.tagName)")
    assert order == ["DIV", "PRE"]
    page.emulate_media(media="print")
    assert page.locator(f"#cell-{HEADS} .step-words").first.is_visible()
    assert page.locator(f"#cell-{HEADS} .step pre").first.is_visible()


def test_shapes_stand_in_the_bar_or_in_the_first_step(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, "p07_alexnet"), viewport=WIDE).page
    bar = page.locator("#cell-col2im .cell-shapes")
    bar.scroll_into_view_if_needed()
    assert bar.text_content() == "columns (N, H', W', kh, kw, C), image_size (H, W) → x (N, H, W, C)"
    assert bar.is_visible()
    step = page.locator("#cell-conv2d .step").first
    assert step.locator(".step-shapes").text_content() == (
        "x (N, H, W, C), weight (O, C, kh, kw), bias (O,) → y (N, H', W', O)"
    )
    resize(page, NARROW)
    assert not bar.is_visible()  # the docstring says it, one tap away


def test_where_an_equation_is_computed_stands_beside_it_or_below(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN), viewport=WIDE).page
    links, equation = page.locator(".computed:has(#eq-1) > .equation-code"), page.locator("#eq-1")
    for size, beside in ((WIDE, True), (NARROW, False)):
        resize(page, size)
        note, formula = links.bounding_box(), equation.bounding_box()
        assert note is not None
        assert formula is not None
        assert (note["x"] >= formula["x"] + formula["width"]) is beside
        assert (note["y"] >= formula["y"] + formula["height"]) is not beside
    assert "rnn_step" in str(links.text_content())


def test_a_short_aside_stands_in_the_margin_and_on_a_phone_in_the_text(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN), viewport=WIDE).page
    aside = page.get_by_role("note").filter(has_text="Shannon let them guess")
    text = page.locator("[data-text=on-paper] p").first
    note, beside = aside.bounding_box(), text.bounding_box()
    assert note is not None
    assert beside is not None
    assert note["x"] > beside["x"] + beside["width"]
    assert note["width"] <= 320
    assert abs(note["y"] - beside["y"]) < 30
    resize(page, NARROW)
    note, beside = aside.bounding_box(), text.bounding_box()
    assert note is not None
    assert beside is not None
    assert note["y"] + note["height"] <= beside["y"]


def test_a_link_to_any_line_of_code_opens_it(visit: Visits, static: str) -> None:
    page = visit(f"{lesson_url(static, ATTENTION)}#{HEADS}-L35").page
    in_view(page, f"{HEADS}-L35")
    assert str(page.locator(":target").text_content()).strip() == sources(ATTENTION)[HEADS].splitlines()[34].strip()
    page.goto(f"{lesson_url(static, RNN)}#rnn-L4")  # in a docstring, which is folded
    in_view(page, "rnn-L4")


def test_folded_code_gets_its_lines_and_colours(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER), viewport=WIDE).page
    assert page.locator("pre.plain").count() == 0
    for cell in [one for one in data(DECODER)["cells"] if one["type"] == "code" and one["fold"] and not one["data"]]:
        built = page.evaluate(
            """id => [...document.querySelectorAll(`#cell-${CSS.escape(id)} .cell-code .line[id]`)]
                .map(line => [Number(line.id.split('-L').pop()), line.textContent])""",
            cell["id"],
        )
        lines = cell["source"].split("\n")
        assert {number: text for number, text in built if text} == {
            number: text for number, text in enumerate(lines, 1) if text
        }
    for name, example in (("k", "def"), ("s", '"'), ("n", "None"), ("f", "figure"), ("c", "# ")):
        found = page.locator(f".plumbing .{name}").all_text_contents()
        assert any(text.startswith(example) for text in found), name
