"""Throwaway lessons, made in a copy of the checkout, work at every step that CONTRIBUTING names."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from groundup.errors import UserError
from groundup.lessons import all_lessons
from groundup.lessons.new import LESSONS, new_lesson

ROOT = Path(__file__).resolve().parents[1]
FREE = "98"
LESSON_FOLDERS = "src/groundup/lessons"
MADE = {f"{FREE} throwaway": f"p{FREE}_throwaway", "solitary": "solitary"}  # the names given, the folder made

#: Several commands in one interpreter, so that NumPy, PyTorch and the lessons are imported once. Each must go well.
SEVERAL = """
import json, sys
import pytest
from groundup.cli import main

def code(command):
    if command[0] == "pytest":
        return pytest.main(command[1:])
    sys.argv = command
    try:
        main()
    except SystemExit as end:
        return end.code

for command in json.loads(sys.argv[1]):
    print("$", *command, flush=True)
    if found := code(command):
        sys.exit(f"{command}: exit code {found}")
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A checkout of its own, and a way to call Python there: the output of what must go well."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("src", "tests", "results"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    env = {"PYTHONPATH": str(root / "src"), "GROUNDUP_DATA": str(root / "progress")}
    env |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def call(*words):
        done = subprocess.run(
            [sys.executable, *words], cwd=root, env=os.environ | env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call, root


def several(call, *commands):
    """What each of several commands printed."""
    printed = call("-c", SEVERAL, json.dumps(commands))
    pieces = (piece.partition("\n") for piece in printed.removeprefix("$ ").split("\n$ "))
    outputs = {command: output for command, _, output in pieces}
    assert list(outputs) == [" ".join(command) for command in commands]
    return list(outputs.values())


def test_new_lessons_work_at_once(copy):
    """The one with a number walks through every step, the other through those that know a lesson by its name."""
    call, root = copy
    new = [["groundup", "new", *names.split(), "--title", "A throwaway lesson"] for names in MADE]
    folders = [root / LESSON_FOLDERS / folder for folder in MADE.values()]
    assert [Path(printed.split()[0]).parent for printed in several(call, *new)] == folders
    commands = [
        "list",
        f"check {FREE} solitary",
        f"run {FREE} --budget smoke --quiet",
        "run solitary --budget smoke --quiet",
        "practice list",
        f"notebook {FREE}",
        "notebook solitary",
        f"export {FREE} --single-file",
        f"claims {FREE} --seeds 1 --write",
        f"bench {FREE} --no-memory",
    ]
    chosen = "(throwaway or solitary) and not notebook_"
    where = [f"tests/test_{name}.py" for name in ("lessons", "proofs", "links")]
    generic = ["pytest", "-q", "--assert=plain", "-p", "no:cacheprovider", "-k", chosen, "-rA", *where]
    listed, checked, *_, benched, tested = several(
        call, *(["groundup", *command.split()] for command in commands), generic
    )
    for names, folder in MADE.items():
        assert names in listed
        assert (root / "runs" / f"{folder}_smoke" / "figures/learning.png").is_file()
        assert (root / "notebooks" / f"{folder}.ipynb").is_file()
        for test in ("test_record", "test_smoke_run", "test_model_gradient", "test_twin_parity", "test_fact"):
            assert f"{test}[{names.split()[-1]}" in tested
    assert "0 failed" in checked
    assert "throwaway" in benched
    assert (root / "results" / f"p{FREE}_throwaway.json").is_file()
    assert "loss" in call("throwaway.py", "20")
    for tool in (["check"], ["format", "--check"]):
        call("-m", "ruff", *tool, *map(str, folders))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["02", "lstm"], "char_rnn"),
        ([FREE, "char_rnn"], "char_rnn"),
        (["3", "lstm"], "two digits"),
        (["03", "long", "short"], "two digits"),
        (["03", "LSTM"], "small letters"),
        (["class"], "small letters"),
        (["../out"], "small letters"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(names, words):
    with pytest.raises(UserError, match=words) as error:
        new_lesson(names)
    assert len(str(error.value).splitlines()) == 1
    assert len(list(LESSONS.glob("*/lesson.py"))) == len(all_lessons())


def test_an_installed_package_says_so(tmp_path):
    with pytest.raises(UserError, match="checkout"):
        new_lesson(["03", "lstm"], lessons=tmp_path / "site/groundup/lessons")
