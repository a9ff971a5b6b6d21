"""Every table of the command line at 60, 80 and 120 columns, on terminals and in pipes: no word, no number is cut."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from groundup import cli, show
from groundup.lessons import all_lessons
from groundup.practice import desk, progress, render
from groundup.practice.grading.verdict import Verdict
from groundup.practice.mutants import Score
from groundup.practice.progress import Attempt
from groundup.practice.regions import REGIONS, Regions
from groundup.practice.registry import find_exercise
from groundup.proof.checks import Proof
from groundup.tables import laid_out

WIDTHS = (60, 80, 120)
LESSON = "13 attention_is_all_you_need"


@pytest.fixture(params=WIDTHS)
def width(request, monkeypatch):
    """What the terminal says, or whoever reads the pipe."""
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


@pytest.fixture(params=[True, False], ids=["terminal", "pipe"])
def terminal(request, monkeypatch):
    """Whether standard output is a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1" if request.param else "")
    return request.param


@pytest.fixture
def printed(width, terminal, capsys):
    """Call this with what prints and its arguments: the text without colours, and its words."""

    def call(say, *arguments):
        say(*arguments)
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().out)
        return text, words(text)

    return call


def words(text):
    return {word.strip(";") for word in text.split()}


def command(*arguments):
    """Run the command line in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["groundup", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
    assert not end.value.code


def fits(text, width):
    return all(len(line) <= width for line in text.splitlines())


def test_lessons(printed, width):
    text, found = printed(command, "list")
    assert fits(text, width)
    for lesson in all_lessons():
        assert words(f"{lesson.name} {lesson.summary} {lesson.level} {lesson.minutes}") <= found
        assert words(", ".join(lesson.tracks)) | words(", ".join(lesson.needs)) <= found


def test_exercises(printed, width):
    exercises = desk.ordered()
    kept = {one.name: {**progress.new_entry(), "attempts": 3} for one in exercises[1:3]}
    text, found = printed(render.exercises_table, desk.grouped(exercises), kept, exercises[0])
    assert fits(text, width)
    for one in exercises:
        assert words(f"{one.name} {one.title} {'●' * one.difficulty} {one.minutes}") <= found
    assert "← next" in text
    assert "… tried" in text


def test_progress(printed, width):
    row = {"name": "scaled_dot_product_attention_torch", "attempts": 12, "hints": 3, "seconds": 7500.0}
    rows = [row | {"state": state, "solved": "2026-01-02T12:00:00+00:00"} for state in render.STATES if state != "new"]
    text, found = printed(render.progress_table, rows, 2)
    assert fits(text, width)
    for word in ("scaled_dot_product_attention_torch", "12", "3", "2026-01-02", *words("2 h 5 min")):
        assert word in found
    for state in render.STATES.values():
        assert words(state[0]) <= found


def test_audit(printed, width):
    exercise = find_exercise("scaled_dot_product_attention_torch")
    tried = {kind: (count, count - 1) for count, kind in enumerate(render.AUDITED, 21)}
    score = Score(exercise.name, made=142, refused=131, rules={"a rule": 7}, reasons={}, survivors=("a survivor",))
    reached: Regions = {
        group: {name: place % 3 < 2 or None for place, name in enumerate(some)} for group, some in REGIONS.items()
    }
    reached["shapes"]["a batch of 1"] = False
    row = SimpleNamespace(exercise=exercise, tried=(), score=score, count=tried.get, passed=False, regions=reached)
    text, found = printed(render.audit_table, [row])
    assert {exercise.name, "142", "131", "7", "1", "20", "21", "22", "23", "24"} <= found
    assert words("starter refused solution accepted wrong right mutants same by rule reason left") <= {
        word.strip(":") for word in found
    }
    assert words("shapes layouts values options state randomness") <= {word.strip(":") for word in found}
    assert "no case has a batch of 1" in " ".join(text.split())
    assert fits(text[: text.index("● reached")].rpartition("\n")[0], width)


def test_proofs(printed, width):
    checks = (
        "gradient, backward twice, arguments kept, float32 kept, layouts, oracle, all parameters learn, 20-step losses"
    )
    proofs = [Proof(f"{LESSON}: model transformer", check, 1.25e-11, 1e-6) for check in checks.split(", ")]
    proofs += [Proof("gelu", "gradient", 2.0, 1e-6), Proof("conv2d", "backward twice", 0.0, 0.0)]
    text, found = printed(show.proofs_table, proofs)
    assert words(f"{LESSON}: model transformer gelu conv2d largest relative error 2e+00 1e-11 ok") <= found
    assert words(checks.replace(",", "")) <= {word.strip(":") for word in found}
    assert fits(text.partition("passed")[0].rpartition("\n")[0], width)


def test_benchmark_and_other_markdown(printed, width, terminal):
    rows = f"| **{LESSON}: transformer** | vocabulary 60, width 64, hidden 256, batch 32, time 64 | 1310.2 | a \\| b |"
    table = f"Before.\n\n| model | size | NumPy ms | as run (quartiles) |\n|---|---|---:|---|\n{rows}\n\nAfter."
    text, found = printed(show.markdown, table)
    if terminal:
        assert fits(text, width)
        assert words(f"{LESSON}: transformer vocabulary 60, width 64, hidden 256, batch 32, time 64 1310.2") <= found
        assert words("Before. After. a | b") <= found
        assert "**" not in text
    else:
        assert text == table + "\n"


def test_doctor(printed, width):
    record = show.doctor_record()
    text, found = printed(show.doctor_table, record)
    assert fits(text, width)
    assert words(record["system"]) <= found
    assert words(" ".join(part["for"] for part in record["optional"].values())) <= found
    assert record["executable"] in text.replace("\n", "").replace(" ", "")


def test_a_verdict(printed, width):
    x = np.round(np.random.default_rng(0).normal(size=(3, 8)), 6)
    found = Verdict("layer_norm", "wrong", "Not so.", check="values", arguments={"a_long_name": str(x)}, got=str(x))
    text, seen = printed(render.verdict, found, find_exercise("layer_norm"), Attempt(1, None, first_time=False))
    assert words(str(x)) <= seen
    assert fits(text[text.index("a_long_name") :].partition("Seed")[0], width)


def test_a_pipe_that_says_no_width_gets_lines_as_long_as_it_takes(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "")
    command("list")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(all_lessons())
    assert max(map(len, lines)) < 250


HEADER = ("name", "what it is", "how many", "")
ROWS = [
    ("Fruits", "and what became of them"),
    ("  apple_of_the_north", "Red, round, and keeps till spring if it lies in a cool cellar", "12 of 1,204", "… tried"),
    ("  pear", "Soft", "7", ""),
]  # fmt: skip


@pytest.mark.parametrize("width", range(28, 121))
def test_no_width_breaks_a_word(width):
    console = Console(width=width)
    with console.capture() as capture:
        console.print(laid_out(HEADER, ROWS, width, right=("how many",)))
    text = capture.get()
    assert fits(text, width)
    assert words(" ".join(cell for row in ROWS for cell in row)) <= words(text)
    assert "12 of 1,204" in text
    assert "… tried" in text


def test_columns_if_they_fit_and_blocks_if_not():
    def lines(width, header=HEADER, rows=ROWS):
        console = Console(width=width)
        with console.capture() as capture:
            console.print(laid_out(header, rows, width, right=("how many",)))
        return [line.rstrip() for line in capture.get().splitlines()]

    assert lines(75) == [
        "name                  what it is                          how many",
        "Fruits                and what became of them",
        "  apple_of_the_north  Red, round, and keeps till       12 of 1,204  … tried",
        "                      spring if it lies in a cool",
        "                      cellar",
        "  pear                Soft                                       7",
    ]
    assert lines(40) == [
        "name",
        "Fruits  and what became of them",
        "  apple_of_the_north",
        "    what it is: Red, round, and keeps",
        "    till spring if it lies in a cool",
        "    cellar",
        "    how many: 12 of 1,204; … tried",
        "  pear",
        "    what it is: Soft; how many: 7",
    ]
    assert lines(7, ("a", "how many"), [("b", "7")]) == ["    how", "a  many", "b     7"]
