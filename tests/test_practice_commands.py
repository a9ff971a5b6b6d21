"""``groundup practice`` as a learner meets it: exit codes, files that are never lost, and what the terminal shows."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from groundup import cli, show
from groundup.practice import answers, audit, desk, mathtext, progress, render, watch
from groundup.practice.commands import practice
from groundup.practice.grading import grader
from groundup.practice.grading.verdict import Verdict
from groundup.practice.mathtext import formula, plain
from groundup.practice.registry import all_exercises, find_exercise
from groundup.practice.starter import solution, starter

COMMANDS = [
    "list", "start", "next", "check", "watch", "hint", "solution", "reset", "skip", "progress", "export", "import",
    "audit",
]  # fmt: skip
SOFTMAX = find_exercise("softmax")
PASSED = Verdict("softmax", "passed", "Right.")
WRONG = Verdict(
    "softmax", "wrong", "The value is wrong.", check="values", arguments={"x": "[1. 2.]"}, expected="[0.27 0.73]",
    got="[0.5 0.5]", error=0.23, diagnosis="Your answer gives the same numbers as one that is flat.", log="hello",
    lines=((3, "y = x"),), checks=("first call",),
)  # fmt: skip

if not any(group.name == "practice" for group in cli.app.registered_groups):
    cli.app.add_typer(practice, name="practice")


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    """A folder of the learner's, and progress of the test's own."""
    monkeypatch.setenv("GROUNDUP_DATA", str(tmp_path / "data"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def run(capsys, monkeypatch):
    """Call `groundup practice …` in this process; gives exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["groundup", "practice", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return call


@pytest.fixture
def graded(monkeypatch):
    """What the grader says, in order, without grading; collects what it was asked."""
    verdicts: list[Verdict] = []
    asked: list[tuple[str, bytes]] = []

    def grade(exercise, source, seed=None):
        asked.append((exercise.name, source))
        return verdicts.pop(0)

    monkeypatch.setattr(grader, "grade", grade)
    return SimpleNamespace(verdicts=verdicts, asked=asked)


def refused(answer, *words):
    """Exit code 2, and on stderr one sentence that has the words."""
    code, _, err = answer
    assert code == 2, err
    assert len(err.strip().splitlines()) == 1, err
    for word in words:
        assert word in err
    return True


def test_help_of_every_command_teaches(run):
    code, out, _ = run("--help")
    assert code == 0
    for command in COMMANDS:
        assert command in out
        code, text, _ = run(command, "--help")
        assert code == 0
        assert "Usage" in text


def test_the_list_has_every_exercise_and_what_is_next(run):
    for arguments in ((), ("list",)):
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        for exercise in all_exercises():
            assert exercise.name in out
        assert out.count("← next") == 1
    records = json.loads(run("list", "--json")[1])
    assert {record["name"] for record in records} == {exercise.name for exercise in all_exercises()}
    assert [record["next"] for record in records] == [True] + [False] * (len(records) - 1)
    assert {record["state"] for record in records} == {"new"}


def test_the_list_goes_by_lesson_and_difficulty(run):
    records = json.loads(run("list", "--json")[1])
    lessons = list(dict.fromkeys(record["lesson"] for record in records))
    keys = [(lessons.index(record["lesson"]), record["difficulty"]) for record in records]
    assert keys == sorted(keys)
    only = json.loads(run("list", "--json", "--lesson", "00")[1])
    assert only == [record for record in records if record["lesson"] == "00 numpy_and_pytorch"]
    assert refused(run("list", "--lesson", "alexnett"), "did you mean alexnet")


def test_start_writes_the_task_and_the_starter(run, work):
    code, out, err = run("start", "softmax")
    assert (code, err) == (0, "")
    assert "practice/softmax.py" in out
    assert "$" not in out
    text = (work / "practice/softmax.py").read_text()
    assert text.endswith(starter(SOFTMAX))
    compile(text, "softmax.py", "exec")
    assert text.startswith("# Exercise: softmax\n")
    assert progress.load()["softmax"]["started"]


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda exercise: exercise.name)
def test_every_task_can_be_read_as_a_comment(exercise, work):
    path = answers.path_for(exercise)
    text = answers.fresh(exercise, path)
    header = text.removesuffix(starter(exercise))
    assert header != text
    assert all(line.startswith("#") for line in header.strip().splitlines())
    assert "$" not in header
    assert not re.search(r"\\[a-zA-Z]{2}", header), header
    assert max(map(len, header.splitlines())) <= 120


def test_start_overwrites_nothing(run, work):
    (work / "practice").mkdir()
    (work / "practice/softmax.py").write_text("mine")
    code, out, _ = run("start", "softmax")
    assert code == 0
    assert "left as it is" in out
    assert (work / "practice/softmax.py").read_text() == "mine"
    (work / "practice/dropout.py").mkdir()
    assert refused(run("start", "dropout"), "in the way")
    assert refused(run("start", "softmax", "--dir", work / "practice/softmax.py"), "Cannot write")


def test_names_are_helped_with(run):
    assert refused(run("start", "sofmax"), "did you mean softmax?")
    assert refused(run("check", "softmax"), "There is no file", "practice start softmax")
    assert refused(run("check", "no/softmax.py"), "There is no file")


def test_the_starter_fails_and_the_solution_passes(run, work):
    run("start", "softmax")
    code, out, _ = run("check", "softmax")
    assert code == 1
    assert "Not written yet" in out
    (work / "practice/softmax.py").write_text(solution(SOFTMAX))
    code, out, _ = run("check", "practice/softmax.py", "--json")
    record = json.loads(out)
    assert code == 0
    assert record["passed"]
    assert record["clock"]["attempt"] == 1
    assert progress.state(progress.load(), SOFTMAX) == "solved"


def test_a_verdict_says_what_is_wrong_and_how_long_it_took(run, work, graded):
    run("start", "softmax")
    graded.verdicts += [WRONG, PASSED]
    code, out, _ = run("check", "softmax")
    assert code == 1
    for words in ("The value is wrong.", "[1. 2.]", "[0.27 0.73]", "[0.5 0.5]", "0.23", "is flat", "hello", "line 3"):
        assert words in out
    assert re.search(r"\d+ s so far, of 15 min\.", out)
    progress.change("softmax", lambda entry: entry.update(started="2026-01-01T00:00:00+00:00"))
    code, out, _ = run("check", "softmax")
    assert code == 0
    assert "over the 15 min; 2 attempts." in out
    assert graded.asked[1] == ("softmax", (work / "practice/softmax.py").read_bytes())
    assert "✓ solved" in run("list")[1]


def test_which_exercise_a_file_answers(run, work, graded):
    (work / "mine.py").write_text("import numpy\n# Exercise: dropout\n")
    (work / "softmax (2).py").write_text("\n")
    (work / "other.py").write_text("\n")
    graded.verdicts += [PASSED, PASSED]
    assert run("check", "mine.py")[0] == 0
    assert run("check", "softmax (2).py")[0] == 0
    assert [name for name, _ in graded.asked] == ["dropout", "softmax"]
    assert refused(run("check", "other.py"), "# Exercise: softmax")
    (work / "other.py").write_bytes(b" " * (answers.LARGEST + 1))
    assert refused(run("check", "other.py"), "1 MB")


def test_what_an_answer_prints_cannot_move_the_cursor(run, graded):
    run("start", "softmax")
    fake = "\x1b[2J\x1b[HPassed\x07 \x9b31m [bold]x[/] \r done"
    graded.verdicts.append(Verdict("softmax", "wrong", fake, log=fake, diagnosis=fake, got=fake))
    code, out, _ = run("check", "softmax")
    assert code == 1
    assert not set("\x1b\x07\x9b\r") & set(out)
    assert "[bold]x[/]" in out


def test_a_verdict_is_shown_where_progress_cannot_be_kept(run, graded, work, monkeypatch):
    run("start", "softmax")
    monkeypatch.setenv("GROUNDUP_DATA", str(work / "practice/softmax.py/data"))
    graded.verdicts += [PASSED, WRONG]
    for expected in (0, 1):
        code, out, err = run("check", "softmax")
        assert code == expected
        assert "softmax" in out
        assert len(err.strip().splitlines()) == 1
        assert "not kept" in err
    assert refused(run("skip", "softmax"), "Cannot write")
    assert run("list")[0] == 0


def test_a_broken_progress_file_is_said_once(run, work):
    data = work.parent / "data"
    data.mkdir()
    (data / "practice.json").write_bytes(b"\xff\x00")
    code, out, err = run("list")
    assert code == 0
    assert "softmax" in out
    assert "practice.broken-1.json" in err
    assert len(err.strip().splitlines()) == 1
    assert run("list")[2] == ""


def test_hints_come_one_by_one(run):
    outs = [run("hint", "softmax")[1] for _ in range(4)]
    assert ["Hint 2" in out for out in outs] == [False, True, True, True]
    assert ["Hint 3" in out for out in outs] == [False, False, True, True]
    assert progress.load()["softmax"]["hints"] == 3


def test_the_solution_is_for_those_who_passed_or_give_up(run):
    assert refused(run("solution", "softmax"), "--give-up", "hint softmax")
    assert progress.load() == {}
    code, out, _ = run("solution", "softmax", "--give-up")
    assert code == 0
    assert "subtract_maximum" in out
    assert "quotient rule" in out
    assert progress.state(progress.load(), SOFTMAX) == "gave up"
    assert run("solution", "softmax")[0] == 0
    progress.record(find_exercise("dropout"), "passed")
    assert run("solution", "dropout")[0] == 0
    assert progress.load()["dropout"]["gave_up"] is None


def test_reset_keeps_what_was_written(run, work):
    run("start", "softmax")
    fresh = (work / "practice/softmax.py").read_text()
    assert run("reset", "softmax")[0] == 0
    assert [path.name for path in (work / "practice").iterdir()] == ["softmax.py"]
    for number in (1, 2):
        (work / "practice/softmax.py").write_text(f"answer {number}")
        code, out, _ = run("reset", "softmax")
        assert code == 0
        assert f"softmax ({number}).py" in out
        assert (work / "practice/softmax.py").read_text() == fresh
        assert (work / f"practice/softmax ({number}).py").read_text() == f"answer {number}"


def test_next_goes_through_all_exercises(run, work):
    for place, exercise in enumerate(one for one in desk.ordered()):
        code, out, _ = run("next")
        assert code == 0
        assert out.startswith(f"{exercise.name}: ")
        assert len(list((work / "practice").iterdir())) == place + 1
        progress.record(exercise, "passed")
    assert run("next")[1].strip() == "Every exercise is solved."
    assert "← next" not in run("list")[1]


def test_a_skipped_one_comes_last(run):
    first, second, *_ = desk.ordered()
    assert f"Next: {second.name}." in run("skip", first.name)[1]
    assert desk.upcoming(progress.load()) is second
    assert "skipped" in run("list")[1]


def test_without_torch_its_exercises_wait(run, monkeypatch, work):
    torch = [one for one in all_exercises() if one.track == "torch"]
    monkeypatch.setattr(show, "installed_version", lambda module: None)
    for one in all_exercises():
        if one.track != "torch":
            progress.record(one, "passed")
    assert desk.upcoming(progress.load()) is None
    for one in torch:
        assert refused(run("start", one.name), "pip install 'groundup[torch]'")
    assert not (work / "practice").exists()


def test_progress_for_people_and_machines(run):
    progress.start(SOFTMAX)
    progress.record(SOFTMAX, "wrong")
    progress.record(SOFTMAX, "passed")
    progress.record(SimpleNamespace(name="no longer here", hash="h"), "passed")
    code, out, _ = run("progress")
    assert code == 0
    assert f"1 of {len(all_exercises())} solved, 2 attempts." in out
    assert "1 more" in out
    record = json.loads(run("progress", "--json")[1])
    one = next(one for one in record["exercises"] if one["name"] == "softmax")
    assert (one["state"], one["attempts"], one["hints"]) == ("solved", 2, 0)
    assert record["others"] == 1


def test_progress_goes_from_machine_to_machine(run, work, monkeypatch):
    progress.record(SOFTMAX, "passed")
    assert "1 exercise written" in run("export", "--progress", "me.json")[1]
    monkeypatch.setenv("GROUNDUP_DATA", str(work / "elsewhere"))
    assert run("import", "me.json")[0] == 0
    assert progress.state(progress.load(), SOFTMAX) == "solved"
    assert refused(run("export"), "--progress FILE or --nbgrader DIR")
    assert refused(run("export", "--progress", "a", "--nbgrader", "b"), "--progress FILE or --nbgrader DIR")
    assert refused(run("export", "softmax", "--progress", "a"), "name no exercises")
    (work / "no.json").write_text("{}")
    assert refused(run("import", "no.json"), "not progress")


def test_the_audit_fails_if_one_answer_is_graded_wrongly(run, monkeypatch):
    tried = [audit.Tried("softmax", kind, f"a {kind} one", WRONG, True) for kind in ("starter", "wrong", "wrong")]

    def rows(*more):
        monkeypatch.setattr(audit, "audit_exercise", lambda one, seed: audit.Row(one, (*tried, *more)))

    rows()
    code, out, _ = run("audit", "softmax")
    assert code == 0
    assert "2 of 2" in out
    assert "1 of 1" in out
    rows(audit.Tried("softmax", "wrong", "zero gradient", PASSED, False))
    code, out, _ = run("audit", "softmax")
    assert code == 1
    assert "2 of 3" in out
    assert "'zero gradient': passed" in out
    code, out, _ = run("audit", "--lesson", "00", "--json")
    record = json.loads(out)
    assert code == 1
    assert record["totals"]["wrong"]["tried"] == 3 * len(record["exercises"])
    assert not record["passed"]


class Desk:
    """A learner in front of watch mode: does one thing at each look at the keyboard, then quits."""

    def __init__(self, *doings):
        self.doings = list(doings)

    def __call__(self, seconds):
        doing = self.doings.pop(0) if self.doings else "q"
        if callable(doing):
            doing()
            return None
        return doing


@pytest.fixture
def path(run, work):
    """An answer that has been started."""
    run("start", "softmax")
    return work / "practice/softmax.py"


def write(path, text):
    """Save so that the time differs, however coarse the clock of the file system is."""

    def doing():
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text)
        os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))

    return doing


def test_watch_grades_what_is_saved_once(path, graded, capsys):
    graded.verdicts += [Verdict("softmax", "unwritten", "Not written yet."), WRONG, PASSED]
    watch.watch(SOFTMAX, path, Desk(None, None, write(path, "one"), None, None, None, write(path, "two"), None, None))
    assert [source for _, source in graded.asked[1:]] == [b"one", b"two"]
    out = capsys.readouterr().out
    assert out.index("Write your answer in") < out.index("Not yet") < out.index("Passed")


def test_watch_follows_an_editor_that_replaces_the_file(path, graded, capsys):
    def replace():
        other = path.with_name("4913~")
        other.write_text("new")
        os.replace(other, path)

    graded.verdicts += [WRONG, WRONG, PASSED]
    gone = [None] * round(3 * watch.GONE / watch.POLL)
    watch.watch(
        SOFTMAX, path, Desk(replace, None, None, path.unlink, *gone, write(path, "back"), None, None)
    )  # fmt: skip
    assert [source for _, source in graded.asked[1:]] == [b"new", b"back"]
    assert capsys.readouterr().out.count("is gone") == 1


def test_watch_waits_until_the_file_is_whole(path, graded):
    graded.verdicts += [WRONG, PASSED]
    watch.watch(
        SOFTMAX, path, Desk(write(path, "ha"), write(path, "half"), write(path, "half and half"), None, None)
    )  # fmt: skip
    assert [source for _, source in graded.asked[1:]] == [b"half and half"]


def test_watch_survives_what_is_no_text(path, capsys):
    path.write_bytes(b"\xff\xfe\x00\x01")
    watch.watch(SOFTMAX, path, Desk(lambda: path.write_bytes(b" " * (answers.LARGEST + 1)), None, None, None))
    out = capsys.readouterr().out
    assert "UTF-8" in out
    assert "1 MB" in out


def test_watch_keys(path, graded, capsys):
    first = desk.ordered()[0]
    graded.verdicts += [WRONG, PASSED, Verdict(first.name, "unwritten", "")]
    watch.watch(SOFTMAX, path, Desk("h", "x", "n", "", None, "n", None))
    out = capsys.readouterr().out
    assert "Hint 1 of 3" in out
    assert out.index("It has not passed yet") < out.index("Passed") < out.index(first.title)
    assert [name for name, _ in graded.asked] == ["softmax", "softmax", first.name]
    assert answers.path_for(first).is_file()
    assert progress.load()["softmax"]["hints"] == 1


def test_watch_skips_and_ends_with_the_last(path, graded, capsys):
    for one in all_exercises():
        if one is not SOFTMAX:
            progress.record(one, "passed")
    graded.verdicts.append(WRONG)
    watch.watch(SOFTMAX, path, Desk("s"))
    assert progress.state(progress.load(), SOFTMAX) == "skipped"
    assert "the last one" in capsys.readouterr().out


LOOP = "# Exercise: softmax\ndef softmax(x, axis=-1):\n    while True:\n        pass\n"


@pytest.mark.parametrize("key", ["q", "s"])
def test_watch_hears_keys_while_an_answer_loops(path, capsys, monkeypatch, key):
    monkeypatch.setattr(watch, "QUICK", 0.1)
    path.write_text(LOOP)
    began = time.perf_counter()
    for one in all_exercises():
        if one is not SOFTMAX:
            progress.record(one, "passed")
    watch.watch(SOFTMAX, path, Desk(None, "h", key))
    assert time.perf_counter() - began < 8
    assert "Hint 1 of 3" in capsys.readouterr().out
    assert progress.load()["softmax"]["attempts"] == 0


def test_watch_grades_anew_what_is_saved_while_an_answer_loops(path, capsys, monkeypatch):
    monkeypatch.setattr(watch, "QUICK", 0.1)
    path.write_text(LOOP)
    waiting = [None] * 3

    def keys(seconds):
        time.sleep(seconds)
        return waiting.pop(0) if waiting else "q" if progress.load()["softmax"]["attempts"] else None

    saved = write(path, solution(SOFTMAX))
    waiting = [None, None]
    looked = []

    def looking(seconds):
        looked.append(1)
        if len(looked) == 3:
            saved()
        return keys(seconds)

    watch.watch(SOFTMAX, path, looking)
    assert progress.state(progress.load(), SOFTMAX) == "solved"
    assert progress.load()["softmax"]["attempts"] == 1


def test_a_full_disk_leaves_no_empty_file_and_no_answer_is_lost(run, work, monkeypatch):
    def full(file, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert refused(run("start", "softmax"), "the disk is full")
    path = work / "practice/softmax.py"
    assert not path.exists()
    path.touch()  # as an older version left it
    run("start", "softmax")
    assert "def softmax" in path.read_text()
    path.write_text("mine")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert refused(run("reset", "softmax"), "the disk is full")
    assert path.read_text() == "mine"
    assert [one.name for one in path.parent.iterdir()] == ["softmax.py"]


def test_watch_as_a_program(work):
    """Keys come from standard input, and Ctrl-C ends it without a word of Python's."""
    (work / "program.py").write_text(
        "from groundup import cli\n"
        "from groundup.practice.commands import practice\n"
        "if not any(group.name == 'practice' for group in cli.app.registered_groups):\n"
        "    cli.app.add_typer(practice, name='practice')\n"
        "cli.main()\n"
    )
    for ending, keyboard in (("q", subprocess.PIPE), ("Ctrl-C", subprocess.DEVNULL)):
        process = subprocess.Popen(
            [sys.executable, "program.py", "practice", "watch", "softmax"],
            stdin=keyboard, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        seen = ""
        while "q quit" not in seen:
            seen += process.stdout.read(1)
        if ending == "q":
            out, err = process.communicate("h\nq\n", timeout=30)
            assert "Hint 1 of 3" in out
        else:
            time.sleep(3 * watch.POLL)  # without a keyboard it goes on all the same
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        assert out.endswith("Stopped watching.\n")
        assert (process.returncode, err) == (0, "")


def test_durations():
    assert [render.duration(seconds) for seconds in (0.4, 59, 61, 3600, 90_000, 200_000)] == [
        "0 s", "59 s", "1 min 1 s", "1 h 0 min", "25 h 0 min", "2 days",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"h_t = \tanh(W_{ih}\,x_t + W_{hh}\,h_{t-1}) \tag{1}", "hₜ = tanh(Wᵢₕ xₜ + Wₕₕ hₜ₋₁) (1)"),
        (r"\frac{\partial L}{\partial x_i}", "(∂L)/(∂xᵢ)"),
        (r"\operatorname{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right)V", "softmax(QKᵀ/√dₖ)V"),
        (r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}", "yᵢ = e^(xᵢ)/(Σⱼ e^(xⱼ))"),
        (r"\hat x = \frac{x-\mu}{\sqrt{\sigma^2+\varepsilon}}", "x̂ = (x-μ)/(√(σ²+ε))"),
        (r"x \in \mathbb{R}^{n \times d}", "x ∈ ℝ^(n×d)"),
        (r"\begin{cases} x & x > 0 \\ 0 & \text{otherwise} \end{cases}", "{ x x > 0 ; 0 otherwise"),
        (r"\overline{q} - 1 \# \{x\}", "q\u0305 - 1 # {x}"),
        (r"\unheardof{x}", "unheardofx"),
        ("{", ""),
    ],
)
def test_formulas_as_text(tex, text):
    assert formula(tex) == text


def test_every_formula_of_an_exercise_can_be_shown_in_a_terminal(monkeypatch):
    strange: list[str] = []
    monkeypatch.setattr(mathtext, "unknown", strange.append)
    for exercise in all_exercises():
        for text in (exercise.task, *exercise.hints, exercise.why):
            plain(text)
    assert strange == []


def test_markdown_around_formulas_stays():
    assert plain("Let $x_1$ be `a $ b`:\n$$x^2$$\nand *so* on, $5") == (
        "Let x₁ be `a $ b`:\n\n    x²\n\nand *so* on, $5"
    )
    assert plain("$x_j$", lambda text: f"<{text}>") == "<xⱼ>"


def test_every_check_draws_other_arguments_and_a_seed_repeats_them(tmp_path: Path):
    path = tmp_path / "softmax.py"
    path.write_text("def softmax(x, axis=-1):\n    return x, lambda dy: dy\n")
    exercise = find_exercise("softmax")
    first, second = (desk.check_file(exercise, path)[0] for _ in range(2))
    assert first.seed != second.seed
    assert first.arguments != second.arguments
    again = desk.check_file(exercise, path, first.seed)[0]
    assert again.arguments == first.arguments
    assert f"Seed {first.seed}" in first.text()
