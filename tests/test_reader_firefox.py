"""A walk through the pages in Firefox, in both runtimes: read, run a cell, search, check an answer."""

import json
from collections.abc import Iterator

import pytest

from firefox import Firefox, opened
from groundup.practice.registry import find_exercise
from groundup.practice.starter import solution
from reader_site import FIREFOX, NO_FIREFOX, UNFOLD, Learn

LESSON, CELL = "self_attention", "by-hand-numbers"


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    if FIREFOX is None:
        pytest.skip(NO_FIREFOX)
    with opened(tmp_path_factory.mktemp("firefox") / "profile") as browser:
        yield browser


@pytest.mark.parametrize("runtime", ["static", "learn"])
def test_a_walk_in_firefox(firefox: Firefox, runtime: str, request: pytest.FixtureRequest) -> None:
    site = request.getfixturevalue(runtime)
    root, key = (site.url, f"#token={site.token}") if isinstance(site, Learn) else (site, "")
    firefox.open(root + key)
    assert firefox.js("document.title").startswith("groundup")

    # Read: the way from the front page to a lesson, with its formulas and figures.
    firefox.click(f"main a[href$='lessons/{LESSON}/']")
    firefox.until(f"document.body.dataset.lesson === '{LESSON}' && document.readyState === 'complete'")
    assert firefox.js("document.querySelectorAll('math').length > 10")
    firefox.until("[...document.images].filter((one) => one.loading !== 'lazy').every((one) => one.complete)")

    # Run a cell, as it is and changed.
    firefox.js(f"({UNFOLD})('cell-{CELL}')")
    firefox.click(f"#cell-{CELL} button[aria-label='Run {CELL}']")
    state = f"document.querySelector('#cell-{CELL} .cell-strip .cell-state')?.textContent ?? ''"
    firefox.until(f"/^ran in/.test({state})")
    firefox.click(f"#cell-{CELL} button[aria-label='Edit {CELL}']")
    firefox.until(f"document.activeElement.closest('#cell-{CELL} .cm-content')")
    firefox.write("print(6 * 7, np.arange(3))")
    firefox.click(f"#cell-{CELL} button[aria-label='Run {CELL}']")
    firefox.until(f"document.querySelector('#cell-{CELL} .cell-live-output')?.textContent.includes('42 [0 1 2]')")

    # Search.
    firefox.click("[data-search]")
    firefox.until("document.activeElement.matches('dialog input, [role=dialog] input')")
    firefox.type("backprop")
    firefox.until("document.querySelectorAll('dialog a[href], [role=dialog] a[href]').length > 1")

    # Check an answer: refused as it is, right as the solution.
    exercise = find_exercise("softmax")
    firefox.open(f"{root}practice/{exercise.name}/")
    check = "[...document.querySelectorAll('button')].find((one) => one.textContent.trim() === 'Check')"
    firefox.until(f"document.querySelector('.cm-content') && {check}")
    verdict = "document.querySelector('.verdict')?.textContent ?? ''"
    firefox.js(f"{check}.click()")
    firefox.until(f"{verdict}")
    assert "Right" not in firefox.js(verdict)
    firefox.click(".cm-content")
    firefox.write(solution(exercise))
    firefox.until(f"document.querySelector('.cm-content').textContent.length > {len(solution(exercise)) // 2}")
    firefox.js(f"{check}.click()")
    firefox.until(f"/Right/.test({verdict})")
    assert json.dumps(firefox.outside) == "[]", "requests that left this machine"
    assert firefox.errors == []
