"""Practice for an interview: filters, the mock interview, cards, an example and a line to try in each task."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from groundup.practice.interviews import ASKED
from groundup.practice.registry import all_exercises, find_exercise
from groundup.practice.starter import solution
from reader_site import Visit, stored, until
from test_reader_pages import NARROW
from test_reader_practice import kernel, root, with_token, write  # noqa: F401

Visits = Callable[..., Visit]
SOFTMAX = find_exercise("softmax")


def shown(page: Any) -> set[str]:
    """The exercises that are to be seen."""
    names = page.eval_on_selector_all(
        "li[data-exercise]", "all => all.filter(one => one.getClientRects().length).map(one => one.dataset.exercise)"
    )
    return set(names)


def test_filters_leave_what_fits_and_stand_in_the_address(visit: Visits, static: str) -> None:
    everything = all_exercises()
    solved = {"groundup:practice:softmax": {"version": 1, "solved": SOFTMAX.hash}}
    page = visit(f"{static}practice/", solved).page
    form = page.get_by_role("form", name="Show only")
    assert shown(page) == {one.name for one in everything}
    form.get_by_role("checkbox", name="PyTorch", exact=True).check()
    assert shown(page) == {one.name for one in everything if one.track == "torch"}
    form.get_by_role("checkbox", name="PyTorch", exact=True).uncheck()
    form.get_by_label("Lesson", exact=True).select_option(SOFTMAX.folder)
    form.get_by_label("Level", exact=True).select_option("easier")
    form.get_by_label("asked in interviews").check()
    form.get_by_label("unsolved").check()
    wanted = {
        one.name for one in everything if one.folder == SOFTMAX.folder and one.difficulty <= 2 and one.name in ASKED
    } - {"softmax"}
    assert shown(page) == wanted
    assert form.locator("output").inner_text() == f"{len(wanted)} exercises"
    page.reload()
    assert shown(page) == wanted
    assert "level=1-2" in page.url
    form.get_by_role("checkbox", name="PyTorch", exact=True).check()
    form.get_by_label("Level", exact=True).select_option("harder")
    page.get_by_text("No exercise is left with these filters.").wait_for()


def test_a_mock_interview_is_drawn_by_level_and_its_clock_goes_on(visit: Visits, static: str) -> None:
    page = visit(f"{static}practice/").page
    page.clock.install()
    page.goto(f"{static}practice/")
    page.get_by_label("Level of the interview").select_option("middling")
    page.get_by_role("button", name="Start the clock").click()
    bar = page.get_by_role("region", name="Mock interview")
    drawn = stored(page, "interview")
    by_name = {one.name: one for one in all_exercises()}
    chosen = [by_name[one["name"]] for one in drawn["exercises"]]
    assert chosen
    assert sum(one.minutes for one in chosen) <= 45
    assert all(2 <= one.difficulty <= 3 and one.track == "numpy" for one in chosen)
    assert len(drawn["questions"]) == 2
    page.clock.fast_forward("10:00")
    assert bar.get_by_role("timer").inner_text().startswith(("34:5", "35:0"))
    bar.get_by_role("link", name=chosen[0].title).click()
    page.wait_for_url(f"**/practice/{chosen[0].name}/")
    assert page.get_by_role("region", name="Mock interview").locator("[aria-current=step]").count() == 1
    page.get_by_role("link", name="Question 1").click()
    page.wait_for_url(f"**/practice/#{drawn['questions'][0]}")
    assert page.locator(f"[id='{drawn['questions'][0]}']").is_visible()
    for one in drawn["exercises"]:
        page.evaluate(
            """([name, hash]) =>
                localStorage.setItem(`groundup:practice:${name}`, JSON.stringify({version: 1, solved: hash}))""",
            [one["name"], one["hash"]],
        )
    page.reload()
    page.get_by_text(f"All solved. {len(chosen)} of {len(chosen)} solved").wait_for()
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Start the clock").wait_for()
    assert stored(page, "interview") is None


def test_who_starts_or_ends_an_interview_sees_it(visit: Visits, static: str) -> None:
    from playwright.sync_api import expect

    page = visit(f"{static}practice/", viewport=NARROW).page
    button = page.get_by_role("button", name="Start the clock")
    button.evaluate("button => scrollBy(0, button.getBoundingClientRect().top - 200)")
    button.click()
    bar = page.get_by_role("region", name="Mock interview")
    first = bar.get_by_role("link").first
    expect(first).to_be_in_viewport()
    expect(first).to_be_focused()
    bar.get_by_role("button", name="End it").click()
    solved = re.compile(r"Ended\. 0 of \d solved in 0:0\d\.")
    bar.get_by_text(solved).wait_for()
    page.reload()
    bar.get_by_text(solved).wait_for()
    bar.get_by_role("button", name="Close").click()
    button.wait_for()
    assert stored(page, "interview") is None


def test_answers_to_interview_questions_unfold(visit: Visits, static: str) -> None:
    page = visit(f"{static}practice/").page
    section = page.locator("section[data-of=tiny_decoder]")
    section.get_by_text("questions that interviewers ask").click()
    card = section.locator("li[data-question]", has_text="Why is the mask applied before the softmax?")
    assert not card.get_by_text("a leak").is_visible()
    card.locator("summary").click()
    assert card.get_by_text("a leak").is_visible()
    page.goto(f"{static}lessons/tiny_decoder/")
    assert page.locator("article .questions summary", has_text="Why keep keys and values").is_visible()


def test_the_task_has_an_example_and_a_line_to_try(visit: Visits, root: str) -> None:  # noqa: F811
    page = with_token(visit, f"{root}practice/softmax/")
    page.locator(".cm-content").wait_for()
    example = page.locator("pre[aria-label=gives]")
    assert example.inner_text().startswith("[[")
    line = page.get_by_label("Try your function")
    assert line.input_value().startswith("softmax(x=np.array(")
    run = page.get_by_role("button", name="Run", exact=True)

    def enter() -> None:
        until(page, "() => !document.querySelector('.try button').disabled")  # Enter does nothing while one runs
        line.press("Enter")

    enter()
    page.locator(".try").get_by_text("not written yet").wait_for()
    write(page, solution(SOFTMAX))
    run.click()
    first = example.inner_text().split(",")[0].strip("[ ")
    until(page, "first => document.querySelector('.try-said')?.textContent.includes(first)", first)
    line.fill("softmax(np.zeros((1, 2)))[0]")
    enter()
    until(page, "document.querySelector('.try-said')?.textContent === 'array([[0.5, 0.5]])'")
    line.fill("softmax('a')")
    enter()
    page.locator(".try-failed").get_by_text("AttributeError").wait_for()
    assert "Line" in page.locator(".try-failed").inner_text()
    assert page.locator("[data-state-of=softmax]").inner_text() == "", "nothing is kept of a line"


@pytest.mark.parametrize("viewport", [NARROW, {"width": 320, "height": 700}], ids=lambda size: str(size["width"]))
def test_the_list_and_a_task_fit_a_narrow_screen(visit: Visits, static: str, viewport: dict[str, int]) -> None:
    page = visit(f"{static}practice/", viewport=viewport).page
    page.get_by_role("button", name="Start the clock").click()
    for address in ("practice/", "practice/encoder_layer_backward/"):
        page.goto(static + address)
        page.get_by_role("region", name="Mock interview").wait_for()
        assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [viewport["width"]] * 2
