"""What a run leaves, finds and refuses to replace in its folder, and how it ends when it is stopped."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from matplotlib import font_manager
from safetensors import numpy as safetensors_numpy

from groundup import cli, plots
from groundup.errors import UserError
from groundup.files import is_running, sweep, write_whole
from groundup.lessons import find_lesson
from groundup.notebooks import kernels
from groundup.training import params as trees
from groundup.training.loop import Stopped, fit, load_model
from groundup.training.run import Run, fingerprint, run_lesson
from test_cli import stopped
from test_training import make, next_batch, train

WAIT = 60  # seconds that a process is given


def ended_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def small_run(folder, text, resume=False, budget="smoke"):
    return run_lesson(Run(find_lesson("02"), "numpy", 0, budget, folder, resume, {"text": text}, quiet=True))


@pytest.fixture
def text(tmp_path):
    """A text of a few thousand letters: counting n-grams of the novels takes longer than training."""
    path = tmp_path / "text.txt"
    path.write_text("".join(np.random.default_rng(0).choice(list("abcdefgh \n"), 4000)))
    return path


def test_another_text_is_not_resumed(tmp_path, text):
    out = tmp_path / "out"
    first = small_run(out, text)
    assert small_run(out, text, resume=True).metrics == first.metrics
    text.write_text(text.read_text()[::-1])  # the same characters
    with pytest.raises(UserError, match="trained on other data"):
        small_run(out, text, resume=True)


def test_fingerprints_tell_pictures_and_names_apart(tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / "one" / name).mkdir(parents=True)
        (tmp_path / "one" / name / "a.png").write_bytes(b"123")
    before = fingerprint(tmp_path / "one")
    assert before == fingerprint(tmp_path / "one")
    (tmp_path / "one" / "dogs" / "a.png").rename(tmp_path / "one" / "dogs" / "b.png")
    renamed = fingerprint(tmp_path / "one")
    (tmp_path / "one" / "dogs" / "b.png").write_bytes(b"1234")
    assert len({before, renamed, fingerprint(tmp_path / "one")}) == 3
    assert fingerprint(tmp_path / "none") == ""


def test_notes_survive_a_stop(tmp_path):
    path, notes = tmp_path / "model.safetensors", {}

    def evaluate(learner):
        notes[str(learner.steps)] = f"sample {learner.steps}"
        return {}

    def go(resume, stop=None):
        def report(step, loss):
            if step == stop:
                os.kill(os.getpid(), signal.SIGINT)

        rng = np.random.default_rng(0)
        fit(make(), next_batch, 6, rng, evaluate, 2, path, resume, report=report, notes=notes)

    with pytest.raises(Stopped):
        go(False, stop=4)
    notes.clear()
    go(True)
    assert notes == {str(step): f"sample {step}" for step in (0, 2, 4, 6)}


def test_sigterm_saves_as_ctrl_c_does(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(Stopped) as stop:
        train(make(), 9, path, report=lambda step, loss: os.kill(os.getpid(), signal.SIGTERM) if step == 3 else None)
    assert stop.value.step == 3
    assert train(make(), 9, path, resume=True)["step"][-1] == 9
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_run_does_not_replace_a_longer_one(tmp_path, text):
    out = tmp_path / "out"
    small_run(out, text)
    path = out / "adam.safetensors"
    state, about = trees.load(path)
    trees.save(path, state, {**about, "run": {**about["run"], "budget": "default"}})
    before = path.read_bytes()
    with pytest.raises(UserError, match="model of the default budget, which a smoke run would replace"):
        small_run(out, text)
    assert path.read_bytes() == before
    folders = {cli.default_folder(find_lesson("02"), "numpy", budget) for budget in ("smoke", "default", "long")}
    folders.add(cli.default_folder(find_lesson("02"), "torch", "default"))
    assert len(folders) == 4


def test_what_killed_runs_left_is_removed_and_what_others_write_is_not(tmp_path):
    dead, alive = ended_process(), os.getppid()
    assert is_running(alive)
    assert not is_running(dead)
    for name in (f".adam.safetensors.{dead}.part", f".adam.safetensors.{alive}.part", ".notes.part", "mine.part"):
        (tmp_path / name).write_bytes(b"half")
    sweep(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        [f".adam.safetensors.{alive}.part", ".notes.part", "mine.part"]
    )


def foreign_files(folder):
    """Safetensors files that other programs write, and ours with something changed; by name."""
    learner = make()
    path = folder / "ours.safetensors"
    about = {"lesson": "char_rnn", "about": {"vocabulary": "\ufffdabcdef"}}
    fit(learner, next_batch, 1, np.random.default_rng(0), checkpoint=path, metadata=about)
    state, saved = trees.load(path)
    yield "ours", None
    for kind, size in (("BF16", 2), ("F8_E4M3", 1)):
        header = json.dumps({"w": {"dtype": kind, "shape": [4], "data_offsets": [0, 4 * size]}}).encode()
        (folder / f"{kind}.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4 * size))
        yield kind, "not a whole safetensors checkpoint of groundup"
    other = {"weight": np.zeros((2, 2), np.float32)}
    for name, metadata in (("none", None), ("strange", {"format": "pt"}), ("list", {"format": "[1]"})):
        (folder / f"{name}.safetensors").write_bytes(safetensors_numpy.save(other, metadata))
        yield name, "groundup"
    for name, change in (
        ("run is a list", {"run": []}),
        ("no run", {"run": None}),
        ("no notes", {"run": {"lesson": "char_rnn"}}),
        ("other format", {"format": 99}),
    ):
        trees.save(folder / f"{name}.safetensors", state, {**saved, **change})
        yield name, "groundup"
    for name, params in (
        ("flat", {"params": np.zeros(3, np.float32)}),
        ("no readout", {"params": {"embedding": state["params"]["embedding"]}}),
        ("transposed", {"params": trees.map_tree(lambda leaf: leaf.T, state["params"])}),
        ("cut", {"params": trees.map_tree(lambda leaf: leaf[:2], state["params"])}),
    ):
        trees.save(folder / f"{name}.safetensors", params, saved)
        yield name, "no model that lesson 02 char_rnn can write with"
    run = {**saved["run"], "about": {}}
    trees.save(folder / "no vocabulary.safetensors", state, {**saved, "run": run})
    yield "no vocabulary", "no model that lesson 02 char_rnn can write with"


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["groundup", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code or 0, *capsys.readouterr()


def test_files_of_other_programs_are_refused_in_a_sentence(tmp_path, monkeypatch, capsys):
    for name, says in foreign_files(tmp_path):
        path = tmp_path / f"{name}.safetensors"
        code, _, err = command(monkeypatch, capsys, "sample", "02", "--checkpoint", path, "--length", 9)
        if says is None:
            assert code == 0, err
            continue
        assert (code, len(err.splitlines())) == (2, 1), (name, err)
        assert says in err, name
        with pytest.raises(UserError):
            load_model(path, "char_rnn") and train(make(), 2, path, resume=True)


@pytest.mark.parametrize("temperature", ["inf", "-inf", "nan", "-1", "1e-40", "1e-12", "0", "1e300"])
def test_temperatures(temperature, tmp_path, monkeypatch, capsys):
    next(foreign_files(tmp_path))
    path = tmp_path / "ours.safetensors"
    code, out, err = command(
        monkeypatch, capsys, "sample", "02", "--checkpoint", path, f"--temperature={temperature}", "--length", 20
    )
    if temperature in ("inf", "-inf", "nan", "-1"):
        assert code == 2
        assert len(err.splitlines()) == 1
        assert "temperature" in err
    else:
        assert (code, err) == (0, "")
        assert len(out.strip("\n")) > 0


def test_a_number_is_a_number():
    for name in ("2", "02", "002"):
        assert find_lesson(name).slug == "char_rnn"
    assert find_lesson("7").slug == "alexnet"
    assert find_lesson("0").slug == "numpy_and_pytorch"
    for name in ("1", "9", "250"):
        with pytest.raises(UserError, match="no lesson"):
            find_lesson(name)


def test_places_that_cannot_hold_a_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "taken").mkdir()
    with pytest.raises(UserError, match="Cannot write"):
        write_whole(tmp_path / "taken", b"data")
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]
    long = "n" * 300
    with pytest.raises(UserError, match="too long"):
        write_whole(tmp_path / long, b"data")
    for arguments in (
        ("run", "02", "--budget", "smoke", "--out", tmp_path / long),
        ("run", "02", "--budget", "smoke", "--text", tmp_path / long, "--out", tmp_path / "o"),
        ("run", "07", "--budget", "smoke", "--images", tmp_path / long, "--out", tmp_path / "o"),
        ("sample", "02", "--checkpoint", tmp_path / long),
    ):
        code, _, err = command(monkeypatch, capsys, *arguments)
        assert (code, len(err.splitlines())) == (2, 1), err
        assert "Traceback" not in err


def test_a_full_disk_leaves_no_part_of_a_figure(tmp_path, monkeypatch):
    fig, axes = plots.figure()
    axes.plot([0, 1])
    plots.save(fig, tmp_path / "figure.png")
    before = (tmp_path / "figure.png").read_bytes()

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    for name in ("figure.png", "other.png"):
        fig, _ = plots.figure()
        with pytest.raises(UserError, match="the disk is full"):
            plots.save(fig, tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == ["figure.png"]
    assert (tmp_path / "figure.png").read_bytes() == before


def test_a_folder_that_may_not_be_searched_is_a_sentence(tmp_path, monkeypatch, capsys):
    real = os.stat

    def stat(path, *rest, **options):
        if "secret" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *rest, **options)

    monkeypatch.setattr(os, "stat", stat)
    below = tmp_path / "secret" / "file"
    for arguments in (
        ("run", "02", "--budget", "smoke", "--out", below),
        ("run", "02", "--budget", "smoke", "--text", below, "--out", tmp_path / "o"),
        ("run", "07", "--budget", "smoke", "--images", below, "--out", tmp_path / "o"),
        ("sample", "02", "--checkpoint", below),
    ):
        code, _, err = command(monkeypatch, capsys, *arguments)
        assert (code, len(err.splitlines())) == (2, 1), err
        assert "secret" in err
        assert "permission denied" in err.lower()


def test_kernels_find_a_short_place_that_may_be_written(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with kernels.scratch_folder() as scratch:
        assert len(scratch) <= kernels.LONGEST
        assert kernels.kernel_manager(Path(scratch)).transport == "ipc"
    assert kernels.kernel_manager(deep).transport == "tcp"
    real = os.access
    monkeypatch.setattr(tempfile, "tempdir", "/usr")
    monkeypatch.setattr(os, "access", lambda path, mode: path != "/usr" and real(path, mode))
    with kernels.scratch_folder() as scratch:
        assert not scratch.startswith("/usr")


def test_chinese_letters_are_drawn_where_a_font_has_them(monkeypatch):
    path = font_manager.findfont("DejaVu Sans Mono")
    assert plots.printable("a\u4e2d") == ("a\u4e2d" if len(plots.families()) > 1 else "a□")
    monkeypatch.setattr(plots, "WIDE", ("DejaVu Sans Mono", "No such font"))  # stands for a system's font
    plots.families.cache_clear()
    try:
        assert plots.families() == ("DejaVu Sans", "DejaVu Sans Mono")
        assert font_manager.findfont(plots.families()[1]) == path
    finally:
        monkeypatch.undo()
        plots.families.cache_clear()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    "arguments", [["list"], ["practice"], ["practice", "list"], ["sample", "--help"], ["nowhere–"]]
)
def test_terminals_without_utf_8(arguments, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-m", "groundup", *arguments], capture_output=True, env=environment)
    assert done.returncode == (2 if arguments == ["nowhere–"] else 0), done.stderr
    assert b"Traceback" not in done.stderr


def test_ctrl_c_while_it_still_imports():
    program = (
        "import os, signal, sys\n"
        "class Press:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'groundup.cli':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Press())\n"
        "from groundup.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=WAIT)
    assert (done.returncode, done.stderr.strip()) == (130, "Stopped.")


def test_sigterm_ends_the_command_with_a_checkpoint(tmp_path, text):
    assert stopped(["run", "02", "--text", str(text), "--out", str(tmp_path / "out")], signal.SIGTERM) > 0
    assert (tmp_path / "out" / "adam.safetensors").exists()
