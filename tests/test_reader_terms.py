"""Terms of the glossary, outputs that wait behind a question, and going through the cells of a lesson."""

import json
import re
from collections.abc import Callable

import pytest

from groundup.lessons import all_lessons
from reader_site import ROOT, Cell, Visit, data, folders, lesson_url, sources, until
from test_reader_axe import axe_finds
from test_reader_pages import NARROW, WIDE

Visits = Callable[..., Visit]
GLOSSARY = json.loads((ROOT / "src/groundup/reader/glossary.json").read_text())
DECODER, RNN = "tiny_decoder", "p02_char_rnn"


def test_every_term_has_one_sentence_and_a_lesson_that_is_there() -> None:
    texts = {lesson.slug: lesson.text.read_text().replace("'", "’").lower() for lesson in all_lessons()}
    names = [name.lower() for one in GLOSSARY for name in (one["term"], *one.get("also", []))]
    assert len(names) == len(set(names))
    for one in GLOSSARY:
        assert one["text"].endswith("."), one
        assert len(one["text"]) < 160, one
        forms = (one["term"], *one.get("also", []))
        assert one["lesson"] in texts, one
        assert any(form.lower() in text for form in forms for text in texts.values()), one


@pytest.mark.parametrize("folder", folders())
def test_only_the_first_use_of_what_other_lessons_teach_is_marked(visit: Visits, static: str, folder: str) -> None:
    page = visit(lesson_url(static, folder), viewport=WIDE).page
    marked = page.eval_on_selector_all("a.term", "all => all.map(link => link.hash.slice(1))")
    listed = page.eval_on_selector_all(".glossary li", "all => all.map(entry => entry.id)")
    assert marked == listed
    assert len(marked) == len(set(marked))
    assert page.locator(".margin-note p").count() == len(marked)
    assert page.locator(".questions :is(a.term, .margin-note)").count() == 0  # a card has no margin
    own = page.eval_on_selector_all(".glossary a", "all => all.map(link => link.pathname)")
    assert not [path for path in own if f"/{folder}/" in path]


def test_on_a_wide_screen_the_sentence_stands_in_the_margin(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER), viewport=WIDE).page
    link = page.locator("a.term", has_text="logits").first
    note = page.locator("[data-note=term-logits]")
    text, margin = link.bounding_box(), note.bounding_box()
    assert text is not None
    assert margin is not None
    assert margin["x"] > text["x"] + text["width"]
    assert abs(margin["y"] - text["y"]) < 200
    link.hover()
    until(page, "document.querySelector('[data-note=term-logits]').classList.contains('is-pointed')")
    assert not page.get_by_role("tooltip").is_visible()


def test_on_a_phone_a_tap_opens_the_sentence_and_esc_closes_it(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER), viewport=NARROW, has_touch=True).page
    assert not page.locator(".margin-note").first.is_visible()
    link = page.locator("a.term", has_text="softmax").first
    link.tap()
    card = page.get_by_role("tooltip")
    card.get_by_text("Turns scores into probabilities").wait_for()
    assert link.get_attribute("aria-describedby") == card.get_attribute("id")
    box = card.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= box["x"] + box["width"] <= NARROW["width"]
    assert axe_finds(page, ".term-card") == []
    page.keyboard.press("Escape")
    card.wait_for(state="hidden")
    link.evaluate("link => link.blur()")
    link.focus()
    card.wait_for()
    card.get_by_role("link").click()
    page.wait_for_url("**/lessons/p00_numpy_and_pytorch/")


# ---- predict, then run -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", folders())
def test_a_lesson_asks_before_it_shows_now_and_then(folder: str) -> None:
    asked = [cell["predict"] for cell in data(folder)["cells"] if cell["type"] == "code" and cell["predict"]]
    assert 1 <= len(asked) <= 6
    assert all(question.endswith("?") for question in asked)


def test_an_output_waits_behind_its_question(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, DECODER)).page
    cell = Cell(page, "opening")
    built = cell.section.locator(".output-text", has_text="model A")
    assert not built.is_visible()
    cell.section.get_by_text("Predict first.").click()
    assert built.is_visible()


def used_twice() -> tuple[str, str, list[str]]:
    """A lesson, an open cell of it with an output, and two or more cells that use it: those that run the fastest."""
    found = []
    for folder in folders():
        cells = {cell["id"]: cell for cell in data(folder)["cells"] if cell["type"] == "code"}
        for name, cell in cells.items():
            users = [user for user, other in cells.items() if name in other["needs"] and other["browser"]]
            if len(users) >= 2 and cell["browser"] and cell["outputs"] and not cell["fold"]:
                plan = {*users, *(need for user in users for need in cells[user]["needs"])}
                found.append((sum(cells[one]["seconds"] or 0 for one in plan), folder, name, users))
    return min(found)[1:]


def test_after_an_edit_all_cells_that_use_it_run(visit: Visits, static: str) -> None:
    folder, name, users = used_twice()
    page = visit(lesson_url(static, folder)).page
    edited = Cell(page, name)
    edited.write(sources(folder)[name] + "\n# changed")
    edited.section.get_by_role("button", name=re.compile("^Run the .*use")).click()
    for user in users:
        Cell(page, user).ended()


def test_a_key_goes_to_the_next_cell_and_back(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    here = "document.activeElement.dataset.cell"
    Cell(page, "by-hand-numbers").button("Run").wait_for()
    page.keyboard.press("Alt+ArrowDown")
    first = page.evaluate(here)
    page.keyboard.press("Alt+ArrowDown")
    second = page.evaluate(here)
    assert first
    assert second
    assert first != second
    page.keyboard.press("Alt+ArrowUp")
    assert page.evaluate(here) == first
