"""Parameter trees, optimisers against torch.optim, schedules and clipping."""

import math

import numpy as np
import pytest
import torch

from groundup.errors import UserError
from groundup.training import optim
from groundup.training import params as trees


def tree(rng):
    return {
        "layers": [{"weight": rng.normal(size=(2, 3))}, {"weight": rng.normal(size=4)}],
        "bias": rng.normal(size=()),
    }


def test_flatten_and_back():
    original = tree(np.random.default_rng(0))
    flat = trees.flatten(original)
    assert list(flat) == ["layers.0.weight", "layers.1.weight", "bias"]
    back = trees.unflatten(flat)
    assert isinstance(back["layers"], list)
    assert back["layers"][1]["weight"] is original["layers"][1]["weight"]


def test_a_list_of_more_than_ten_keeps_its_order():
    original = [np.array(float(index)) for index in range(12)]
    assert [float(leaf) for leaf in trees.unflatten(trees.flatten(original))] == list(range(12))


def test_save_and_load(tmp_path):
    original = tree(np.random.default_rng(0))
    trees.save(tmp_path / "a" / "x.safetensors", original, {"text": "ü", "number": 2**100})
    loaded, about = trees.load(tmp_path / "a" / "x.safetensors")
    assert about == {"text": "ü", "number": 2**100}
    mine, theirs = trees.flatten(original), trees.flatten(loaded)
    assert mine.keys() == theirs.keys()
    for name, leaf in theirs.items():
        np.testing.assert_array_equal(mine[name], leaf)
        leaf += 1  # loaded parameters can be trained on


def test_load_of_a_missing_file():
    with pytest.raises(UserError, match="no checkpoint"):
        trees.load(trees.Path("nowhere.safetensors"))


def test_count():
    assert trees.count(tree(np.random.default_rng(0))) == 6 + 4 + 1


PAIRS = {
    "sgd": (optim.sgd(), lambda p: torch.optim.SGD(p, lr=0.1)),
    "momentum": (optim.sgd(momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    "nesterov": (
        optim.sgd(momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    ),
    "decay": (
        optim.sgd(momentum=0.9, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    ),
    "adagrad": (optim.adagrad(), lambda p: torch.optim.Adagrad(p, lr=0.1)),
    "rmsprop": (optim.rmsprop(), lambda p: torch.optim.RMSprop(p, lr=0.1)),
    "adam": (optim.adam(), lambda p: torch.optim.Adam(p, lr=0.1)),
    "adamw": (optim.adam(weight_decay=0.05), lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.05)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_optimiser_equals_torch(name):
    ours, theirs = PAIRS[name]
    rng = np.random.default_rng(0)
    params = {"a": rng.normal(size=(3, 2)), "b": [rng.normal(size=4)]}
    tensors = [torch.tensor(leaf, requires_grad=True) for leaf in trees.leaves(params)]
    state, optimiser = ours.init(params), theirs(tensors)
    for _ in range(25):
        gradients = trees.map_tree(lambda leaf: rng.normal(size=leaf.shape), params)
        kept = trees.map_tree(np.copy, gradients)
        for tensor, gradient in zip(tensors, trees.leaves(gradients), strict=True):
            tensor.grad = torch.tensor(gradient)
        optimiser.step()
        ours.update(params, gradients, state, 0.1)
        for given, before in zip(trees.leaves(gradients), trees.leaves(kept), strict=True):
            np.testing.assert_array_equal(given, before)
    for leaf, tensor in zip(trees.leaves(params), tensors, strict=True):
        np.testing.assert_allclose(leaf, tensor.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", PAIRS)
def test_optimisers_keep_float32(name):
    params = {"a": np.ones(3, np.float32)}
    state = PAIRS[name][0].init(params)
    PAIRS[name][0].update(params, {"a": np.ones(3, np.float32)}, state, 0.1)
    assert params["a"].dtype == np.float32
    assert all(leaf.dtype in (np.float32, np.int64) for leaf in trees.leaves(state))


def test_clipping_equals_torch_and_leaves_its_argument():
    rng = np.random.default_rng(0)
    gradients = {"a": rng.normal(size=5), "b": rng.normal(size=(2, 2))}
    tensors = [torch.zeros(leaf.shape, dtype=torch.float64, requires_grad=True) for leaf in trees.leaves(gradients)]
    for maximum in (0.5, 100.0):
        for tensor, leaf in zip(tensors, trees.leaves(gradients), strict=True):
            tensor.grad = torch.tensor(leaf)
        norm = torch.nn.utils.clip_grad_norm_(tensors, maximum)
        clipped, mine = optim.clip_by_global_norm(gradients, maximum)
        assert mine == pytest.approx(float(norm), rel=1e-12)
        assert optim.global_norm(clipped) <= maximum
        for tensor, leaf in zip(tensors, trees.leaves(clipped), strict=True):
            assert tensor.grad is not None
            np.testing.assert_allclose(leaf, tensor.grad.numpy(), rtol=1e-12)
    assert clipped is gradients  # nothing to clip at 100


def test_inverse_root_schedule_is_the_papers():
    rate = optim.inverse_root(512, 4000)
    assert rate(3999) == pytest.approx(512**-0.5 * 4000**-0.5)
    assert rate(0) == pytest.approx(512**-0.5 * 4000**-1.5)
    assert rate(15999) == pytest.approx(rate(3999) / 2)
    assert max(range(8000), key=rate) == 3999


def test_cosine_schedule():
    rate = optim.cosine(1.0, 110, warmup=10, final=0.1)
    assert [rate(0), rate(9)] == [pytest.approx(0.1), pytest.approx(1.0)]
    assert rate(60) == pytest.approx(0.1 + 0.9 / 2)
    assert rate(110) == pytest.approx(0.1)
    assert rate(35) == pytest.approx(0.1 + 0.45 * (1 + math.cos(math.pi / 4)))
