"""A lesson as one script: it runs alone, learns, and says what it found."""

import re
import subprocess
import sys

import pytest

from groundup import cli
from groundup.lessons import all_lessons, find_lesson
from groundup.notebooks.single_file import single_file

STEPS = 40
#: As if groundup, and all that NumPy does not need, were not installed.
ALONE = """
import runpy, sys
del sys.argv[0]
class Missing:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in {"groundup", "torch", "matplotlib", "typer", "threadpoolctl", "safetensors"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("lesson", [one for one in all_lessons() if one.models], ids=lambda lesson: lesson.slug)
def test_it_runs_alone_and_learns(lesson, tmp_path):
    path = tmp_path / "alone.py"
    path.write_text(single_file(lesson), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, str(path), str(STEPS)], cwd=tmp_path,
        capture_output=True, encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    losses = [float(loss) for loss in re.findall(r"loss (\d+\.\d+)", done.stdout)]
    assert len(losses) >= 10
    assert min(losses[-3:]) < losses[0]
    last = max(place for place, line in enumerate(done.stdout.splitlines()) if "loss" in line)
    assert len(done.stdout.splitlines()) > last + 1  # and then a sample


@pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.slug)
def test_it_reads_from_top_to_bottom(lesson):
    if not lesson.models:
        assert not (lesson.folder / "script.py").exists()
        return
    text = single_file(lesson)
    assert text == single_file(lesson)
    assert text.startswith(f'"""{lesson.title}')
    assert not re.search(r"^ *(from|import) groundup", text, re.MULTILINE)
    assert max(len(line) for line in text[: text.index("\ndef main(")].splitlines()) <= 120
    for machinery in ("class NumpyLearner", "def fit(", "def learner("):
        assert machinery not in text


def call(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["groundup", "export", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()
    return end.value.code or 0, out, err


def test_the_command_writes_it_and_overwrites_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, capsys, "02", "--single-file") == (0, "char_rnn.py\n", "")
    assert (tmp_path / "char_rnn.py").read_text(encoding="utf-8") == single_file(find_lesson("02"))
    assert call(monkeypatch, capsys, "02", "--single-file")[0] == 0  # the same again
    (tmp_path / "char_rnn.py").write_text("mine")
    for arguments, words in (
        (["02", "--single-file"], "is there already"),
        (["02"], "--single-file"),
        (["25", "--single-file"], "no model"),
        (["02", "--single-file", "--out", tmp_path], "is there already"),
    ):
        code, out, err = call(monkeypatch, capsys, *arguments)
        assert (code, out) == (2, "")
        assert words in err
        assert len(err.splitlines()) == 1
    assert (tmp_path / "char_rnn.py").read_text() == "mine"
