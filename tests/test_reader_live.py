"""Live cells, in both runtimes: Python in the browser on the static site, and a kernel behind ``groundup learn``.

A page is opened once for all tests of a runtime, because Pyodide takes seconds to start; each test leaves the cells
as the lesson has them.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from groundup.reader import build
from reader_site import ROOT, Cell, Learn, Visit, Watch, in_view, lesson_url, sources, stored, until, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Visits = Callable[..., Visit]
LESSON = "self_attention"
RNN = "p02_char_rnn"
CHECK, CHECKED = "gradient-check-attend", "scaled-dot-product"
#: A cell that needs only the imports, and one that needs it.
SMALL, NEXT = "by-hand-numbers", "who-numbers"


@dataclass
class Live:
    """The page of a lesson whose cells run."""

    page: "Page"
    watch: Watch
    kind: str

    def cell(self, name: str) -> Cell:
        return Cell(self.page, name)


@pytest.fixture(scope="module", params=["pyodide", "kernel"])
def opened(request: pytest.FixtureRequest, browser: "Browser") -> Iterator[Live]:
    """The lesson in one of the two runtimes."""
    root = request.getfixturevalue("static") if request.param == "pyodide" else None
    address = lesson_url(root, LESSON) if root else _with_token(request.getfixturevalue("learn"))
    with watched(browser) as (context, watch):
        page = context.new_page()
        page.goto(address)
        yield Live(page, watch, request.param)


def _with_token(learn: Learn) -> str:
    return f"{lesson_url(learn.url, LESSON)}#token={learn.token}"


@pytest.fixture
def live(opened: Live) -> Iterator[Live]:
    """All cells are the lesson's before and after, and nothing went wrong."""
    yield opened
    page = opened.page
    for button in page.get_by_role("button", name=re.compile("^Stop ")).all():
        button.click()
    until(page, "!document.querySelector('[data-busy]')")
    for button in page.get_by_role("button", name=re.compile("^Reset (?!all)")).all()[::-1]:
        button.click()
    assert page.locator(".cell-edited").count() == 0
    assert stored(page, f"edits:{LESSON}") is None
    opened.watch.check()


def errors_of(output: str, function: str) -> float:
    """The relative error that the gradient check prints for a function."""
    return float(re.findall(rf"^{function}\s.*relative error (\S+)$", output, re.MULTILINE)[0])


def changed(cell: str, before: str, after: str) -> str:
    source = sources(LESSON)[cell]
    assert source.count(before) == 1, f"{cell} does not have {before!r} any more: choose another change"
    return source.replace(before, after)


def test_a_check_passes_fails_on_a_wrong_gradient_and_passes_after_reset(live: Live) -> None:
    check, function = live.cell(CHECK), live.cell(CHECKED)
    first = check.run()
    assert errors_of(first, "scaled_dot_product_attention") < 1e-6
    assert CHECK in stored(live.page, "progress")["lessons"][LESSON]["ran"]
    # What it needs ran first, and is named in the order in which it ran.
    steps = check.section.locator(".cell-before")
    steps.get_by_role("button").click()
    names = steps.locator("li a").all_inner_texts()
    assert set(names) >= {"attend", CHECKED}
    assert names == [name for name in sources(LESSON) if name in names]

    function.write(changed(CHECKED, "return d_query, d_key, d_value", "return d_query * 1.01, d_key, d_value"))
    assert check.section.get_by_text("out of date").is_visible()
    wrong = check.run()
    assert errors_of(wrong, "scaled_dot_product_attention") > 1e-4
    assert errors_of(wrong, "attend") < 1e-6
    again = check.section.locator(".cell-before li a").all_inner_texts()
    assert CHECKED in again
    assert "attend" not in again

    function.button("Reset").click()
    assert errors_of(check.run(), "scaled_dot_product_attention") < 1e-6


def test_what_has_run_is_not_run_again(live: Live) -> None:
    live.cell(SMALL).run()
    live.cell(NEXT).run()
    assert live.cell(NEXT).section.locator(".cell-before").count() == 0


def stop(cell: Cell) -> None:
    """Stop a cell that has been running for a second: sooner, the button takes it for a double click on Run."""
    cell.state.get_by_text(re.compile(r"[1-9]\d* s")).first.wait_for()
    cell.button("Stop").click()
    cell.ended("^stopped")


def test_output_arrives_while_an_endless_loop_runs_that_stop_stops(live: Live) -> None:
    cell = live.cell(SMALL)
    cell.write("import time\nprint('first')\ntime.sleep(0.2)\nprint('second')\nwhile True:\n    pass")
    cell.button("Run").click()
    cell.live.get_by_text("second").wait_for()
    assert cell.live.inner_text() == "first\nsecond"
    stop(cell)
    cell.button("Reset").click()
    assert "weights" in cell.run()  # the next run works


def test_an_error_names_the_readers_own_line_and_leads_there(live: Live) -> None:
    live.cell(SMALL).write("def divide(a, b):\n    return a / b\n\n\nwords = divide(1, 0)")
    live.cell(SMALL).run("^failed")
    error = live.cell(SMALL).live.locator(".cell-error")
    assert "ZeroDivisionError: division by zero" in error.inner_text()
    places = error.locator("a").all_inner_texts()
    assert places == [f"{SMALL}, line 5", f"{SMALL}, line 2"]
    assert "Traceback" not in error.inner_text()
    error.locator("a").last.click()
    until(live.page, "document.activeElement.classList.contains('cm-content')")
    assert live.cell(SMALL).section.locator(".cm-line.line-error").inner_text() == "    return a / b"
    # A cell that needs the failed one does not run, and says which it was.
    live.cell(NEXT).run("^did not run")
    assert live.cell(NEXT).state.inner_text() == f"did not run: {SMALL} failed"


def test_an_error_in_the_lessons_own_code_leads_to_its_line(live: Live) -> None:
    cell = live.cell("attend-with-loops-run")
    cell.write("attend_with_loops(3, 4, 5)")
    cell.run("^failed")
    link = cell.live.locator(".cell-error a").last
    assert link.inner_text().startswith("attend-with-loops, line ")
    line = (link.get_attribute("href") or "").removeprefix("#")
    link.click()
    in_view(live.page, line)


def test_a_figure_is_an_image_and_markup_stays_text(live: Live) -> None:
    markup = "<img src=x onerror=alert(1)>"
    live.cell(SMALL).write(
        f"import matplotlib.pyplot as plt\nprint('{markup}')\nplt.figure(figsize=(2, 1))\nplt.title('{markup}')\n"
        f"plt.show()\n'{markup}'"
    )
    live.cell(SMALL).run()
    output = live.cell(SMALL).live
    image = output.locator("figure img")
    assert (image.get_attribute("src") or "").startswith("blob:")
    until(live.page, "document.querySelector('.cell-live-output figure img').naturalWidth > 100")
    assert output.locator("pre").all_inner_texts() == [markup, f"'{markup}'"]
    assert live.page.locator("img[src=x]").count() == 0
    live.cell(SMALL).write(f"raise ValueError('{markup}')")
    live.cell(SMALL).run("^failed")
    assert f"ValueError: {markup}" in output.inner_text()
    assert live.page.locator("img[src=x]").count() == 0


def test_edits_survive_a_reload(live: Live) -> None:
    """The last of the shared page, for it ends Pyodide; and starting it again would take seconds."""
    cell, text = live.cell(SMALL), "print('mine', 6 * 7)"
    cell.write(text)
    live.page.reload()
    live.page.get_by_text("You have edited 1 cell of this lesson.").wait_for()
    assert cell.section.locator(".cell-edit pre").inner_text() == text
    if live.kind == "kernel":
        assert cell.run().strip() == "mine 42"
    live.page.get_by_role("button", name="Reset all edits").click()
    live.page.reload()
    assert cell.section.locator(".cell-edit pre").count() == 0


# ---- where cells do not run --------------------------------------------------------------------------------------


def test_a_pytorch_cell_in_the_browser_says_where_it_runs(visit: Visits, static: str) -> None:
    visited = visit(lesson_url(static, LESSON))
    visited.page.locator("[data-track-switch]").get_by_role("button", name="PyTorch").click()
    cell = Cell(visited.page, "twin-formula")
    assert cell.button("Run").count() == 0
    cell.button("How to run").click()
    help_text = cell.section.locator(".cell-help").inner_text()
    assert "PyTorch does not run in a browser." in help_text
    assert f"groundup learn {LESSON}" in help_text


def test_a_heavy_cell_in_the_browser_says_how_long_it_takes(visit: Visits, static: str) -> None:
    cell = Cell(visit(lesson_url(static, LESSON)).page, "train")
    cell.button("How to run").click()
    help_text = cell.section.locator(".cell-help").inner_text()
    assert re.search(r"takes \d+ s on a computer", help_text)
    assert f"groundup learn {LESSON}" in help_text


def test_without_python_every_cell_says_so(visit: Visits, bare: str) -> None:
    page = visit(lesson_url(bare, LESSON)).page
    cell = Cell(page, SMALL)
    cell.button("How to run").click()
    assert "There is no Python behind this copy of the site." in cell.section.locator(".cell-help").inner_text()
    until(page, "!document.querySelector('.cell-run')")


def test_a_pytorch_cell_runs_in_a_kernel(visit: Visits, learn: Learn) -> None:
    page = visit(_with_token(learn)).page
    page.locator("[data-track-switch]").get_by_role("button", name="PyTorch").click()
    torch = Cell(page, "twin-formula")
    torch.write("import torch\nprint(torch.arange(3).sum().item())")
    assert torch.run().strip() == "3"


def test_the_token_leaves_the_address_at_once(visit: Visits, learn: Learn) -> None:
    visited = visit(_with_token(learn))
    assert visited.page.url == lesson_url(learn.url, LESSON)
    assert visited.page.evaluate("localStorage.getItem('groundup:token')") == learn.token


@pytest.mark.parametrize("token", ["wrong", ""])
def test_without_the_right_token_a_sentence_says_so(visit: Visits, learn: Learn, token: str) -> None:
    page = visit(lesson_url(learn.url, LESSON), {"groundup:token": token}).page
    cell = Cell(page, SMALL)
    cell.run("^Open the address that groundup learn printed")
    # The right address, pasted into the same tab, is all it takes.
    page.goto(_with_token(learn))
    assert "weights" in cell.run()


def test_a_server_that_is_gone_is_told_and_edits_stay(visit: Visits, public: Path, tmp_path: Path) -> None:
    running = Learn(tmp_path)
    try:
        visited = visit(_with_token(running))
        visited.watch.expected += ["ERR_CONNECTION_REFUSED", "WebSocket"]
        cell = Cell(visited.page, SMALL)
        cell.write("print('on and on', flush=True)\nwhile True: pass")
        cell.button("Run").click()
        cell.live.get_by_text("on and on").wait_for()
        assert any("ipykernel" in command for command in running.family())
        visited.settle()
    finally:
        said = running.end()
    assert said == ""
    cell.ended("^The groundup learn server is not running any more. Start it again")
    assert "on and on" in stored(visited.page, f"edits:{LESSON}")["cells"][SMALL]["source"]
    Cell(visited.page, NEXT).run("^The groundup learn server is not running any more")


def test_a_lesson_that_is_saved_reloads_its_page(public: Path, visit: Visits, tmp_path: Path) -> None:
    """From the file on disk to the words in the browser, in a copy of the checkout."""
    copy = tmp_path / "checkout"
    junk = shutil.ignore_patterns("__pycache__", "node_modules", "public", "executed")
    for folder in ("src", "results", "web", "build"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=junk)
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / "build/executed").symlink_to(ROOT / "build/executed")
    (copy / "web/node_modules").symlink_to(ROOT / "web/node_modules")
    assert build.is_current(copy, build.stamp(copy))  # all is there that the pages are made of
    running = Learn(tmp_path, "site", "dev", PYTHONPATH=str(copy / "src"))
    try:
        visited = visit(lesson_url(running.url, RNN))
        visited.watch.expected += ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"]
        page = visited.page
        page.wait_for_load_state()
        stays = page.locator("section.cell").count()
        lesson = copy / "src/groundup/lessons" / RNN / "lesson.py"
        text = lesson.read_text()
        assert text.count("\n# ## ") > 2
        lesson.write_text(text.replace("\n# ## ", "\n# ## Fresh from the author: ", 1))
        page.get_by_role("heading", name="Fresh from the author:").wait_for()
        page.wait_for_load_state()  # the heading is read before what follows it
        assert page.locator("section.cell").count() == stays
        visited.settle()
    finally:
        said = running.end()
    assert "lesson.py changed" in said
    assert "Traceback" not in said


# ---- names in the editor -------------------------------------------------------------------------------------------


def typed(cell: Cell, text: str, *keys: str) -> None:
    """Put a text into the editor, the cursor at its end, and press keys."""
    cell.write(text)
    for key in keys:
        cell.page.keyboard.press(key)


def options(page: "Page") -> list[str]:
    """The names that are offered, once they are."""
    offered = page.locator(".cm-tooltip-autocomplete li")
    offered.first.wait_for()
    return offered.all_inner_texts()


def test_tab_completes_what_the_cells_define_and_what_python_has(live: Live) -> None:
    cell, page = live.cell(SMALL), live.page
    cell.run()
    text = cell.section.locator(".cm-content")
    typed(cell, "attend_sca", "Tab")
    until(page, "() => document.querySelector('.cm-content').innerText.includes('attend_scaled')")
    typed(cell, "np.lin", "Tab")
    assert options(page) == ["linalg", "linspace"]
    page.keyboard.press("Tab")
    assert text.inner_text() == "np.linalg"
    typed(cell, "np.linalg.nor", "Tab")  # the only one there is
    until(page, "() => document.querySelector('.cm-content').innerText === 'np.linalg.norm'")
    typed(cell, "np.nosuchname", "Tab")
    page.locator(".cell-told").get_by_text("No name here goes on from").wait_for()
    assert text.inner_text() == "np.nosuchname"


def test_tab_indents_elsewhere_brackets_close_and_escape_tab_leaves(live: Live) -> None:
    cell, page = live.cell(SMALL), live.page
    text = cell.section.locator(".cm-content")
    typed(cell, "if x:\n", "Tab")
    page.keyboard.type("f([1")
    assert text.inner_text().replace("\xa0", " ") == "if x:\n    f([1])"
    typed(cell, "a ", "Tab")
    assert page.locator(".cm-tooltip").count() == 0
    typed(cell, "attend", "Escape", "Tab")
    until(page, "() => !document.activeElement.closest('.cm-editor')")
    assert text.inner_text() == "attend"


def test_a_key_says_what_a_name_is(live: Live) -> None:
    cell, page = live.cell(SMALL), live.page
    told = page.locator(".cell-told")
    cell.run()
    typed(cell, "softmax", "Control+i")  # of the lesson's text, though it may not have run
    told.get_by_text("softmax(").wait_for()
    assert "axis" in told.inner_text()
    page.keyboard.press("Escape")
    told.wait_for(state="detached")
    typed(cell, "np.linspace(0, ", "Control+i")
    told.get_by_text("np.linspace(start, stop, num=50").wait_for()
    assert "evenly spaced" in told.inner_text()
    page.keyboard.type("1")
    told.wait_for(state="detached")
    typed(cell, "nothing_like_it", "Control+i")
    told.get_by_text("Nothing is known of nothing_like_it yet.").wait_for()


def test_without_python_names_come_from_the_text_and_a_dot_says_what_it_needs(
    visit: Visits, static: str, bare: str
) -> None:
    for root in (static, bare):
        visited = visit(lesson_url(root, LESSON))
        cell = Cell(visited.page, SMALL)
        typed(cell, "np.lin", "Tab")
        visited.page.locator(".cell-told").get_by_text("Run this cell or one above it first").wait_for()
        typed(cell, "multi_head_att", "Tab")
        until(visited.page, "() => /multi_head_attention/.test(document.querySelector('.cm-content').innerText)")
