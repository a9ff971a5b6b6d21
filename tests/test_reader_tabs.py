"""What readers write is never lost without a word: full storage, two tabs, a Python that ends."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from reader_site import Cell, Learn, Visit, lesson_url, stored, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visits = Callable[..., Visit]
LESSON, CELL, OTHER = "self_attention", "by-hand-numbers", "who-numbers"

#: Takes all the room that there is.
FILL_UP = """() => {
    for (let piece = 'x'.repeat(1 << 20); piece; piece = piece.slice(0, piece.length >> 1)) {
        try { for (let n = 0; ; n += 1) localStorage.setItem(`filler ${piece.length} ${n}`, piece); } catch {}
    }
}"""
MAKE_ROOM = """() => {
    for (const key of Object.keys(localStorage)) if (key.startsWith('filler')) localStorage.removeItem(key);
}"""


def write(page: "Page", text: str, editor: str = ".cm-content") -> None:
    page.locator(editor).press("Control+a")
    page.keyboard.insert_text(text)


def test_a_full_storage_is_said_and_what_was_written_is_kept_once_there_is_room(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, LESSON)).page
    cell, notice = Cell(page, CELL), page.locator(".storage-notice")
    page.evaluate(FILL_UP)
    cell.button("Edit").click()
    write(page, "lost = 'without a word'" * 50)
    notice.wait_for()
    assert "storage for this site is full" in notice.inner_text()
    cell.button("Close the editor of").click()
    assert "without a word" in cell.section.locator(".cell-edit pre").inner_text()
    page.evaluate(MAKE_ROOM)
    cell.button("Edit").click()
    write(page, "kept = True")
    notice.wait_for(state="detached")
    assert stored(page, f"edits:{LESSON}")["cells"][CELL]["source"] == "kept = True"


def test_an_answer_in_a_full_storage_is_said_and_is_what_is_checked(visit: Visits, static: str) -> None:
    page = visit(f"{static}practice/softmax/").page
    page.locator(".cm-content").wait_for()
    write(page, "old = 1")
    until(page, "localStorage.getItem('groundup:practice:softmax')?.includes('old = 1')")
    page.evaluate(FILL_UP)
    write(page, "def softmax(x):\n    raise ValueError('the new answer')\n" + "# and its words\n" * 50)
    page.locator(".storage-notice").wait_for()
    page.get_by_role("button", name="Check").click()
    page.locator(".verdict").get_by_text("the new answer").first.wait_for()


def test_two_tabs_show_the_same_text(visit: Visits, static: str) -> None:
    visited = visit(lesson_url(static, LESSON))
    one, other = visited.page, visited.context.new_page()
    other.goto(lesson_url(static, LESSON))
    here, there = Cell(one, CELL), Cell(other, CELL)
    there.button("Edit").click()
    there.editor.wait_for()
    here.write("x = 'from the first'")
    there.editor.get_by_text("from the first").wait_for()
    there.section.get_by_text("has been changed in another tab").wait_for()
    write(other, "x = 'from the second'", f"#cell-{CELL} .cm-content")
    here.editor.get_by_text("from the second").wait_for()
    assert there.section.get_by_text("has been changed in another tab").count() == 0
    assert here.section.get_by_text("has been changed in another tab").count() == 1
    here.editor.press("Control+z")  # nothing is lost
    here.editor.get_by_text("from the first").wait_for()
    Cell(one, OTHER).write("y = 2")
    there.button("Reset").click()
    until(one, f"!JSON.parse(localStorage.getItem('groundup:edits:{LESSON}')).cells['{CELL}']")
    here.section.locator(".cell-edited").wait_for(state="detached")
    assert Cell(other, OTHER).section.locator(".cell-edit pre").text_content() == "y = 2"


def test_two_tabs_show_the_same_answer(visit: Visits, static: str) -> None:
    visited = visit(f"{static}practice/softmax/")
    one, other = visited.page, visited.context.new_page()
    other.goto(f"{static}practice/softmax/")
    for page in (one, other):
        page.locator(".cm-content").wait_for()
    write(one, "answer = 1")
    other.locator(".cm-content").get_by_text("answer = 1").wait_for()
    other.get_by_text("has been changed in another tab").wait_for()
    write(other, "answer = 2")
    one.locator(".cm-content").get_by_text("answer = 2").wait_for()


@pytest.fixture
def kernel(visit: Visits, learn: Learn) -> Visit:
    return visit(f"{lesson_url(learn.url, LESSON)}#token={learn.token}")


def test_a_run_that_waits_for_another_tab_says_so_and_stops_only_itself(kernel: Visit) -> None:
    one, other = kernel.page, kernel.context.new_page()
    other.goto(one.url)
    first, second = Cell(one, CELL), Cell(other, OTHER)
    first.write("import time\nprint('on')\nwhile True: time.sleep(0.01)")
    first.button("Run").click()
    first.live.get_by_text("on").wait_for()
    second.button("Run").click()
    second.state.get_by_text("at work for another page").wait_for()
    other.wait_for_timeout(600)  # sooner it would be the second half of a double click on Run
    second.button("Stop").click()
    second.ended("^stopped")
    assert first.state.inner_text().startswith("running")
    first.button("Stop").click()
    first.ended("^stopped after")
    first.button("Reset").click()


def test_a_python_that_ends_says_why_and_that_variables_are_gone(kernel: Visit) -> None:
    cell = Cell(kernel.page, CELL)
    cell.write("import os\nos._exit(7)")
    cell.run(r"^Python has ended: its exit code was 7\. All variables are gone; the next run starts Python afresh")
    badge = kernel.page.locator(".runtime-badge")
    assert "All variables are gone" in badge.inner_text()
    cell.write("input('Who? ')")
    assert "A cell cannot ask for input." in cell.run("^failed")
    cell.button("Reset").click()


def test_restart_asks(kernel: Visit) -> None:
    cell, page = Cell(kernel.page, OTHER), kernel.page
    cell.run()
    kernel.watch.expected.append("confirm: Restart Python? All variables")
    page.locator(".runtime-badge").get_by_role("button", name="Restart").click()  # no
    assert re.fullmatch(r"ran in \S+ s", cell.run() and cell.state.inner_text())  # nothing had to run again
    page.evaluate("window.confirm = () => true")
    page.locator(".runtime-badge").get_by_role("button", name="Restart").click()
    page.locator(".runtime-words[title^='Nothing has run']").wait_for()


def test_many_figures_are_folded(kernel: Visit) -> None:
    cell = Cell(kernel.page, CELL)
    cell.write("import matplotlib.pyplot as plt\nfor n in range(14):\n    plt.figure(figsize=(1, 1))\n    plt.show()")
    cell.run()
    assert cell.live.locator("img").count() == 6
    cell.live.get_by_role("button", name="Show 8 more figures").click()
    assert cell.live.locator("img").count() == 14
    cell.button("Reset").click()
