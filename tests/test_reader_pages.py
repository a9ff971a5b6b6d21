"""The pages as people read them, in Chromium: what issue 3 says must work, short of running cells."""

import base64
import json
import re
import time
import urllib.parse
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from groundup.practice.registry import all_exercises
from reader_site import (
    PREFIX,
    ROOT,
    SECONDS,
    Cell,
    Learn,
    Visit,
    data,
    folders,
    in_view,
    lesson_url,
    site_json,
    sources,
    stored,
    until,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visits = Callable[..., Visit]
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
ATTENTION, RNN, ALEXNET = "self_attention", "p02_char_rnn", "p07_alexnet"
KOLMOGOROV = "p25_kolmogorov_complexity"
#: Where links may lead away to, besides the papers that lessons name.
LICENCES = ("https://creativecommons.org/licenses/by/4.0/", "https://opensource.org/license/mit")


# ---- the front page ----------------------------------------------------------------------------------------------


def test_the_map_shows_every_lesson_and_what_it_needs(visit: Visits, static: str) -> None:
    page = visit(static).page
    lessons = site_json()["lessons"]
    arrows = page.eval_on_selector_all(".map-arrows g", "all => all.map(({dataset: {from, to}}) => [from, to])")
    before: dict[str, set[str]] = {}
    for lesson in lessons:
        folder = lesson["folder"]
        node = page.locator(f".map-node[data-lesson='{folder}']")
        assert node.get_attribute("href") == f"lessons/{folder}/"
        assert lesson["title"] in (node.get_attribute("aria-label") or "")
        assert node.is_visible()
        sources_of = {one for one, to in arrows if to == folder}
        before[folder] = sources_of.union(*(before[one] for one in sources_of))
        # Arrows leave out what other arrows say already.
        assert before[folder] == set(lesson["needs"]).union(*(before[one] for one in lesson["needs"]))
    assert any(before.values())
    page.locator(f".map-node[data-lesson='{lessons[-1]['folder']}']").click()
    page.wait_for_url(f"**/lessons/{lessons[-1]['folder']}/")


def test_pointing_at_a_lesson_shows_what_it_needs(visit: Visits, static: str) -> None:
    page = visit(static).page
    lesson = next(one for one in site_json()["lessons"] if one["needs"])
    page.locator(f".map-node[data-lesson='{lesson['folder']}']").focus()
    states = page.eval_on_selector_all(".map-node", "all => all.map(({dataset: {lesson, state}}) => [lesson, state])")
    assert {one for one, state in states if state == "before"} >= set(lesson["needs"])
    assert [one for one, state in states if state == "self"] == [lesson["folder"]]


def test_on_a_narrow_screen_the_map_is_a_list_with_needs(visit: Visits, static: str) -> None:
    page = visit(static, viewport=NARROW).page
    assert not page.locator(".map-graph").is_visible()
    titles = {lesson["folder"]: lesson["title"] for lesson in site_json()["lessons"]}
    for lesson in site_json()["lessons"]:
        item = page.locator(f".map-list li[data-lesson='{lesson['folder']}']")
        assert item.get_by_role("link", name=lesson["title"], exact=True).is_visible()
        for need in lesson["needs"]:
            assert titles[need] in item.get_by_text("needs").inner_text()


def test_learning_paths_list_their_lessons_in_order(visit: Visits, static: str) -> None:
    page = visit(static).page
    shown = page.eval_on_selector_all(
        "[data-path]",
        "all => all.map(path => [path.dataset.path, [...path.querySelectorAll('li a')].map(a => a.pathname)])",
    )
    wanted = [[path["slug"], [f"{PREFIX}lessons/{one}/" for one in path["lessons"]]] for path in site_json()["paths"]]
    assert shown == wanted
    assert {"beginner", "intermediate", "advanced", "theory", "modern-llm"} >= {slug for slug, _ in shown} != set()


def test_the_front_page_says_where_cells_run_and_how_to_have_the_rest(visit: Visits, static: str) -> None:
    page = visit(static).page
    note = page.locator("[data-runtime-note]")
    note.get_by_text("NumPy cells run right here in the browser").wait_for()
    note.get_by_role("link", name="your own machine").click()
    in_view(page, "get")


def test_continue_leads_back_to_the_section(visit: Visits, static: str) -> None:
    page = visit(static).page
    assert page.get_by_role("link", name="Continue where you left off").count() == 0
    page.goto(lesson_url(static, RNN))
    heading = page.locator("article h2").nth(2)
    section = heading.get_attribute("id")
    heading.evaluate("heading => heading.scrollIntoView()")
    until(
        page,
        "([folder, id]) => JSON.parse(localStorage['groundup:progress']).lessons[folder].at === id",
        [RNN, section],
    )
    page.goto(static)
    link = page.get_by_role("link", name="Continue where you left off")
    link.wait_for()
    assert heading_words(RNN, 2) in str(page.locator("[data-continue]").text_content())
    link.click()
    page.wait_for_url(f"**/lessons/{RNN}/#{section}")
    in_view(page, str(section))


def heading_words(folder: str, index: int) -> str:
    texts = "\n".join(cell["markdown"] for cell in data(folder)["cells"] if cell["type"] == "text")
    return re.findall(r"^## ([\w ]+)", texts, re.MULTILINE)[index].strip()


# ---- a lesson ----------------------------------------------------------------------------------------------------


def test_the_outline_has_every_section_and_marks_the_current_one(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, ATTENTION)).page
    sections = page.eval_on_selector_all("article h2", "all => all.map(heading => heading.id)")
    links = page.eval_on_selector_all(".outline a", "all => all.map(link => link.hash.slice(1))")
    assert [link for link in links if link in sections] == sections
    for section in (sections[1], sections[-1], sections[2]):
        page.locator(f".outline a[href='#{section}']").click()
        page.wait_for_selector(f".outline a[href='#{section}'][aria-current='location']")
        in_view(page, str(section))
    assert page.locator(".outline [aria-current]").count() == 1


def test_on_a_phone_the_outline_stays_at_hand(visit: Visits, static: str) -> None:
    from playwright.sync_api import expect

    page = visit(lesson_url(static, RNN), viewport=NARROW).page
    links = page.locator(".outline a:visible")
    summary, at = page.locator(".outline summary"), page.locator("[data-outline-at]")
    assert (links.count(), at.inner_text()) == (0, "")
    page.mouse.wheel(0, 6000)
    expect(at).not_to_have_text("")
    expect(summary).to_be_in_viewport()
    summary.click()
    expect(page.locator(".outline [aria-current]")).to_be_in_viewport()
    page.keyboard.press("Escape")
    assert links.count() == 0
    summary.click()
    last = links.last
    words = last.inner_text()
    section = str(last.get_attribute("href")).removeprefix("#")
    last.click()
    in_view(page, section)
    assert links.count() == 0
    expect(at).to_have_text(words)
    assert page.locator(f"[id='{section}']").bounding_box()["y"] >= summary.bounding_box()["y"] + 30  # type: ignore[index]


def test_previous_and_next_go_through_all_lessons(visit: Visits, static: str) -> None:
    order = [lesson["folder"] for lesson in site_json()["lessons"]]
    page = visit(lesson_url(static, order[0])).page
    assert page.locator("a[rel=prev]").count() == 0
    for folder in order[1:3]:
        page.locator("a[rel=next]").click()
        page.wait_for_url(f"**/lessons/{folder}/")
    page.locator("a[rel=prev]").click()
    page.wait_for_url(f"**/lessons/{order[1]}/")
    page.goto(lesson_url(static, order[-1]))  # the last leads to what has been left out
    page.locator(f"a[rel=next][href$='{order[0]}/']").wait_for()


#: The lines of code with an equation's number: in open code, and in code that is folded until one opens it.
MARKED = (".cell > .cell-code > pre > .line:has(a.mark)", "details.code-fold:not([open]) .line:has(a.mark)")


@pytest.mark.parametrize("kind", MARKED, ids=("open", "folded"))
def test_an_equation_leads_to_its_code_and_the_code_back(visit: Visits, static: str, kind: str) -> None:
    page, line = visit(lesson_url(static, ATTENTION)).page, None
    for folder in [ATTENTION, *folders()]:  # a lesson may have no folded line that an equation leads to
        page.goto(lesson_url(static, folder))
        line = page.eval_on_selector_all(
            kind,
            """lines => lines.map(line => line.id)
                .find(id => document.querySelector(`.equation-code a[href="#${id}"]`))""",
        )
        if line:
            break
    assert line, f"no equation of any lesson leads to {kind}"
    equation = page.locator(f".computed:has(.equation-code a[href='#{line}']) .equation").first
    page.locator(f".equation-code a[href='#{line}']").first.click()
    in_view(page, line)
    assert page.locator(f"[id='{line}']").is_visible()
    page.locator(f"[id='{line}'] a.mark").first.click()
    page.wait_for_url("**#eq-*")
    in_view(page, page.url.partition("#")[2])
    assert equation.get_attribute("id")
    for text in page.eval_on_selector_all(".line:has(a.mark)", "lines => lines.map(line => line.innerText)"):
        assert not re.search(r"#\s*\(\d", text), f"the number stands there twice, as a link too: {text}"


def test_links_of_equations_say_where_they_lead(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, "self_attention")).page
    links = page.locator(".equation-code a, .equation-link, .equation-number")
    names = links.evaluate_all("links => links.map(link => [link.ariaLabel ?? '', link.textContent])")
    assert names
    for name, shown in names:
        assert re.match(r"(?:line|lines|Equation|Link to equation) ", name), (name, shown)
        assert shown.strip("()") in name


@pytest.mark.parametrize("folder", folders())
def test_the_text_names_lessons_by_their_titles(public: Path, folder: str) -> None:
    html = (public / "lessons" / folder / "index.html").read_text()
    titles = {lesson["folder"]: lesson["title"] for lesson in site_json()["lessons"]}
    links = re.findall(r'<a class="lesson-link" href="[^"]*lessons/([^/"]+)/"[^>]*>(.*?)</a>', html)
    assert all(unescape(shown) == titles[to] for to, shown in links)
    slugs = "|".join(lesson["slug"] for lesson in site_json()["lessons"])
    assert not re.search(rf"\blessons?\s<code[^>]*>(?:{slugs})</code>", html)  # nor where a line of the text ends


def test_pytorch_is_a_card_below_its_numpy_function(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN), viewport=WIDE).page
    card = page.locator(".torch-card:not(.plumbing *)").first
    code = card.locator("pre")
    numpy = page.locator("[data-side=numpy]:not(.plumbing *)").first
    card.scroll_into_view_if_needed()
    assert re.fullmatch(r"In PyTorch CharRNN\S* \d+ lines?", str(card.locator("summary").text_content()))
    assert (numpy.is_visible(), code.is_visible()) == (True, False)
    card.locator("summary").click()
    assert (numpy.is_visible(), code.is_visible()) == (True, True)
    box, above = code.bounding_box(), numpy.bounding_box()
    assert box
    assert above
    assert box["width"] > 0.95 * above["width"]
    card.get_by_role("link", name="runs in twin").click()
    page.wait_for_url("**#cell-twin*")


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_the_switch_shows_one_track_or_both_and_is_remembered(visit: Visits, static: str, viewport: Any) -> None:
    page = visit(lesson_url(static, RNN), viewport=viewport).page
    numpy, torch = (
        page.locator(part).first for part in ("[data-side=numpy]:not(.plumbing *)", ".torch-card:not(.plumbing *) pre")
    )
    section, entry = page.locator(".second[data-track=torch]"), page.locator(".outline [data-track=torch] a").first

    def seen() -> tuple[bool, ...]:
        return numpy.is_visible(), torch.is_visible(), section.is_visible(), entry.is_visible() or viewport == NARROW

    def shows(*wanted: bool) -> None:
        end = time.monotonic() + SECONDS
        while (now := seen()[: len(wanted)]) != wanted:
            assert time.monotonic() < end, now
            page.wait_for_timeout(20)

    def choose_track(name: str) -> None:
        until(page, "document.querySelector('[data-set-track][aria-pressed]') !== null")  # a script has woken it
        page.locator("[data-track-switch]").get_by_role("button", name=name).click()

    shows(True, False, True, True)
    choose_track("PyTorch")
    shows(False, True, True)
    page.reload()
    shows(False, True, True)
    choose_track("NumPy")
    shows(True, False, False)
    page.goto(lesson_url(static, RNN) + "#cell-twin-train")
    page.reload()
    in_view(page, "cell-twin-train")  # a link leads there all the same


def test_a_lesson_of_one_track_has_no_switch(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, KOLMOGOROV)).page
    assert page.locator("[data-track-switch]").count() == 0


def test_plumbing_is_one_line_until_it_is_opened(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    line = page.locator(".plumbing", has_text="finds the cell that follows").locator("> summary")
    box = line.bounding_box()
    assert box
    assert box["height"] < 40
    run = page.locator("#cell-tracking").get_by_role("button", name="Run tracking", exact=True)
    assert not run.is_visible()
    line.click()
    assert run.is_visible()
    empty = page.evaluate(
        """() => [...document.querySelectorAll('article > .cell')].filter(cell =>
            !cell.querySelector('.cell-code').textContent.trim()).map(cell => cell.id)"""
    )
    assert empty == []


def test_docstrings_open_and_the_numbers_of_lines_stay_right(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    doc = page.locator("#cell-rnn-step-rnn_step .inner").first
    rest, after = doc.locator(".line").nth(1), page.locator("#cell-rnn-step-rnn_step .inner + .line").first
    assert not rest.is_visible()
    number = str(after.get_attribute("id")).rpartition("-L")[2]
    assert f"counter-set:line {number}" in str(after.get_attribute("style")).replace(": ", ":")
    doc.locator("summary").click()
    assert rest.is_visible()


def test_of_a_long_output_the_beginning_and_the_end_are_in_sight(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, "p00_numpy_and_pytorch")).page
    output = page.locator("#cell-torch-table-run .output-long")
    page.locator("details.second", has=output).locator("> summary").click()
    first, middle, last = (output.locator("pre").nth(place) for place in range(3))
    assert (first.is_visible(), middle.is_visible(), last.is_visible()) == (True, False, True)
    output.get_by_text(re.compile(r"^\d+ more lines$")).click()
    assert middle.is_visible()
    (whole,) = [
        "".join(one["text"] for one in cell["outputs"])
        for cell in data("p00_numpy_and_pytorch")["cells"]
        if cell["id"] == "torch-table-run"
    ]
    assert "\n".join(part.text_content() or "" for part in (first, middle, last)) == whole.rstrip("\n")


def test_the_switch_shows_where_the_focus_is(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    page.keyboard.press("Tab")
    for name in ("NumPy", "PyTorch", "Both"):
        button = page.locator("[data-track-switch]").get_by_role("button", name=name)
        button.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert button.evaluate("button => getComputedStyle(button).outlineWidth") == "2px"


@pytest.mark.parametrize("folder", folders())
def test_findings_show_every_seed_the_rival_the_paper_and_why_one_is_not_seen(public: Path, folder: str) -> None:
    html = (public / "lessons" / folder / "index.html").read_text()
    rows = re.findall(r'<li class="(holds|mostly|unseen)" id="finding-([^"]+)">(.*?)</li>', html, re.DOTALL)
    record = data(folder)["findings"]
    findings = record["findings"] if record else []
    words = {"holds": "holds", "mostly": "mostly", "unseen": "not seen"}
    assert [(words[kind], name) for kind, name, _ in rows] == [(one["verdict"], one["name"]) for one in findings]
    for finding, (_, _, row) in zip(findings, rows, strict=True):
        text = unescape(re.sub("<[^>]+>", "", re.sub("<!-- -->", "", row)))
        assert row.count('class="seed"') == sum(value is not None for value in finding["values"]) > 0
        assert f"in {finding['seeds_for'] or 'none'} of {record['seeds']} seeds" in text
        shown = [finding["question"], finding["statement"], finding["rival_is"], finding["miss"]]
        shown += [finding["paper"]] if data(folder)["lesson"]["paper"] else []
        assert all(one.replace("'", "’") in text.replace("'", "’") for one in shown)
        assert ("too close to tell" in text, "We expected:" in text) == (
            finding["verdict"] == "mostly",
            finding["verdict"] == "not seen",
        )
        pairs = zip(finding["values"], finding["rivals"], strict=False)  # a line leads from a seed to its rival
        assert row.count('class="pair"') == sum(None not in pair for pair in pairs)
        assert re.sub("^share of ", "% of ", finding["unit"]) in text
        assert ("Why not:" in text) == bool(finding["miss"])
        assert ("paired test" in text) == bool(finding["pairs"])
    assert not findings or record["command"] in html


def test_what_is_not_seen_in_alexnet_says_why(visit: Visits, static: str) -> None:
    record = data(ALEXNET)["findings"]
    assert record, "measure it: groundup claims alexnet --write"
    page = visit(lesson_url(static, ALEXNET)).page
    unseen = [finding for finding in record["findings"] if finding["verdict"] == "not seen"]
    assert unseen
    for finding in unseen:
        row = page.locator(f"#finding-{finding['name']}")
        assert finding["miss"].replace("'", "’") in row.inner_text()
        assert row.locator("circle.seed").count() == len(finding["values"])
        assert row.locator(".strip").is_visible()


def test_the_head_names_the_paper_and_what_comes_before_and_after(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, "p13_attention_is_all_you_need")).page
    lesson = data("p13_attention_is_all_you_need")["lesson"]
    paper = page.locator(".lesson-head").get_by_role("link", name=lesson["paper"]["title"])
    assert paper.get_attribute("href") == lesson["paper"]["url"]
    links = page.eval_on_selector_all(".lesson-head a", "all => all.map(link => link.pathname)")
    for folder in (*lesson["needs"], *lesson["leadsTo"]):
        assert f"{PREFIX}lessons/{folder}/" in links


def test_notebooks_can_be_downloaded_with_their_outputs(visit: Visits, static: str) -> None:
    import nbformat

    page = visit(lesson_url(static, ATTENTION)).page
    for name in ("NumPy (.ipynb)", "PyTorch (.ipynb)"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        notebook = nbformat.read(download.value.path(), as_version=4)
        nbformat.validate(notebook)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        assert any(output["output_type"] == "stream" for output in outputs)
        assert any("image/png" in output.get("data", {}) for output in outputs)


def test_a_figure_opens_large_and_esc_gives_the_focus_back(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, ATTENTION)).page
    button = page.get_by_role("button", name="Enlarge:").first
    alt = button.locator("img").get_attribute("alt")
    button.press("Enter")
    dialog = page.get_by_role("dialog", name="Figure")
    assert dialog.get_by_role("img", name=alt).is_visible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert button.evaluate("button => button === document.activeElement")


def test_copy_copies_the_cell_the_twin_and_the_command(visit: Visits, static: str) -> None:
    visited = visit(lesson_url(static, RNN), viewport=WIDE)
    page = visited.page
    visited.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copied = "navigator.clipboard.readText()"
    Cell(page, "rnn-step").button("Copy").click()
    page.get_by_role("button", name="Copy rnn-step: copied").wait_for()
    assert page.evaluate(copied) == sources(RNN)["rnn-step"]
    card = page.locator(".torch-card:not(.plumbing *)").first
    card.locator("summary").click()
    card.locator(".copy").click()
    card.get_by_text("Copied").wait_for()
    assert page.evaluate(copied).rstrip() in [
        twin["source"] for cell in data(RNN)["cells"] if cell["type"] == "code" for twin in cell["twins"]
    ]
    page.locator(".lab .copy").click()
    page.locator(".lab").get_by_text("Copied").wait_for()
    assert page.evaluate(copied) == "groundup lab 02"


# ---- settings ----------------------------------------------------------------------------------------------------

#: Keeps the theme that <html> has when the first of the body is there to be painted.
AT_BODY = """new MutationObserver(() => {
    if (document.body) window.atBody ??= document.documentElement.dataset.theme;
}).observe(document, {childList: true, subtree: true})"""


def choose(page: "Page", name: str) -> None:
    """Open the settings, choose, and close them, as one does with a pointer."""
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("dialog", name="Settings").get_by_role("radio", name=name, exact=True).check()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Settings").wait_for(state="hidden")


def test_the_theme_is_remembered_and_there_before_the_first_paint(visit: Visits, static: str) -> None:
    visited = visit(lesson_url(static, RNN), color_scheme="light")
    page, theme = visited.page, "document.documentElement.dataset.theme"
    visited.context.add_init_script(AT_BODY)
    assert page.evaluate(theme) == "light"
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    choose(page, "Dark")
    assert page.evaluate(theme) == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != paper
    for address in (lesson_url(static, RNN), static):
        page.goto(address)
        assert page.evaluate("[window.atBody, document.documentElement.dataset.theme]") == ["dark", "dark"]
    choose(page, "System")
    assert page.evaluate(theme) == "light"
    page.emulate_media(color_scheme="dark")
    until(page, f"{theme} === 'dark'")
    page.reload()
    assert page.evaluate("window.atBody") == "dark"
    choose(page, "Light")
    page.reload()
    assert page.evaluate("window.atBody") == "light"


def test_the_text_size_works_at_once_and_is_remembered(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    size = "parseFloat(getComputedStyle(document.querySelector('article p')).fontSize)"
    before = page.evaluate(size)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("radio", name="150 %").check()
    assert page.evaluate(size) == pytest.approx(1.5 * before, rel=0.01)
    page.reload()
    assert page.evaluate(size) == pytest.approx(1.5 * before, rel=0.01)


def test_on_paper_there_is_only_the_lesson(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    chrome = [".site-header", ".site-footer", ".outline", ".neighbours", ".cell-actions", ".anchor", ".progress-bar"]
    for selector in chrome:
        assert page.locator(selector).first.is_visible() or selector in (".anchor", ".progress-bar"), selector
    page.emulate_media(media="print")
    for selector in chrome:
        assert page.locator(f"{selector}:visible").count() == 0, selector
    assert page.locator("article .cell-code:visible").count() > 5
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


# ---- search ------------------------------------------------------------------------------------------------------


def search(page: "Page", words: str) -> None:
    """With the keyboard only."""
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search").wait_for()
    page.keyboard.type(words)
    page.wait_for_selector(".search-hits a[aria-selected=true]")


@pytest.mark.parametrize(
    ("words", "leads_to"),
    [
        ("gradient checking", r"/lessons/[^#]+/#[\w-]*"),  # in the text of some section
        ("by hand", r"/lessons/[^#]+/#[\w-]*by-hand[\w-]*"),  # a heading
        ("rnn_step", rf"/lessons/{RNN}/#rnn-step[\w-]*-L\d+"),  # a function
        ("Krizhevsky", rf"/lessons/{ALEXNET}/"),  # an author
    ],
)
def test_search_by_keyboard_leads_to_what_was_found(visit: Visits, static: str, words: str, leads_to: str) -> None:
    visited = visit(static)
    page = visited.page
    search(page, words)
    hits = page.locator(".search-hits a")
    addresses = [urllib.parse.urlparse(str(hit.evaluate("hit => hit.href"))) for hit in hits.all()]
    wanted = [
        index
        for index, address in enumerate(addresses)
        if re.search(leads_to + "$", f"{address.path}{'#' * bool(address.fragment)}{address.fragment}")
    ]
    assert wanted, addresses
    assert wanted[0] < 5
    for _ in range(wanted[0]):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(leads_to + "$"))
    if fragment := page.url.partition("#")[2]:
        in_view(page, fragment)


def test_arrows_choose_a_slash_is_text_and_esc_closes_the_search(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    page.locator("[data-search]").focus()
    search(page, "soft")
    page.keyboard.type("/")
    assert page.get_by_role("combobox").input_value() == "soft/"
    chosen = "[...document.querySelectorAll('.search-hits a')].findIndex(hit => hit.ariaSelected === 'true')"
    assert page.evaluate(chosen) == 0
    page.keyboard.press("ArrowDown")
    assert page.evaluate(chosen) == 1
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(chosen) == page.locator(".search-hits a").count() - 1
    page.keyboard.press("Escape")
    page.locator("dialog.search").wait_for(state="hidden")
    assert page.locator("[data-search]").evaluate("button => button === document.activeElement")


#: Whether the page has asked where its cells run.
ASKED_FOR_PYTHON = "() => performance.getEntriesByType('resource').some(one => one.name.endsWith('/runtime.json'))"


def test_search_needs_nothing_but_what_it_loaded(visit: Visits, static: str) -> None:
    visited = visit(lesson_url(static, RNN))
    page = visited.page
    search(page, "softmax")
    until(page, ASKED_FOR_PYTHON)  # when the page has nothing else to do, a second after it has come at the latest
    visited.settle()  # fonts of the first hits, say
    visited.context.set_offline(True)
    page.get_by_role("combobox").fill("dropout")
    page.locator(".search-hits mark", has_text=re.compile("dropout", re.IGNORECASE)).first.wait_for()
    page.get_by_role("combobox").fill("qqqqqqqq")
    page.get_by_text("Nothing found for “qqqqqqqq”.").wait_for()


# ---- progress ----------------------------------------------------------------------------------------------------


def test_a_section_counts_as_read_after_a_while_and_not_when_skipped(visit: Visits, static: str) -> None:
    visited = visit(static)
    page = visited.page
    page.clock.install()
    page.goto(lesson_url(static, RNN))
    sections = page.eval_on_selector_all(".outline [data-track] a", "all => all.map(link => link.hash.slice(1))")
    page.locator(f"[id='{sections[1]}']").evaluate(
        """(heading, next) =>
            scrollBy(0, document.getElementById(next).getBoundingClientRect().top - innerHeight)""",
        sections[2],
    )
    page.clock.run_for(2000)
    assert stored(page, "progress")["lessons"][RNN]["read"] == []
    page.clock.run_for(20_000)
    read = stored(page, "progress")["lessons"][RNN]["read"]
    assert sections[1] in read
    page.locator(f"[id='{sections[-1]}']").evaluate("heading => heading.scrollIntoView()")
    page.clock.run_for(1000)
    assert stored(page, "progress")["lessons"][RNN]["read"] == read
    page.reload()
    assert page.locator(f".outline a[href='#{sections[1]}'] .progress-tick").count() == 1
    assert page.locator(f".outline a[href='#{sections[-2]}'] .progress-tick").count() == 0


def test_progress_goes_into_a_file_and_comes_back(visit: Visits, static: str, tmp_path: Path) -> None:
    lesson = {"read": ["a", "b"], "sections": 4, "ran": ["rnn-step"], "done": False, "at": "b", "time": 5}
    kept = {"version": 1, "lessons": {RNN: lesson}, "last": RNN}
    page = visit(static, {"groundup:progress": kept}).page
    home = page.locator("main [data-progress-actions]")
    summary = page.locator("[data-progress-summary]")
    assert summary.inner_text() == "So far: 2 sections read, 1 cell run."
    with page.expect_download() as download:
        home.get_by_role("button", name="Export").click()
    file = tmp_path / "progress.json"
    download.value.save_as(file)
    assert json.loads(file.read_text()) == kept
    home.get_by_role("button", name="Clear…").click()
    home.get_by_role("button", name="Clear", exact=True).click()
    home.get_by_text("All progress on this device is cleared.").wait_for()
    assert summary.inner_text() == "Nothing read yet."
    wrong = tmp_path / "holiday.json"
    for content in ('{"photos": 3}', "no JSON", '{"version": 1, "lessons": {"x": 1}, "last": null}'):
        home.locator("input[type=file]").set_input_files(file)
        home.get_by_text("2 sections added from progress.json").or_(
            home.get_by_text("No sections added from progress.json")
        ).wait_for()
        wrong.write_text(content)
        home.locator("input[type=file]").set_input_files(wrong)
        home.get_by_text("holiday.json is not a progress file of this reader, so nothing was changed.").wait_for()
        assert stored(page, "progress")["lessons"] == kept["lessons"]
    assert summary.inner_text() == "So far: 2 sections read, 1 cell run."


@pytest.mark.parametrize("broken", ["{", '"text"', '{"version": 1, "lessons": [1], "cells": 7}', "[null]"])
def test_broken_storage_does_not_break_the_page(visit: Visits, static: str, broken: str) -> None:
    keys = ["settings", "progress", f"edits:{RNN}"]
    page = visit(lesson_url(static, RNN), {f"groundup:{key}": broken for key in keys}).page
    page.get_by_role("button", name="Mark as read").click()
    page.get_by_role("button", name="Mark as unread").wait_for()
    assert Cell(page, "rnn-step").button("Run").is_visible()
    choose(page, "Dark")
    page.goto(static)
    assert page.locator("[data-progress-summary]").inner_text() == f"So far: 1 of {len(folders())} lessons finished."


def test_without_storage_the_page_works(visit: Visits, static: str) -> None:
    visited = visit("about:blank")
    visited.context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    page = visited.page
    page.goto(lesson_url(static, RNN))
    page.get_by_role("button", name="Mark as read").click()
    page.get_by_role("button", name="Mark as unread").wait_for()
    choose(page, "Dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto(static)
    page.get_by_text("progress lasts only until the page is closed").first.wait_for(state="attached")


# ---- narrow screens, keyboard, accessibility ---------------------------------------------------------------------

#: What reaches over the right edge of the page and is not inside something that scrolls.
TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const scrolls = element => element && element !== document.body
        && (getComputedStyle(element).overflowX !== 'visible' || scrolls(element.parentElement));
    return ['page', ...[...document.body.querySelectorAll('*')].filter(element =>
        element.getBoundingClientRect().right > width + 1 && !scrolls(element)
    ).slice(0, 5).map(element => `${element.tagName}.${element.className} in ${element.closest('[id]')?.id}`)];
}"""


@pytest.mark.parametrize("folder", ["", "nowhere", *folders()])
def test_no_page_scrolls_sideways(visit: Visits, static: str, bare: str, folder: str) -> None:
    from playwright.sync_api import ViewportSize

    address = {"": static, "nowhere": f"{bare}nowhere"}.get(folder) or lesson_url(static, folder)
    visited = visit("about:blank", viewport=NARROW)
    visited.watch.expected.append("404")
    visited.page.goto(address)
    assert visited.page.evaluate(TOO_WIDE) == []
    visited.page.set_viewport_size(ViewportSize(width=640, height=400))  # 200 % of 1280 by 800
    assert visited.page.evaluate(TOO_WIDE) == []
    visited.page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    visited.page.evaluate("document.documentElement.style.setProperty('--size', '1.5')")
    visited.page.set_viewport_size(ViewportSize(width=390, height=844))
    assert visited.page.evaluate(TOO_WIDE) == []


RING = """(({outlineColor, outlineStyle, outlineWidth}) =>
    [outlineColor, outlineStyle === 'none' ? '' : outlineWidth])(getComputedStyle(document.activeElement))"""
ACCENT = """(() => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'var(--accent)';
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
})()"""


def test_tab_reaches_everything_and_leaves_the_editor(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    cell = Cell(page, "by-hand-numbers")
    cell.button("Run").wait_for()
    name = "(document.activeElement.ariaLabel ?? document.activeElement.textContent).trim()"
    page.keyboard.press("Tab")
    assert page.evaluate(name) == "Skip to the text"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(name))
        # Every stop shows where it is, the pressed button of a switch too.
        assert page.evaluate(RING) == [page.evaluate(ACCENT), "2px"], reached[-1]
    assert any(one.startswith("Search") for one in reached)
    assert any("Settings" in one for one in reached)
    cell.section.locator(".cell-name").focus()
    for wanted in ("Copy by-hand-numbers", "Edit by-hand-numbers", "Run by-hand-numbers"):
        page.keyboard.press("Tab")
        assert page.evaluate(name) == wanted
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    cell.editor.wait_for()
    until(page, "document.activeElement.classList.contains('cm-content')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('cm-content')")
    page.keyboard.press("Control+z")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.classList.contains('cm-content')")


def test_the_skip_link_leads_to_the_text(visit: Visits, static: str) -> None:
    page = visit(lesson_url(static, RNN)).page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "text"


def test_who_wants_less_motion_gets_none(visit: Visits, static: str) -> None:
    moving = """() => [...document.querySelectorAll('*'), document.documentElement].filter(element =>
        ['', '::before', '::after'].some(part => {
            const style = getComputedStyle(element, part || null);
            const seconds = text => Math.max(...text.split(',').map(parseFloat));
            return seconds(style.transitionDuration) > 0.01
                || (seconds(style.animationDuration) > 0.01 && style.animationName !== 'none')
                || style.scrollBehavior === 'smooth';
        })).map(element => `${element.tagName}.${element.className}`)"""
    for address in (static, lesson_url(static, RNN)):
        page = visit(address, reduced_motion="reduce").page
        page.locator("[data-search]").click()
        page.get_by_role("combobox", name="Search").wait_for()
        assert page.evaluate(moving) == []
        assert page.evaluate("document.getAnimations().filter(one => one.playState === 'running').length") == 0


# ---- what goes over the wire -------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", folders())
def test_a_lesson_weighs_half_a_megabyte_at_most(visit: Visits, learn: Learn, folder: str) -> None:
    visited = visit("about:blank")
    page, weights = visited.page, dict[str, float]()
    devtools = visited.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda done: weights.update({done["requestId"]: done["encodedDataLength"]}))
    page.goto(lesson_url(learn.url, folder))
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    until(page, "[...document.images].every(image => image.complete && image.naturalWidth)")
    page.wait_for_load_state("networkidle")
    assert len(weights) > 6
    assert 50_000 < sum(weights.values()) <= 500_000


def test_editor_search_and_runtime_come_when_they_are_wanted(visit: Visits, static: str) -> None:
    visited = visit("about:blank")
    page, asked = visited.page, list[str]()
    page.on("request", lambda request: asked.append(request.url.removeprefix(static)))
    page.goto(lesson_url(static, ATTENTION))
    Cell(page, "imports").button("Run").wait_for()
    page.wait_for_load_state("networkidle")
    assert not [one for one in asked if one.endswith(("search.json", "cells.json")) or one.startswith("pyodide/")]

    def news() -> list[str]:
        fresh = [one for one in asked if one not in before]
        before.update(asked)
        return fresh

    before: set[str] = set()
    first = news()
    assert any(re.match(r"assets/lesson-[^/]*\.js", one) for one in first)
    search(page, "softmax")
    assert {re.sub(r"-[^/]*\.js", "", one) for one in news()} >= {"assets/open", "search.json"}
    page.keyboard.press("Escape")
    Cell(page, "imports").button("Edit").click()
    Cell(page, "imports").editor.wait_for()
    assert any("codemirror" in one for one in news())
    Cell(page, "imports").button("Run").click()
    page.wait_for_event("request", lambda request: request.url.endswith("pyodide/pyodide.mjs"))
    assert any(re.match(r"assets/pyodide\.worker-", one) for one in news())


class Links(HTMLParser):
    """The ids and the addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.root = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "body":
            self.root = values.get("data-root") or ""
        if values.get("id"):
            self.ids.append(str(values["id"]))
        self.links += [(tag, str(values[name])) for name in ("href", "src") if name in values]


def test_every_link_leads_somewhere(public: Path) -> None:
    pages = {path: Links(path.read_text()) for path in public.rglob("*.html")}
    assert len(pages) == len(folders()) + len(all_exercises()) + 3  # front page, list of exercises, 404
    faults, checked = [], 0
    known = {lesson["paper"]["url"] for lesson in site_json()["lessons"] if lesson["paper"]}.union(LICENCES)
    for folder in folders():  # and what the lessons' text and reading lists name
        known |= set(
            re.findall(r"https?://[^\s)\"'>\]]+", (ROOT / f"src/groundup/lessons/{folder}/lesson.py").read_text())
        )
    for path, page in pages.items():
        name = path.relative_to(public)
        faults += [f"{name}: id {one} twice" for one in {i for i in page.ids if page.ids.count(i) > 1}]
        for tag, link in page.links:
            address = urllib.parse.urlparse(link)
            if address.scheme:
                if tag != "a" or link not in known:
                    faults.append(f"{name}: {tag} leads away to {link}")
                continue
            if address.path.startswith("/") and name.name != "404.html":
                faults.append(f"{name}: {link} is absolute")
            start = public if address.path.startswith("/") else path.parent
            target = (start / urllib.parse.unquote(address.path).lstrip("/")).resolve() if address.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = urllib.parse.unquote(address.fragment)
            checked += 1
            if not target.is_file():
                faults.append(f"{name}: {link} leads nowhere")
            elif anchor and anchor not in pages[target].ids:
                faults.append(f"{name}: {link} has no such place")
    assert faults == []
    assert checked > 500


def test_what_search_finds_is_there(public: Path) -> None:
    """Sections and functions of the index lead to ids of the pages; a section's id follows from its title.

    Lines of code get theirs from a script: there the cell must be on the page, and the function on that line of it.
    """
    found = json.loads((public / "search.json").read_text())
    ids = {
        folder: set(Links((public / "lessons" / folder / "index.html").read_text()).ids)
        for folder, _, _ in found["lessons"]
    }
    practice = set(Links((public / "practice/index.html").read_text()).ids)
    missing = []
    for kind, lesson, target, title, *_ in found["docs"]:
        folder = found["lessons"][lesson][0]
        cell, _, line = target.rpartition("-L")
        if kind in (2, 3):
            there = f"cell-{cell}" in ids[folder] and title in sources(folder)[cell].splitlines()[int(line) - 1]
        elif kind == 5:
            there = target in practice
        else:
            there = kind == 0 or (target or slug(title)) in ids[folder]
        if not there:
            missing.append((folder, target or title))
    assert missing == []


def slug(title: str) -> str:
    import unicodedata

    plain = "".join(c for c in unicodedata.normalize("NFKD", title) if not unicodedata.category(c).startswith("M"))
    return re.sub(r"[\W_]+", "-", plain.lower()).strip("-")


def test_the_page_for_wrong_addresses_knows_its_path(visit: Visits, bare: str) -> None:
    visited = visit(bare)
    visited.watch.expected.append("404")
    page = visited.page
    page.goto(f"{bare}lessons/nowhere/at/all")
    assert page.get_by_role("heading", name="There is no such page").is_visible()
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"Source Serif')
    page.get_by_role("link", name="front page").click()
    page.wait_for_url(bare)


def test_a_request_to_elsewhere_is_noticed(visit: Visits, static: str) -> None:
    """The tests' own guard: from the page, from a worker, and by a socket."""
    visited = visit(static)
    visited.watch.expected += ["ERR_FAILED", "outside.invalid"]
    visited.page.evaluate("fetch('https://outside.invalid/page').catch(() => {})")
    worker = "postMessage(await fetch('https://outside.invalid/worker').catch(() => 'aborted'))"
    code = base64.b64encode(worker.encode()).decode()
    answer = visited.page.evaluate(
        """code => new Promise(resolve => {
            const worker = new Worker(`data:text/javascript;base64,${code}`, {type: 'module'});
            worker.onmessage = ({data}) => resolve(data);
        })""",
        code,
    )
    visited.page.evaluate("new WebSocket('ws://outside.invalid/socket')")
    for _ in range(200):  # until the guard has heard of all three
        if len(visited.watch.outside) < 3:
            visited.page.wait_for_timeout(50)
    assert answer == "aborted"
    assert visited.watch.outside == [f"https://outside.invalid/{one}" for one in ("page", "worker")] + [
        "ws://outside.invalid/socket"
    ]
    visited.watch.outside.clear()


def test_every_page_says_what_it_is_and_how_to_get_it(public: Path) -> None:
    pages = [path for path in public.rglob("*.html") if "pyodide" not in path.parts]
    for path in pages:
        text = path.read_text(encoding="utf-8")
        for name in ("og:title", "og:description", "og:site_name", "og:type"):
            assert re.search(rf'<meta property="{name}" content="[^"]+"', text), (path, name)
        assert re.search(r'href="[./a-z]*#get"', text), path
    assert 'id="get"' in (public / "index.html").read_text(encoding="utf-8")
