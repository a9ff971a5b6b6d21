"""At the edges: sizes of 0, no axes, half precision, windows of −∞. What PyTorch answers, the library answers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from groundup.lessons.p00_numpy_and_pytorch import model as small
from groundup.ops.activations import gelu, log_softmax, relu, sigmoid, softmax, tanh
from groundup.ops.attention import multi_head_attention, scaled_dot_product_attention
from groundup.ops.conv import conv2d
from groundup.ops.dropout import dropout
from groundup.ops.embedding import embedding
from groundup.ops.linear import linear, matmul
from groundup.ops.losses import bce_with_logits, cross_entropy, mse
from groundup.ops.norms import batch_norm, layer_norm, local_response_norm
from groundup.ops.pooling import avg_pool2d, max_pool2d
from groundup.ops.recurrent import gru, lstm, rnn
from groundup.ops.types import Array
from groundup.training.optim import adagrad, adam, clip_by_global_norm, global_norm, rmsprop, sgd

torch = pytest.importorskip("torch")
F = torch.nn.functional
HALF: dict[str, Any] = {"rtol": 4e-3, "atol": 4e-3}  # a few units in the last of eleven bits


def channels_first(function: Callable[..., Any]) -> Callable[..., Any]:
    """PyTorch's function of images (N, C, H, W), for images (N, H, W, C)."""
    return lambda x, *rest: function(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1)


def torch_lrn(x: Any) -> Any:
    return F.local_response_norm(x.movedim(-1, 1), 5, alpha=5e-4, beta=0.75, k=2.0).movedim(1, -1)


ELEMENTWISE: list[Any] = [
    (relu, F.relu),
    (tanh, torch.tanh),
    (sigmoid, torch.sigmoid),
    (gelu, lambda x: F.gelu(x, approximate="tanh")),
    (lambda x: dropout(x, 0.0, np.random.default_rng(0)), lambda x: x * 1),
    (lambda x: small.power(x, 2), lambda x: x**2),
    (lambda x: small.power(x, 0), lambda x: x**0),
    (small.exp, torch.exp),
    (small.total, torch.sum),
]
ALONG_AN_AXIS: list[Any] = [
    (softmax, lambda x: torch.softmax(x, -1)),
    (log_softmax, lambda x: torch.log_softmax(x, -1)),
]
FUNCTIONS: list[Any] = [
    *((*pair, [(3, 4)]) for pair in ELEMENTWISE + ALONG_AN_AXIS),
    (linear, F.linear, [(3, 4), (5, 4), (5,)]),
    (matmul, torch.matmul, [(2, 3, 4), (4, 5)]),
    (layer_norm, lambda x, g, b: F.layer_norm(x, g.shape, g, b), [(3, 4), (4,), (4,)]),
    (
        lambda x, g, b: first_of(batch_norm(x, g, b, np.zeros(4, x.dtype), np.ones(4, x.dtype))),
        lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True),
        [(6, 4), (4,), (4,)],
    ),
    (lambda x: max_pool2d(x, 3, 2, 1), channels_first(lambda x: F.max_pool2d(x, 3, 2, 1)), [(2, 5, 5, 3)]),
    (lambda x: avg_pool2d(x, 2), channels_first(lambda x: F.avg_pool2d(x, 2)), [(2, 4, 4, 3)]),
    (
        lambda x, w, b: conv2d(x, w, b, 1, 1),
        channels_first(lambda x, w, b: F.conv2d(x, w, b, 1, 1)),
        [(2, 4, 5, 3), (2, 3, 3, 3), (2,)],
    ),
    (scaled_dot_product_attention, F.scaled_dot_product_attention, [(2, 3, 4), (2, 5, 4), (2, 5, 6)]),
    (mse, F.mse_loss, [(3, 4), (3, 4)]),
    (bce_with_logits, F.binary_cross_entropy_with_logits, [(3, 4), (3, 4)]),
]
EMPTY: list[Any] = [
    *((*pair, [shape]) for pair in ELEMENTWISE for shape in ((0,), (0, 3), (3, 0))),
    *((*pair, [shape]) for pair in ALONG_AN_AXIS for shape in ((0,), (0, 3), (3, 0))),
    (linear, F.linear, [(0, 4), (5, 4), (5,)]),
    (linear, F.linear, [(3, 0), (5, 0), (5,)]),
    (linear, F.linear, [(3, 4), (0, 4), (0,)]),
    (matmul, torch.matmul, [(2, 3, 0), (0, 5)]),
    (layer_norm, lambda x, g, b: F.layer_norm(x, g.shape, g, b), [(0, 4), (4,), (4,)]),
    (layer_norm, lambda x, g, b: F.layer_norm(x, g.shape, g, b), [(2, 0, 4), (4,), (4,)]),
    (
        lambda x, g, b: first_of(batch_norm(x, g, b, np.zeros(4, x.dtype), np.ones(4, x.dtype), training=False)),
        lambda x, g, b: F.batch_norm(x, torch.zeros(4).to(x), torch.ones(4).to(x), g, b),
        [(0, 4), (4,), (4,)],
    ),
    (local_response_norm, torch_lrn, [(0, 3, 3, 7)]),
    (lambda x: max_pool2d(x, 3, 2, 1), channels_first(lambda x: F.max_pool2d(x, 3, 2, 1)), [(0, 5, 5, 3)]),
    (lambda x: avg_pool2d(x, 2), channels_first(lambda x: F.avg_pool2d(x, 2)), [(0, 4, 4, 3)]),
    (
        lambda x, w, b: conv2d(x, w, b, 1, 1),
        channels_first(lambda x, w, b: F.conv2d(x, w, b, 1, 1)),
        [(0, 4, 5, 3), (2, 3, 3, 3), (2,)],
    ),
    (scaled_dot_product_attention, F.scaled_dot_product_attention, [(0, 3, 4), (0, 5, 4), (0, 5, 6)]),
    (scaled_dot_product_attention, F.scaled_dot_product_attention, [(2, 0, 4), (2, 5, 4), (2, 5, 6)]),
    (scaled_dot_product_attention, F.scaled_dot_product_attention, [(2, 3, 4), (2, 0, 4), (2, 0, 6)]),
]


def first_of(result: Any) -> Any:
    """The function's first value alone."""
    (y, *_), backward = result
    return y, backward


def compare(ours: Callable[..., Any], theirs: Callable[..., Any], arrays: list[Array], **tolerance: Any) -> None:
    """Value and gradients of both, and the dtype of the arguments."""
    value, backward = ours(*arrays)
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    expected = theirs(*tensors)
    upstream = np.random.default_rng(1).normal(size=np.shape(value)).astype(arrays[0].dtype)
    gradients = backward(upstream)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    wanted = torch.autograd.grad(expected, tensors[: len(gradients)], torch.tensor(upstream), allow_unused=True)
    for got, want in zip((value, *gradients), (expected, *wanted), strict=True):
        want = np.zeros(np.shape(got)) if want is None else want.detach().numpy()
        assert np.asarray(got).dtype == arrays[0].dtype
        assert np.shape(got) == want.shape
        np.testing.assert_allclose(got, want, **tolerance)


@pytest.mark.parametrize(("ours", "theirs", "shapes"), EMPTY)
def test_sizes_of_zero(ours: Any, theirs: Any, shapes: Any) -> None:
    rng = np.random.default_rng(0)
    compare(ours, theirs, [rng.normal(size=shape) for shape in shapes])


@pytest.mark.parametrize("loss", [mse, bce_with_logits])
def test_the_loss_of_an_empty_batch_is_zero(loss: Any) -> None:
    """PyTorch says NaN, which would spoil a sum over batches; the gradient is empty for both."""
    value, backward = loss(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32))
    assert value == 0
    assert value.dtype == np.float32
    assert backward().shape == (0, 3)
    value, backward = cross_entropy(np.zeros((0, 3), np.float32), np.zeros(0, int))
    assert value == 0
    assert backward().shape == (0, 3)


def test_an_empty_batch_of_tokens_and_sequences() -> None:
    rng = np.random.default_rng(0)
    _, backward = embedding(np.zeros((0, 3), int), rng.normal(size=(5, 2)))
    assert not backward(np.zeros((0, 3, 2))).any()
    for function, gates, states in ((rnn, 1, 1), (lstm, 4, 2), (gru, 3, 1)):
        weights = [rng.normal(size=shape) for shape in ((gates * 4, 2), (gates * 4, 4), (gates * 4,), (gates * 4,))]
        values, pull = function(np.zeros((0, 3, 2)), *[np.zeros((0, 4))] * states, *weights)
        assert values[0].shape == (0, 3, 4)
        assert not any(gradient.any() for gradient in pull(*values))
    parts = {name: {"weight": rng.normal(size=(4, 4))} for name in ("query", "key", "value", "out")}
    y, pull = multi_head_attention(np.zeros((0, 3, 4)), np.zeros((0, 5, 4)), parts, 2)
    assert y.shape == (0, 3, 4)
    assert pull(y)[1].shape == (0, 5, 4)


@pytest.mark.parametrize(("ours", "theirs"), ELEMENTWISE + ALONG_AN_AXIS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_axes(ours: Any, theirs: Any, dtype: Any) -> None:
    for number in (-1.5, 0.0, 2.0):
        compare(ours, theirs, [np.array(number, dtype)], rtol=1e-6)


@pytest.mark.parametrize(("ours", "theirs"), [(mse, F.mse_loss), (bce_with_logits, F.binary_cross_entropy_with_logits)])
def test_losses_of_one_number(ours: Any, theirs: Any) -> None:
    compare(ours, theirs, [np.array(0.3), np.array(0.8)])


@pytest.mark.parametrize(("ours", "theirs", "shapes"), FUNCTIONS)
def test_half_precision_stays_half_and_near(ours: Any, theirs: Any, shapes: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.1, 1, size=shape).astype(np.float16) for shape in shapes]
    compare(ours, theirs, arrays, **HALF)


@pytest.mark.parametrize(("ours", "theirs"), [*ELEMENTWISE[:4], *ALONG_AN_AXIS])
def test_half_precision_of_large_numbers(ours: Any, theirs: Any) -> None:
    compare(ours, theirs, [np.array([-6e4, -300, -20, -5, 0, 5, 20, 300, 6e4], np.float16)], **HALF)


def test_half_precision_local_response_norm() -> None:
    """PyTorch has none in half precision on a processor: the same in double is the measure."""
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 7)).astype(np.float16)
    y, backward = local_response_norm(x)
    wide, wide_backward = local_response_norm(x.astype(np.float64))
    assert y.dtype == backward(x).dtype == np.float16
    np.testing.assert_allclose(y, wide, **HALF)
    np.testing.assert_allclose(backward(x), wide_backward(x.astype(np.float64)), **HALF)


@pytest.mark.parametrize("scale", [1, 50])
def test_half_precision_norms_of_numbers(scale: float) -> None:
    rng = np.random.default_rng(0)
    x = (scale * rng.normal(size=(5, 8))).astype(np.float16)
    gain, bias = rng.uniform(0.5, 1, size=(2, 8)).astype(np.float16)
    compare(layer_norm, lambda x, g, b: F.layer_norm(x, g.shape, g, b), [x, gain, bias], rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, 1e3, 1e6, 123456789.0, -1e30])
def test_a_constant_row_is_nothing_but_bias(value: float, dtype: Any) -> None:
    bias = np.linspace(-1, 1, 100, dtype=dtype)
    y, _ = layer_norm(np.full((3, 100), value, dtype), np.ones(100, dtype), bias)
    np.testing.assert_array_equal(y, np.broadcast_to(bias, (3, 100)))


@pytest.mark.parametrize("exponent", [0, 0.0, 1, 2, 3])
def test_powers_at_zero(exponent: float) -> None:
    compare(lambda x: small.power(x, exponent), lambda x: x**exponent, [np.array([-2.0, 0.0, 3.0])])


def test_windows_of_nothing_but_minus_infinity() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 5, 2))
    x[:, :3, :3] = -np.inf
    compare(lambda x: max_pool2d(x, 3, 2, 1), channels_first(lambda x: F.max_pool2d(x, 3, 2, 1)), [x])
    compare(lambda x: max_pool2d(x, 2), channels_first(lambda x: F.max_pool2d(x, 2)), [np.full((1, 4, 4, 1), -np.inf)])


OPTIMISERS = [
    (sgd(0.9, weight_decay=0.1), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1)),
    (sgd(), lambda p: torch.optim.SGD(p, 0.1)),
    (adagrad(), lambda p: torch.optim.Adagrad(p, 0.1)),
    (rmsprop(), lambda p: torch.optim.RMSprop(p, 0.1)),
    (adam(), lambda p: torch.optim.Adam(p, 0.1)),
    (adam(weight_decay=0.1), lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.1)),
]


@pytest.mark.parametrize(("optimiser", "theirs"), OPTIMISERS)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_optimisers(optimiser: Any, theirs: Any, shape: Any, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    params = {"w": np.array(rng.normal(size=shape), dtype)}
    tensor = torch.tensor(params["w"].copy(), requires_grad=True)
    reference, state = theirs([tensor]), optimiser.init(params)
    for _ in range(3):
        gradient = np.array(rng.normal(size=shape), dtype)
        tensor.grad = torch.tensor(gradient)
        reference.step()
        optimiser.update(params, {"w": gradient}, state, 0.1)
    assert params["w"].dtype == dtype
    tolerance: dict[str, Any] = HALF if dtype == np.float16 else {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(params["w"], tensor.detach().numpy(), **tolerance)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_clipping(dtype: Any) -> None:
    tree = {"a": np.full((30, 30), 100, dtype), "b": np.array(3, dtype), "c": np.zeros(0, dtype)}
    assert global_norm(tree) == pytest.approx(3000.0015, rel=1e-6)
    clipped, _ = clip_by_global_norm(tree, 1.0)
    assert all(leaf.dtype == dtype for leaf in clipped.values())
    assert global_norm(clipped) == pytest.approx(1, rel=1e-3)
