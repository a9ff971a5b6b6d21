"""The practice pages, and the grader behind them: in a browser's Python and in `groundup learn`."""

import contextlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed

from groundup.lessons import all_lessons
from groundup.practice import progress
from groundup.practice.registry import all_exercises, find_exercise
from groundup.practice.starter import changed, solution, starter
from groundup.reader import grading, practice_data
from reader_site import PREFIX, ROOT, Visit, stored
from test_reader_pages import NARROW
from test_reader_server import TOKEN, Page, Site, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

Visits = Callable[..., Visit]
SOFTMAX = find_exercise("softmax")
WRONG = next(one for one in SOFTMAX.wrong if "backward leaves out" in one.diagnosis)
TORCH = next(one for one in all_exercises() if one.track == "torch")


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GROUNDUP_DATA", str(tmp_path / "data"))


# ---- the grader for the browser ----------------------------------------------------------------------------------

CLEAN = """
import importlib.abc, json, sys
folder, scripts, answers = sys.argv[1], sys.argv[2], json.load(sys.stdin)
sys.path[:0] = [folder, scripts]


class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"matplotlib", "rich", "typer", "torch", "jupytext", "nbformat", "PIL", "scipy"}:
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Blocked())
import grade
sys.platform = "emscripten"  # in process from here on
for lesson, name, source in answers:
    verdict = json.loads(grade.grade(lesson, name, source))
    print(json.dumps([name, verdict["status"], verdict["message"]]))
ours = {name: module.__file__ for name, module in sys.modules.items() if name.startswith(("groundup", "safetensors"))}
assert all(home.startswith(folder) for home in ours.values()), ours
"""


@pytest.fixture(scope="module")
def archive() -> bytes:
    return practice_data.archive([one for one in all_exercises() if one.track == "numpy"])


def test_the_zip_grades_every_exercise_without_the_rest_of_the_library(archive: bytes, tmp_path: Path) -> None:
    zipfile.ZipFile(BytesIO(archive)).extractall(tmp_path)
    wanted = [one for one in all_exercises() if one.track == "numpy"]
    answers = [(one.folder, one.name, solution(one)) for one in wanted]
    answers += [
        (SOFTMAX.folder, SOFTMAX.name, starter(SOFTMAX)),
        (SOFTMAX.folder, SOFTMAX.name, changed(SOFTMAX, WRONG)),
    ]
    command = [sys.executable, "-I", "-B", "-c", CLEAN, str(tmp_path), str(ROOT / "web/src/practice")]
    done = subprocess.run(command, input=json.dumps(answers), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one for one in said[:-2] if one[1] != "passed"] == []
    assert len(said) == len(answers) > 2
    assert [status for _, status, _ in said[-2:]] == ["unwritten", "wrong"]


def test_the_zip_is_small_and_the_same_every_time(archive: bytes) -> None:
    again = practice_data.archive([one for one in all_exercises() if one.track == "numpy"])
    assert archive == again
    assert len(archive) < 400_000
    names = zipfile.ZipFile(BytesIO(archive)).namelist()
    assert not [name for name in names if re.search("experiment|commands|twin|figures|reader/", name)]


def test_the_pages_know_every_exercise(tmp_path: Path) -> None:
    assert practice_data.write(all_lessons(), tmp_path) == len(all_exercises())
    records = json.loads((tmp_path / "practice.json").read_text())
    assert {one["name"] for one in records} == {one.name for one in all_exercises()}
    for one in records:
        exercise = find_exercise(one["name"])
        assert (one["starter"], one["solution"], one["hash"]) == (
            starter(exercise),
            solution(exercise),
            exercise.hash,
        )
        assert one["browser"] == (exercise.track == "numpy")
        assert (len(one["hints"]), bool(one["why"]), bool(one["lesson"])) == (3, True, True)


# ---- the grader of `groundup learn` ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("front page")
    with serving(folder, hello_seconds=0.5) as running:
        yield running


def verdict(page: Page, name: str, source: str, run: int = 1) -> dict[str, Any]:
    """The verdict on an answer; waits until it is kept."""
    page.say(type="grade", run=run, exercise=name, source=source)
    events = page.until("progress")
    assert (events[-2]["type"], events[-2]["run"]) == ("verdict", run)
    return dict(events[-2]["verdict"], states=events[-1]["states"])


def test_the_server_grades_and_keeps_what_the_command_line_knows(server: Site) -> None:
    with server.page() as page:
        assert verdict(page, "softmax", starter(SOFTMAX))["status"] == "unwritten"
        assert progress.load().get("softmax", {}).get("attempts", 0) == 0
        wrong = verdict(page, "softmax", changed(SOFTMAX, WRONG), run=2)
        assert (wrong["passed"], wrong["states"]["softmax"]) == (False, "tried")
        assert WRONG.diagnosis in wrong["diagnosis"]
        right = verdict(page, "softmax", solution(SOFTMAX), run=3)
        assert (right["passed"], right["states"]["softmax"]) == (True, "solved")
        entry = progress.load()["softmax"]
        assert [one["status"] for one in entry["last"]] == [wrong["status"], "passed"]
        assert SOFTMAX.hash in entry["solved"]


def test_an_endless_loop_ends_and_the_next_answer_is_graded(server: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grading, "SECONDS", 1.0)
    with server.page() as page:
        page.say(type="grade", run=1, exercise="softmax", source="while True:\n    pass\n")
        page.say(type="grade", run=2, exercise="softmax", source="def softmax(:")
        events = page.until("verdict", run=2)
        assert [(one["run"], one["verdict"]["status"]) for one in events if one["type"] == "verdict"] == [
            (1, "timeout"),
            (2, "error"),
        ]


def test_answers_run_in_a_process_of_their_own(server: Site) -> None:
    attack = "import sys\nsys.modules['groundup.practice.grading.grader'].grade = None\n"
    with server.page() as page:
        assert not verdict(page, "softmax", attack + solution(SOFTMAX))["passed"]
        assert verdict(page, "softmax", solution(SOFTMAX), run=2)["passed"]


def test_what_cannot_be_graded_gets_a_verdict_that_says_why(server: Site) -> None:
    with server.page() as page:
        unknown = verdict(page, "../softmax", "x = 1")
        assert (unknown["status"], "no such exercise" in unknown["message"]) == ("error", True)
        large = verdict(page, "softmax", "x = 1\n" * 100_000, run=2)
        assert (large["status"], "at most" in large["message"]) == ("error", True)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "grade", "exercise": "softmax", "source": "x"},
        {"type": "grade", "run": 1, "exercise": ["softmax"], "source": "x"},
        {"type": "grade", "run": 1, "exercise": "softmax", "source": 3},
        {"type": "practice", "exercise": "softmax", "step": "solved"},
    ],
)
def test_what_is_no_message_of_ours_is_refused(server: Site, message: dict[str, Any]) -> None:
    with server.page() as page:
        page.say(**message)
        assert page.hear()["state"] == "failed"
        page.say(type="progress")
        assert page.hear() == {"type": "progress", "states": {}}


def test_hints_giving_up_and_the_clock_are_kept(server: Site) -> None:
    with server.page() as page:
        for step, state in (("start", "started"), ("hint", "started"), ("give up", "gave up")):
            page.say(type="practice", exercise="softmax", step=step)
            assert page.hear()["states"] == {"softmax": state}
    entry = progress.load()["softmax"]
    assert (entry["hints"], bool(entry["gave_up"]), entry["started"]) == (1, True, None)


def test_nobody_is_graded_without_the_token(server: Site) -> None:
    request = json.dumps({"type": "grade", "run": 1, "exercise": "softmax", "source": "x = 1"})
    for hello in ({"type": "hello", "token": "wrong", "lesson": ""}, json.loads(request)):
        with server.socket() as opened:
            opened.send(json.dumps(hello))
            with contextlib.suppress(ConnectionClosed):
                opened.send(request)
            with pytest.raises(ConnectionClosed) as closed:
                opened.recv(timeout=20)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401
    assert progress.load() == {}


# ---- the pages ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kernel(public: Path) -> Iterator[str]:
    """The address of the site with the server's grader behind it."""
    with serving(public) as running:
        yield f"{running.origin}/"


@pytest.fixture(params=["kernel", "static"])
def root(request: pytest.FixtureRequest) -> str:
    """The site's address: with a grader on this machine, and with one in the browser."""
    return str(request.getfixturevalue(request.param))


def write(page: "Tab", text: str) -> None:
    """Put a text into the editor, as by pasting over everything."""
    page.locator(".cm-content").press("Control+a")
    page.keyboard.insert_text(text)
    page.wait_for_function(
        "text => JSON.parse(localStorage.getItem('groundup:practice:softmax') ?? '{}').text === text", arg=text
    )


def check(page: "Tab", status: str) -> str:
    """Press Check and wait for a verdict of this status; answers with its text."""
    from playwright.sync_api import expect

    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_visible()
    expect(page.locator(".verdict")).to_have_attribute("data-status", status)
    return page.locator(".verdict").inner_text()


def with_token(visit: Visits, address: str, **options: Any) -> "Tab":
    return visit(address, {"groundup:token": TOKEN}, **options).page


def test_an_answer_from_starter_over_an_endless_loop_to_solved(visit: Visits, root: str) -> None:
    from playwright.sync_api import expect

    page = with_token(visit, root)
    page.clock.install()
    page.goto(f"{root}practice/softmax/")
    page.locator(".cm-content").wait_for()
    assert "not written yet" in check(page, "unwritten")
    write(page, "while True:\n    pass\n")
    page.locator(".cm-content").press("Shift+Enter")
    page.get_by_text("Checking…").wait_for()
    if root.endswith(PREFIX):  # nobody but the page itself ends it there
        page.clock.fast_forward("00:21")
        expect(page.locator(".verdict")).to_have_attribute("data-status", "timeout")
        page.locator(".cm-content").press("Shift+Enter")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    write(page, changed(SOFTMAX, WRONG))
    said = check(page, "wrong")
    assert WRONG.diagnosis.split("`")[0].strip() in said
    assert {"expected", "your answer", "largest error"} <= set(said.split("\n"))
    expect(page.get_by_role("status").filter(has_text="Not yet")).to_contain_text(WRONG.diagnosis[:20])
    write(page, f"{solution(SOFTMAX)}\nprint('<img src=x onerror=alert(1)>')\n")
    page.locator(".cm-content").press("Control+Enter")
    expect(page.locator(".verdict[data-status=passed]")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator(".verdict img").count() == 0
    assert page.locator("[data-state-of=softmax]").inner_text() == "solved"
    page.goto(f"{root}practice/")
    assert page.locator("li [data-state-of=softmax]").inner_text() == "solved"
    assert "You have solved 1 of" in page.locator("[data-practice-summary]").inner_text()
    page.reload()
    assert page.locator("li [data-state-of=softmax]").inner_text() == "solved"


def test_what_the_command_line_knows_is_shown(visit: Visits, kernel: str) -> None:
    from playwright.sync_api import expect

    progress.record(SOFTMAX, "passed")
    page = with_token(visit, f"{kernel}practice/")
    expect(page.locator("li [data-state-of=softmax]")).to_have_text("solved")
    assert stored(page, "practice:softmax") is None


def test_the_key_is_needed(visit: Visits, kernel: str) -> None:
    page = visit(f"{kernel}practice/softmax/").page
    page.locator(".cm-content").wait_for()
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_text("Open the address that groundup learn printed").wait_for()


def test_hints_come_one_by_one_and_giving_up_shows_the_solution(visit: Visits, kernel: str) -> None:
    from playwright.sync_api import expect

    page = with_token(visit, f"{kernel}practice/softmax/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hints = page.locator("[data-hint]")
    for number in range(3):
        assert [hints.nth(place).is_visible() for place in range(3)] == [place < number for place in range(3)]
        page.locator("[data-next-hint]").click()
        expect(hints.nth(number)).to_be_focused()
    assert not page.locator("[data-next-hint]").is_visible()
    page.reload()
    expect(hints.nth(2)).to_be_visible()
    assert not [url for url in asked if "solution" in url]
    page.get_by_role("button", name="Give up and show the solution").click()
    shown = page.locator(".practice-solution")
    expect(shown.locator(".shiki")).to_contain_text("def softmax")
    assert "np.exp" in shown.inner_text()
    assert "Why it is right" in shown.inner_text()
    expect(page.locator("[data-state-of=softmax]")).to_have_text("gave up")
    page.wait_for_function("document.querySelector('[data-state-of=softmax]').dataset.state === 'gave up'")
    entry = progress.load()["softmax"]
    assert (entry["hints"], bool(entry["gave_up"])) == (3, True)


def test_the_text_stays_until_it_is_reset(visit: Visits, static: str) -> None:
    from playwright.sync_api import expect

    page = visit(f"{static}practice/softmax/").page
    page.locator(".cm-content").wait_for()
    write(page, "mine = 1")
    page.reload()
    expect(page.locator(".cm-content")).to_have_text("mine = 1")
    page.evaluate("confirm = () => true")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator(".cm-content")).to_contain_text("def softmax")
    assert stored(page, "practice:softmax")["text"] is None


def test_a_text_of_an_older_exercise_is_kept_and_said_to_be(visit: Visits, static: str) -> None:
    kept = {"version": 1, "text": "mine = 1", "hash": "older", "solved": "older", "attempts": "many"}
    page = visit(f"{static}practice/softmax/", {"groundup:practice:softmax": kept}).page
    page.get_by_text("has changed since you began").wait_for()
    assert page.locator("[data-state-of=softmax]").inner_text() == "changed since you solved it"
    assert page.locator(".cm-content").inner_text().strip() == "mine = 1"


def test_the_timer_runs_over_reloads_until_it_is_stopped(visit: Visits, static: str) -> None:
    page = visit(f"{static}practice/softmax/").page
    page.clock.install()
    page.goto(f"{static}practice/softmax/")
    page.get_by_role("button", name="Start timer").click()
    page.clock.fast_forward("10:05")
    assert page.get_by_role("timer").inner_text() == f"10:05 of {SOFTMAX.minutes} min"
    page.reload()
    page.clock.fast_forward("10:00")
    page.get_by_role("button", name="Stop timer").click()
    assert page.get_by_role("timer").inner_text().startswith("20:0")
    assert page.locator(".practice-timer[data-over]").count() == 1


def test_pytorch_in_a_browser_says_where_it_is_checked(visit: Visits, static: str) -> None:
    page = visit(f"{static}practice/{TORCH.name}/").page
    page.get_by_text(f"groundup practice check {TORCH.name}").wait_for()


#: Grades many answers in one worker, the page's own; gives the verdicts' statuses.
GRADE_ALL = """([worker, python, zip, answers]) => new Promise((resolve, reject) => {
    const own = new Worker(worker, { type: 'module' });
    const verdicts = [];
    own.onerror = (event) => reject(event.message);
    own.onmessage = ({ data }) => {
        if (data.type === 'failed') reject(data.text);
        if (data.type === 'verdict') verdicts.push([data.verdict.exercise, data.verdict.status, data.verdict.message]);
        if (verdicts.length === answers.length) {
            own.terminate();
            resolve(verdicts);
        }
    };
    own.postMessage({ type: 'load', python, zip });
    for (const [folder, exercise, source] of answers) own.postMessage({ type: 'grade', folder, exercise, source });
})"""


def test_every_exercise_is_graded_in_the_real_pyodide(visit: Visits, static: str, public: Path) -> None:
    wanted = [one for one in all_exercises() if one.track == "numpy"]
    answers = [(one.folder, one.name, text(one)) for one in wanted for text in (starter, solution)]
    (worker,) = (public / "assets").glob("grade.worker-*.js")
    (archive,) = (public / "assets").glob("practice-*.zip")
    page = visit(f"{static}practice/").page
    places = [f"{static}assets/{worker.name}", f"{static}pyodide/", f"{static}assets/{archive.name}"]
    verdicts = page.evaluate(GRADE_ALL, [*places, answers])
    assert [one for one in verdicts[1::2] if one[1] != "passed"] == []
    assert [one for one in verdicts[::2] if one[1] == "passed"] == []
    assert len(verdicts) == 2 * len(wanted)


def test_every_exercise_has_its_page_and_is_found(visit: Visits, static: str, public: Path) -> None:
    for exercise in all_exercises():
        text = (public / "practice" / exercise.name / "index.html").read_text()
        assert f'data-hash="{exercise.hash}"' in text
        assert (
            f'href="../../practice/{exercise.name}/"'
            in (public / "lessons" / exercise.folder / "index.html").read_text()
        )
    page = visit(static).page
    page.get_by_role("link", name="exercises").click()
    page.wait_for_url("**/practice/")
    page.keyboard.press("/")
    page.keyboard.type(SOFTMAX.title)
    title = page.locator(".search-title", has_text=re.compile(f"^{SOFTMAX.title}$"))
    page.locator(".search-hits a", has=title).filter(has_text="Exercise").click()
    page.wait_for_url("**/practice/softmax/")


def test_nothing_is_wider_than_a_narrow_screen(visit: Visits, kernel: str) -> None:
    page = with_token(visit, f"{kernel}practice/softmax/", viewport=NARROW)
    page.locator(".cm-content").wait_for()
    write(page, changed(SOFTMAX, WRONG))
    check(page, "wrong")
    page.get_by_role("button", name="Give up").click()
    page.locator(".practice-solution").wait_for()
    width = "[document.documentElement.scrollWidth, innerWidth]"
    assert page.evaluate(width) == [390, 390]
    page.goto(f"{kernel}practice/")
    assert page.evaluate(width) == [390, 390]
