"""A throwaway lesson, made in a copy of the checkout, works at every step that CONTRIBUTING names."""

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


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A checkout of its own, and a way to call its command line: the output of a command that must go well."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("src", "tests", "results"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    env = os.environ | {"PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def call(*command):
        done = subprocess.run([sys.executable, "-m", *command], cwd=root, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call, root


@pytest.mark.parametrize("names", [[FREE, "throwaway"], ["alone"]], ids=" ".join)
def test_a_new_lesson_works_at_once(copy, names):
    call, root = copy
    made = call("groundup", "new", *names, "--title", "A throwaway lesson").split()
    folder = Path(made[0]).parent
    assert folder == root / "src/groundup/lessons" / (f"p{FREE}_throwaway" if len(names) == 2 else "alone")
    assert " ".join(names) in call("groundup", "list")
    assert "0 failed" in call("groundup", "check", names[0])
    call("groundup", "run", names[0], "--budget", "smoke", "--quiet")
    assert (root / "runs" / folder.name / "figures/learning.png").is_file()
    call("groundup", "practice", "list")
    call("groundup", "notebook", names[0])
    call("groundup", "export", names[0], "--single-file")
    assert "loss" in call(names[-1], "20")
    chosen = f"{names[-1]} and not notebook_stands_alone and not notebook_runs"
    call("pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, "tests/test_lessons.py", "tests/test_proofs.py")
    call("ruff", "check", str(folder))
    call("ruff", "format", "--check", str(folder))


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
