"""One call makes a learner on either track: same start, same optimiser, carried state, and torch only where asked."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from groundup.ops.linear import linear
from groundup.ops.losses import mse
from groundup.training.both_tracks import OPTIMISERS, Twin, both_tracks
from groundup.training.optim import constant

SETTINGS = [
    ("sgd", {}),
    ("sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("adagrad", {"epsilon": 1e-3}),
    ("rmsprop", {"decay": 0.8, "epsilon": 1e-3}),
    ("adam", {}),
    ("adam", {"beta2": 0.98, "epsilon": 1e-3}),
    ("adam", {"weight_decay": 0.3}),
]


def line(track, optimiser="sgd", settings=None, **more):
    """y = Wx + b with random numbers."""
    params = {"weight": np.arange(6.0).reshape(2, 3) / 10, "bias": np.ones(2)}
    return both_tracks(
        track,
        params,
        forward=lambda params, rng, x: linear_in(params, x),
        loss=mse,
        twin=lambda: Twin(torch.nn.Linear(3, 2), torch.nn.functional.mse_loss),
        inputs=["x"],
        target="y",
        optimiser=optimiser,
        settings=settings,
        schedule=constant(0.1),
        **more,
    )


def linear_in(params, x):
    y, backward = linear(x, params["weight"], params["bias"])
    return y, lambda dy: dict(zip(("weight", "bias"), backward(dy)[1:], strict=True))


def test_every_optimiser_takes_the_same_steps_with_every_setting():
    assert {name for name, _ in SETTINGS} == OPTIMISERS.keys()
    for name, settings in SETTINGS:
        pair = [line(track, name, settings, clip=0.5) for track in ("numpy", "torch")]
        rng = np.random.default_rng(0)
        for _ in range(5):
            batch = {"x": rng.normal(size=(4, 3)), "y": rng.normal(size=(4, 2))}
            losses = [learner.step(batch, rng) for learner in pair]
            assert losses[0] == pytest.approx(losses[1], rel=1e-9), (name, settings)


def test_an_unknown_optimiser_is_named():
    with pytest.raises(ValueError, match="no optimiser 'adan': sgd"):
        line("numpy", "adan")


def test_what_is_carried_has_no_loss_and_goes_into_the_next_batch():
    def forward(params, rng, x, before):
        total = before + x.sum()
        y, backward = linear_in(params, x + total)
        return (y, total), lambda dy, dtotal: backward(dy + 0 * dtotal)

    def in_torch(module, x, before):
        total = before + x.sum()
        return module(x + total), total

    found = []
    for track in ("numpy", "torch"):
        learner = both_tracks(
            track,
            {"weight": np.ones((2, 3)), "bias": np.zeros(2)},
            forward=forward,
            loss=mse,
            twin=lambda: Twin(torch.nn.Linear(3, 2), torch.nn.functional.mse_loss, in_torch),
            inputs=["x", "before"],
            target="y",
            optimiser="sgd",
            schedule=constant(0.001),
            carry={"before": np.zeros(1)},
        )
        batch = {"x": np.full((1, 3), 2.0), "y": np.zeros((1, 2))}
        losses = [learner.step(batch, np.random.default_rng(0)) for _ in range(3)]
        assert learner.state()["carry"]["before"].tolist() == [18.0]
        found.append(losses)
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_an_entry_that_a_batch_lacks_is_none():
    seen = []

    def forward(params, rng, x, mask):
        seen.append(mask)
        return linear_in(params, x)

    learner = both_tracks(
        "numpy",
        {"weight": np.ones((2, 3)), "bias": np.zeros(2)},
        forward=forward,
        loss=mse,
        twin=lambda: pytest.fail("the twin is made for its own track only"),
        inputs=["x", "mask"],
        target="y",
        schedule=constant(0.1),
    )
    learner.outputs({"x": np.ones((1, 3))})
    learner.outputs({"x": np.ones((1, 3)), "mask": np.eye(3)})
    assert seen[0] is None
    assert seen[1].shape == (3, 3)


def test_the_numpy_track_does_not_import_torch():
    code = (
        "import sys, numpy as np\n"
        "from groundup.lessons import find_lesson\n"
        "for name in ('char_rnn', 'alexnet', 'tiny_decoder'):\n"
        "    model = find_lesson(name).models[0]\n"
        "    rng = np.random.default_rng(0)\n"
        "    model.learner('numpy', rng, **model.tiny).step(model.batch(rng, **model.tiny), rng)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
