"""Annotated code on the page: words and formulas beside the lines they are about, and still one cell."""

from collections.abc import Callable

import pytest

from reader_site import Cell, Visit, data, folders, in_view, lesson_url, sources
from test_reader_pages import NARROW, WIDE, serious

Visits = Callable[..., Visit]
ATTENTION, DECODER, RNN = "self_attention", "tiny_decoder", "p02_char_rnn"
HEADS = "multi-head-multi_head_attention"


@pytest.mark.parametrize("folder", folders())
def test_what_is_said_of_a_step_stands_beside_it_on_a_wide_screen(visit: Visits, static: str, folder: str) -> None:
    page = visit(lesson_url(static, folder), viewport=WIDE).page
    wanted = sum(len(one["steps"]) for cell in data(folder)["cells"] for one in cell.get("beside", ()))
    assert page.locator(".step").count() == wanted > 0
    for step in page.locator(".step:has(.step-words)").all():
        step.scroll_into_view_if_needed()
        words, code = step.locator(".step-words").bounding_box(), step.locator("pre").bounding_box()
        assert words is not None
        assert code is not None
        assert words["x"] + words["width"] <= code["x"] + 1
        assert code["width"] >= 78 * 0.6 * 0.8 * 16  # letters are 0.6 em wide
        assert abs(words["y"] - code["y"]) < 2
        assert step.locator("pre").evaluate("pre => pre.scrollWidth - pre.clientWidth") <= 1


def test_on_a_phone_the_words_stand_above_their_lines(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, ATTENTION), viewport=NARROW).page
    for step in page.locator(".step:has(.step-words)").all():
        step.scroll_into_view_if_needed()
        words, code = step.locator(".step-words").bounding_box(), step.locator("pre").bounding_box()
        assert words is not None
        assert code is not None
        assert words["y"] + words["height"] <= code["y"] + 1
        assert step.locator("pre").evaluate("pre => pre.scrollWidth - pre.clientWidth") <= 1


def test_a_formula_stands_in_place_of_its_number_and_leads_to_the_text(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER), viewport=WIDE).page
    cell = page.locator("#cell-decoder-decoder")
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
    page.locator("#eq-2 .equation-code a").first.click()
    in_view(page, page.url.partition("#")[2])
    assert "-L" in page.url


def test_words_have_code_and_numbers_of_equations_as_links(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER), viewport=WIDE).page
    words = page.locator("#cell-decoder-decoder .step-words p", has_text="two gradients meet here")
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
    assert serious(page, f"#cell-{HEADS}") == []
    order = page.locator(f"#cell-{HEADS} .step").first.evaluate("step => [...step.children].map(one => one.tagName)")
    assert order == ["DIV", "PRE"]
    page.emulate_media(media="print")
    assert page.locator(f"#cell-{HEADS} .step-words").first.is_visible()
    assert page.locator(f"#cell-{HEADS} .step pre").first.is_visible()
