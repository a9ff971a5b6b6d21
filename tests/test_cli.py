"""The command line as a user meets it: exit codes, one clear sentence, nothing lost."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from groundup import cli, show
from groundup.lesson import Finding
from groundup.lessons import all_lessons, find_lesson

COMMANDS = ["list", "run", "sample", "check", "claims", "bench", "notebook", "export", "new", "lab", "doctor"]


@pytest.fixture
def groundup(capsys, monkeypatch):
    """Call the command line in this process, as in a pipe; gives exit code, stdout and stderr."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["groundup", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return call


def refused(answer, *words):
    """Exit code 2, and on stderr one sentence that has the words and no traceback."""
    code, _, err = answer
    assert code == 2, err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1, err
    for word in words:
        assert word in err
    return True


def test_help_of_every_command_teaches(groundup):
    code, out, _ = groundup("--help")
    assert code == 0
    for command in COMMANDS:
        assert command in out
        code, text, _ = groundup(command, "--help")
        assert code == 0
        assert "Usage" in text
        assert "<bool>" not in text  # a switch takes no value


@pytest.mark.parametrize("command", [[], ["site"]])
def test_a_command_that_needs_another_helps_and_is_no_mistake(groundup, command):
    code, out, err = groundup(*command)
    assert (code, err) == (0, "")
    assert "Usage" in out


def test_list(groundup):
    code, out, _ = groundup("list")
    assert code == 0
    for lesson in all_lessons():
        assert lesson.slug in out
    code, out, _ = groundup("list", "--json")
    assert [record["slug"] for record in json.loads(out)] == [lesson.slug for lesson in all_lessons()]


def test_doctor(groundup, monkeypatch):
    code, out, _ = groundup("doctor", "--json")
    record = json.loads(out)
    assert code == 0
    assert record["packages"]["numpy"] == np.__version__
    assert record["optional"]["torch"]["command"] is None
    monkeypatch.setattr(show, "installed_version", lambda module: None)
    code, out, _ = groundup("doctor")
    assert code == 0
    assert "pip install 'groundup[torch]'" in out


def test_version(groundup):
    assert groundup("--version")[1].startswith("groundup ")


@pytest.mark.parametrize(
    ("name", "near"), [("chr_rnn", "char_rnn"), ("alexnett", "alexnet"), ("selfattention", "self_attention")]
)
def test_unknown_lesson_suggests_the_nearest(groundup, name, near):
    assert refused(groundup("run", name), name, near)


@pytest.mark.parametrize("name", ["99", "", "é"])
def test_unknown_lesson_without_a_neighbour(groundup, name):
    assert refused(groundup("check", name), "no lesson")


def test_ambiguous_beginning_names_both(groundup):
    begun = [lesson.slug for lesson in all_lessons() if lesson.slug.startswith("a")]
    assert len(begun) > 1
    assert refused(groundup("run", "a"), *begun)


@pytest.mark.parametrize("name", ["02", "char_rnn", "char", "p02_char_rnn", "02 char_rnn", "CHAR-RNN"])
def test_names_of_a_lesson(name):
    from groundup.lessons import find_lesson

    assert find_lesson(name).slug == "char_rnn"


@pytest.mark.parametrize(
    ("name", "slug"), [("2", "char_rnn"), ("7", "alexnet"), ("002", "char_rnn"), (" p2", "char_rnn")]
)
def test_a_number_is_a_number(name, slug):
    from groundup.lessons import find_lesson

    assert find_lesson(name).slug == slug


@pytest.mark.parametrize("name", ["1", "20", "p", "p99", "m2", "2.0"])
def test_a_number_is_never_the_beginning_of_another(groundup, name):
    assert refused(groundup("run", name), name)


def test_bad_values(groundup, tmp_path):
    assert refused(groundup("run", "02", "--seed", "many"), "'--seed': it should be a valid integer.")
    assert refused(groundup("run", "02", "--seed", "-1"), "--seed")
    assert refused(groundup("run", "02", "--budget", "huge"), "--budget")
    assert refused(groundup("run", "02", "--budget", "smok"), "'smok' is not one of", "Did you mean smoke?")
    assert "Value error" not in groundup("run", "02", "--budget", "smok")[2]
    assert refused(groundup("run", "02", "--track", "jax"), "--track")
    assert refused(groundup("run", "02", "--nonsense"), "--nonsense")
    assert refused(groundup("walk"), "walk")
    assert refused(groundup("run", "25", "--images", tmp_path, "--out", tmp_path / "o"), "--images")
    assert not (tmp_path / "o").exists()


def test_out_that_cannot_be_written(groundup, tmp_path):
    file = tmp_path / "file"
    file.write_text("precious")
    assert refused(groundup("run", "02", "--budget", "smoke", "--out", file), "file, not a folder")
    assert refused(groundup("run", "02", "--budget", "smoke", "--out", file / "below"), "Cannot write")
    assert refused(groundup("run", "02", "--budget", "smoke", "--out", "/proc/nowhere"), "Cannot write")
    assert file.read_text() == "precious"


def write_texts(folder):
    (folder / "empty.txt").write_bytes(b"")
    (folder / "one.txt").write_text("a")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 40)
    (folder / "latin.txt").write_bytes("naïve café ".encode("latin-1") * 500)
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(200_000_000)
    return {
        "empty.txt": "empty",
        "one.txt": "short",
        "binary.txt": "not text",
        "latin.txt": "UTF-8",
        "huge.txt": "MB",
    }


def test_texts_that_cannot_be_trained_on(groundup, tmp_path):
    for name, word in write_texts(tmp_path).items():
        path = tmp_path / name
        assert refused(groundup("run", "02", "--text", path, "--out", tmp_path / "out"), name, word)
    assert refused(groundup("run", "02", "--text", tmp_path / "none.txt", "--out", tmp_path / "out"), "none.txt")
    assert refused(groundup("run", "02", "--text", tmp_path, "--out", tmp_path / "out"), "folder")
    out = tmp_path / "none"  # nothing is trained first, not even where a lesson does other things before it reads
    assert refused(groundup("run", "tiny_decoder", "--text", tmp_path / "one.txt", "--out", out), "one.txt", "short")
    assert not out.exists()


def test_chinese_emoji_and_code_are_text_too(groundup, tmp_path):
    rng = np.random.default_rng(0)
    poem = "".join(chr(0x4E00 + index) for index in rng.integers(0, 900, 5000))
    text = poem + "".join(rng.choice(list("🙂🎈🚀\n def(x):{}"), 3000)) + "".join(map(chr, range(0x400, 0x4F0))) * 2
    path = tmp_path / "book.txt"
    path.write_text(text, encoding="utf-8")
    code, out, err = groundup("run", "02", "--text", path, "--budget", "smoke", "--out", tmp_path / "out", "--json")
    assert code == 0, err
    record = json.loads(out)
    assert all(found["on_its_side"] is None for found in record["findings"])  # they are about the lesson's own data
    assert 0 < record["findings"][0]["value"] < 20
    checkpoint = tmp_path / "out" / "adam.safetensors"
    code, out, err = groundup("sample", "02", "--checkpoint", checkpoint, "--length", 30, "--prompt", "Ω unseen ß")
    assert code == 0, err
    assert len(out.rstrip("\n")) >= 25


def test_run_leaves_everything_and_sample_writes(groundup, tmp_path):
    code, out, err = groundup("run", "char", "--budget", "smoke", "--out", tmp_path)
    assert code == 0, err
    assert "judged at the default budget" in out
    assert f"Let it write: groundup sample char_rnn --checkpoint {tmp_path}/adam.safetensors" in out
    assert json.loads((tmp_path / "metrics.json").read_text())["lesson"] == "char_rnn"
    assert (tmp_path / "curves.csv").read_text().startswith("model,step,seconds,training")
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["cells.png", "learning.png"]
    checkpoint = tmp_path / "adam.safetensors"
    texts = [groundup("sample", "02", "--checkpoint", checkpoint, "--length", 50, "--seed", s)[1] for s in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert refused(groundup("sample", "02", "--checkpoint", tmp_path / "none"), "no checkpoint")
    assert refused(groundup("sample", "02", "--checkpoint", tmp_path / "metrics.json"), "not a whole safetensors")
    assert refused(groundup("sample", "tiny_decoder", "--checkpoint", checkpoint), "char_rnn", "tiny_decoder")
    assert refused(groundup("sample", "07", "--checkpoint", checkpoint), "nothing to sample")


@pytest.fixture
def short_text(tmp_path):
    """The path of a text of a few thousand letters: counting n-grams of the novels takes longer than training."""
    path = tmp_path / "short.txt"
    path.write_text("".join(np.random.default_rng(0).choice(list("abcdefgh \n"), 4000)))
    return path


def test_resume_from_another_seeds_checkpoint_and_from_half_of_one(groundup, tmp_path, short_text):
    command, out = ["run", "02", "--text", short_text, "--budget", "smoke", "--out", tmp_path / "out"], tmp_path / "out"
    assert groundup(*command, "--quiet")[0] == 0
    before = (out / "adam.safetensors").read_bytes()
    assert refused(groundup(*command, "--seed", 1, "--resume"), "seed is 0")
    (out / "adam.safetensors").write_bytes(before[:1000])
    assert refused(groundup(*command, "--resume"), "adam.safetensors")
    assert len((out / "adam.safetensors").read_bytes()) == 1000


def test_resume_from_a_checkpoint_that_another_lesson_left(groundup, tmp_path, short_text):
    here, other = tmp_path / "here", tmp_path / "other"
    assert groundup("run", "self_attention", "--budget", "smoke", "--out", other, "--quiet")[0] == 0
    here.mkdir()
    next(other.glob("*.safetensors")).rename(here / "adam.safetensors")
    before = (here / "adam.safetensors").read_bytes()
    answer = groundup("run", "02", "--text", short_text, "--budget", "smoke", "--out", here, "--resume")
    assert refused(answer, "Cannot resume", "adam.safetensors")
    assert (here / "adam.safetensors").read_bytes() == before


def test_image_folders(groundup, tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    for name, shade in (("dark", 40), ("light", 200)):
        (folder / name).mkdir(parents=True)
        for index in range(12):
            size = (12 + index, 20)  # mixed sizes are fine
            noise = rng.integers(0, 50, size=(size[1], size[0], 3))
            Image.fromarray((shade + noise).astype(np.uint8)).save(folder / name / f"{index}.png")
    out = tmp_path / "out"
    code, text, err = groundup("run", "07", "--images", folder, "--budget", "smoke", "--out", out, "--json")
    assert code == 0, err
    assert all(found["on_its_side"] is None for found in json.loads(text)["findings"])

    broken = folder / "dark" / "3.png"
    broken.write_bytes(broken.read_bytes()[:40])
    assert refused(groundup("run", "07", "--images", folder, "--out", out), "3.png")
    assert refused(groundup("run", "07", "--images", folder / "light", "--out", out), "light")
    assert refused(groundup("run", "07", "--images", tmp_path / "none", "--out", out), "none")
    (tmp_path / "single" / "one").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "single" / "one" / "a.png")
    assert refused(groundup("run", "07", "--images", tmp_path / "single", "--out", out), "class")


def test_torch_missing(groundup, tmp_path, monkeypatch):
    real = show.installed_version
    monkeypatch.setattr(show, "installed_version", lambda module: None if module == "torch" else real(module))
    sentence = ("torch", "pip install 'groundup[torch]'")
    assert refused(groundup("run", "02", "--track", "torch", "--out", tmp_path / "out"), *sentence)
    assert refused(groundup("bench", "02"), *sentence)
    assert not (tmp_path / "out").exists()
    code, out, err = groundup("check", "02")
    assert code == 0
    assert "left out" in err
    assert "oracle" not in out


def test_everything_but_the_twins_imports_without_torch():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from groundup import cli\n"
        "from groundup.proof import bench, check_all\n"
        "from groundup.notebooks import build, run\n"
        "from groundup.lessons import all_lessons\n"
        "print(len(all_lessons()))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(all_lessons())


def stopped(command, sign=signal.SIGINT):
    """What a run says at its end where the signal comes after its next look at the model."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    whole = [sys.executable, "-m", "groundup", *command]
    with subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if re.match(r"after \d+ steps", line):
                break
        process.send_signal(sign)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--resume" in err
    assert "Traceback" not in err
    return int(err.split("Stopped after step ")[1].split()[0])


def test_ctrl_c_keeps_a_checkpoint_and_resume_goes_on(tmp_path, short_text):
    command = ["run", "02", "--budget", "default", "--text", str(short_text), "--out", str(tmp_path)]
    step = stopped(command)
    assert (tmp_path / "adam.safetensors").exists()
    assert stopped([*command, "--resume"]) > step


def test_ctrl_c_is_heard_while_the_command_is_still_being_imported():
    new = "import sys; known = set(sys.modules); import groundup.__main__; print(*set(sys.modules) - known)"
    imported = subprocess.run([sys.executable, "-c", new], capture_output=True, text=True, check=True).stdout.split()
    assert "signal" in imported
    assert not {"typing", "typer", "numpy", "importlib.metadata"} & set(imported)
    program = "import sys; from groundup.__main__ import main; print('up', flush=True); main()"
    for delay in (0.01, 0.05, 0.1, 0.2, 0.4):
        for _ in range(9):
            process = subprocess.Popen(
                [sys.executable, "-c", program, "claims", "--stale"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
            if process.returncode != 0:  # else it had ended by itself before the signal came
                break
        assert (process.returncode, err) == (130, "Stopped.\n"), delay


def test_ctrl_c_inside_the_import_of_an_extension_is_ctrl_c(groundup, monkeypatch):
    def interrupted():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error  # as matplotlib's ft2font does

    monkeypatch.setattr("groundup.cli.all_lessons", interrupted)
    assert groundup("list") == (130, "", "Stopped.\n")

    def broken():
        raise ImportError("no such font")

    monkeypatch.setattr("groundup.cli.all_lessons", broken)
    with pytest.raises(ImportError, match="no such font"):
        groundup("list")


def test_claims_and_bench_need_a_checkout_to_write(groundup, monkeypatch):
    monkeypatch.setattr("groundup.data.measured.results_folder", lambda: None)
    assert refused(groundup("claims", "25", "--write"), "checkout")
    assert refused(groundup("bench", "02", "--write"), "checkout")


def test_one_run_shows_question_value_rival_and_paper_and_gives_no_verdict(groundup, tmp_path, monkeypatch, short_text):
    from groundup.training import run

    monkeypatch.setattr(run, "is_judged", lambda this: True)
    code, out, _ = groundup("run", "02", "--text", short_text, "--budget", "smoke", "--out", tmp_path / "out")
    assert code == 0  # that thirty steps of training do not beat counting is a finding too
    words = " ".join(out.split())
    assert "Does the network predict better than counting?" in words
    assert "the best n-gram up to order 7" in words
    assert "gives no such number" in words
    assert "groundup claims char_rnn --seeds 5" in words


@pytest.mark.parametrize(("miss", "expected"), [("", 1), ("Too few steps.", 0)])
def test_what_is_not_seen_needs_a_reason(groundup, monkeypatch, miss, expected):
    from groundup.proof import results

    def measure(lesson, seeds, track, jobs, report):
        found = [{"value": 1.0, "rival": 2.0, "pairs": None} for _ in lesson.findings]
        return [{"findings": found, "seconds": 1.0, "processor_seconds": 1.0, "metrics": {}, "drawn": {}}] * seeds

    lesson = find_lesson("00")
    unseen = Finding("x", "Is x large?", "x is large", ">", rival="another", miss=miss, paper="Table 1: 7")
    monkeypatch.setattr(results, "measure", measure)
    monkeypatch.setattr("groundup.cli.find_lessons", lambda names: [replace(lesson, findings=(unseen,))])
    code, out, _ = groundup("claims", "00", "--seeds", "2")
    assert code == expected
    assert "**not seen**, 0/2 seeds" in out
    assert "2: another; difference -1 … -1" in out
    assert "groundup claims numpy_and_pytorch --seeds 2" in out
