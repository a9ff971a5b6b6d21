"""The training loop: exact resume on both tracks, Ctrl-C, and checkpoints that belong to something else."""

import os
import signal

import numpy as np
import pytest

from groundup.errors import UserError
from groundup.lessons import find_lesson
from groundup.training import params as trees
from groundup.training.loop import Stopped, fit, load_model

MODEL = find_lesson("char_rnn").models[0]


def make(track="numpy", seed=0):
    return MODEL.learner(track, np.random.default_rng(seed), **MODEL.tiny)


def next_batch(rng):
    drawn = MODEL.batch(rng, **MODEL.tiny)
    return {name: drawn[name] for name in ("tokens", "targets")}  # the hidden state is carried


def train(learner, steps, path=None, resume=False, seed=3, report=lambda step, loss: None, **about):
    rng = np.random.default_rng(seed)
    evaluate = lambda learner: {"held out": learner.loss(next_batch(np.random.default_rng(9)))}  # noqa: E731
    return fit(learner, next_batch, steps, rng, evaluate, 3, path, resume, {"lesson": "x", **about}, report)


def same(a, b):
    a, b = trees.flatten(a), trees.flatten(b)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("track", ["numpy", "torch"])
def test_stopped_and_resumed_equals_never_stopped(track, tmp_path):
    whole = make(track)
    expected = train(whole, 11)

    path = tmp_path / "model.safetensors"
    first = make(track)
    with pytest.raises(Stopped) as stop:
        train(
            first,
            11,
            path,
            report=lambda step, loss: os.kill(os.getpid(), signal.SIGINT) if step == 5 else None,
        )
    assert stop.value.step == 5
    assert stop.value.checkpoint == path

    second = make(track, seed=99)  # other parameters: the checkpoint must replace them
    curves = train(second, 11, path, resume=True)
    assert same(whole.state(), second.state())
    for name in ("step", "training", "held out"):
        assert curves[name] == expected[name]
    assert len(set(curves["training"])) > 1


def test_resume_of_a_finished_run_does_nothing(tmp_path):
    path = tmp_path / "model.safetensors"
    learner = make()
    curves = train(learner, 4, path)
    before = path.read_bytes()
    assert train(make(seed=1), 4, path, resume=True) == curves
    assert path.read_bytes() == before


def test_resume_without_a_checkpoint_starts(tmp_path):
    assert train(make(), 2, tmp_path / "none.safetensors", resume=True)["step"] == [0, 2]


@pytest.mark.parametrize("track", ["numpy", "torch"])
def test_dropout_resumes_exactly(track, tmp_path):
    model = find_lesson("attention_is_all_you_need").models[0]
    size = {**model.tiny, "dropout": 0.5}

    def run(learner, path=None, stop_at=None, resume=False):
        def report(step, loss):
            if step == stop_at:
                os.kill(os.getpid(), signal.SIGINT)

        rng = np.random.default_rng(1)
        draw = lambda rng: model.batch(rng, **size)  # noqa: E731
        return fit(learner, draw, 6, rng, every=1, checkpoint=path, resume=resume, report=report)

    whole = model.learner(track, np.random.default_rng(0), **size)
    curve = run(whole)
    path = tmp_path / "model.safetensors"
    with pytest.raises(Stopped):
        run(model.learner(track, np.random.default_rng(0), **size), path, stop_at=3)
    rest = model.learner(track, np.random.default_rng(5), **size)
    assert run(rest, path, resume=True)["training"] == curve["training"]
    assert same(whole.state(), rest.state())


def test_a_second_ctrl_c_interrupts_at_once(tmp_path):
    def twice(step, loss):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as stop:
        train(make(), 5, report=twice)
    assert not isinstance(stop.value, Stopped)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    train(make(), 3, path, seed_name=0)
    with pytest.raises(UserError, match="seed_name is 0, this run's is 1"):
        train(make(), 3, path, resume=True, seed_name=1)


def test_a_checkpoint_of_another_size_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    train(make(), 3, path)
    other = MODEL.learner("numpy", np.random.default_rng(0), **{**MODEL.tiny, "hidden": 6})
    with pytest.raises(UserError, match="another model"):
        fit(
            other,
            next_batch,
            3,
            np.random.default_rng(0),
            checkpoint=path,
            resume=True,
            metadata={"lesson": "x"},
        )


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 100])
def test_a_broken_checkpoint_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a whole safetensors checkpoint"):
        train(make(), 3, path, resume=True)
    assert path.read_bytes() == content


def test_a_truncated_checkpoint_is_refused_and_kept(tmp_path):
    path = tmp_path / "model.safetensors"
    train(make(), 3, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="not a whole safetensors checkpoint"):
        train(make(), 3, path, resume=True)


def test_a_safetensors_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    trees.save(path, {"weight": np.zeros(3)})
    for read in (lambda: train(make(), 3, path, resume=True), lambda: load_model(path, "char_rnn")):
        with pytest.raises(UserError, match="no checkpoint of groundup"):
            read()


def test_a_full_disk_keeps_the_checkpoint_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    train(make(), 2, path)
    before = path.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(UserError, match="the disk is full"):
        train(make(), 3, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_both_tracks_load_each_others_parameters(tmp_path):
    path = tmp_path / "model.safetensors"
    learner = make("torch")
    train(learner, 3, path, about={"vocabulary": "ab"}, model="m")
    state, _ = trees.load(path)
    theirs = make("numpy", seed=4)
    theirs.params = state["params"]
    batch = MODEL.batch(np.random.default_rng(0), **MODEL.tiny)
    np.testing.assert_allclose(theirs.outputs(batch)[0], learner.outputs(batch)[0], rtol=1e-4, atol=1e-5)
