"""What the generic cases cannot say about the dense blocks: extremes, statistics, errors, closed forms."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from groundup.ops.activations import gelu, log_softmax, relu, sigmoid, softmax, tanh
from groundup.ops.broadcast import unbroadcast
from groundup.ops.dropout import dropout
from groundup.ops.embedding import embedding
from groundup.ops.init import conv_params, embedding_params, linear_params, norm_params, recurrent_params
from groundup.ops.linear import linear, matmul
from groundup.ops.losses import bce_with_logits, cross_entropy, mse
from groundup.ops.positions import sinusoidal_positions
from groundup.ops.types import Array, Backward

INF = np.inf


def f32(*numbers: Any) -> Array:
    return np.array(numbers, dtype=np.float32)


# Broadcasting and products


@pytest.mark.parametrize("shape", [(), (4,), (1,), (3, 1), (2, 1, 1), (1, 3, 4), (2, 3, 4)])
def test_unbroadcast_counts_the_copies(shape: tuple[int, ...]) -> None:
    gradient = np.arange(24.0).reshape(2, 3, 4)
    expected = np.zeros(shape)
    places = np.broadcast_to(np.arange(expected.size).reshape(shape), gradient.shape)  # who was copied where
    for where in np.ndindex(gradient.shape):
        expected.reshape(-1)[places[where]] += gradient[where]
    np.testing.assert_array_equal(unbroadcast(gradient, shape), expected)


def test_linear_takes_views_and_empty_batches() -> None:
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(3, 2, 4)).swapaxes(0, 1), rng.normal(size=(5, 4)), rng.normal(size=5)
    y, backward = linear(x, weight, bias)
    for row in np.ndindex(2, 3):
        for output in range(5):
            expected = sum(x[row][i] * weight[output, i] for i in range(4)) + bias[output]
            assert y[row][output] == pytest.approx(expected, rel=1e-12)
    dx, dweight, dbias = backward(np.ones_like(y))
    np.testing.assert_allclose(dx, np.broadcast_to(weight.sum(0), x.shape))
    np.testing.assert_allclose(dweight, np.broadcast_to(x.sum((0, 1)), weight.shape))
    np.testing.assert_array_equal(dbias, np.full(5, 6.0))
    y, backward = linear(x[:0], weight, bias)
    assert y.shape == (0, 3, 5)
    assert not backward(y)[1].any()


def test_matmul_wants_matrices() -> None:
    with pytest.raises(ValueError, match="matrices"):
        matmul(np.ones(3), np.ones((3, 3)))


# Embedding


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (200,), (4, 50)])
def test_embedding_gradient_adds_up_repeated_indices(shape: tuple[int, ...], dtype: type) -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(11, 3))
    indices: Array = rng.integers(0, 7, shape).astype(dtype)  # rows 7 to 10 are never used
    y, backward = embedding(indices, weight)
    assert y.shape == (*shape, 3)
    dy = rng.normal(size=y.shape)
    expected = np.zeros_like(weight)
    np.add.at(expected, indices, dy)
    np.testing.assert_allclose(backward(dy), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("indices", "error"), [([0, -1], IndexError), ([3], IndexError), ([0.0], TypeError), ([True], TypeError)]
)
def test_embedding_rejects(indices: list[object], error: type[Exception]) -> None:
    with pytest.raises(error, match="embedding indices"):
        embedding(np.array(indices), np.ones((3, 2)))


# Activations


def test_activations_at_the_extremes() -> None:
    x = f32(-1e4, -80, 0, 80, 1e4)
    activations: list[tuple[Callable[[Array], tuple[Array, Backward]], list[float], list[float]]] = [
        (relu, [0, 0, 0, 80, 1e4], [0, 0, 0, 1, 1]),
        (tanh, [-1, -1, 0, 1, 1], [0, 0, 1, 0, 0]),
        (sigmoid, [0, math.exp(-80), 0.5, 1, 1], [0, math.exp(-80), 0.25, 0, 0]),
        (gelu, [0, 0, 0, 80, 1e4], [0, 0, 0.5, 1, 1]),
    ]
    for function, expected, slopes in activations:
        y, backward = function(x)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, f32(*expected), rtol=1e-6)
        np.testing.assert_allclose(backward(np.ones_like(x)), f32(*slopes), rtol=1e-6)


def test_sigmoid_keeps_small_probabilities() -> None:
    x = np.linspace(-80, 80, 321)
    y, _ = sigmoid(x.astype(np.float32))
    expected = [math.exp(t) / (1 + math.exp(t)) for t in x]
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_gelu_is_close_to_the_exact_form() -> None:
    x = np.linspace(-6, 6, 241)
    exact = [t * (1 + math.erf(t / math.sqrt(2))) / 2 for t in x]
    error = np.abs(gelu(x)[0] - exact).max()
    assert 1e-5 < error < 5e-4  # an approximation: near, but not equal


def test_softmax_at_the_extremes() -> None:
    x = f32([1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, -1e4], [1e4, 1e4 + 1, -INF])
    e = math.e
    expected: list[list[float]] = [
        [1, 0, 0],
        [1 / 3, 1 / 3, 1 / 3],
        [0.5, 0.5, 0],
        [1 / (1 + e), e / (1 + e), 0],
    ]
    y, backward = softmax(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    dy = np.arange(12, dtype=np.float32).reshape(4, 3)
    dx = backward(dy)
    for row, p in enumerate(np.array(expected)):
        jacobian = np.diag(p) - np.outer(p, p)
        np.testing.assert_allclose(dx[row], jacobian @ dy[row], atol=1e-5)
    log_y, _ = log_softmax(x)
    two, three, four = -math.log(2), -math.log(3), -math.log(1 + e)
    log_p = [[0, -2e4, -1e4], [three] * 3, [two, two, two - 2e4], [four, four + 1, -INF]]
    np.testing.assert_allclose(log_y, f32(*log_p), rtol=1e-6)


@pytest.mark.parametrize("axis", [0, -1])
def test_rows_that_are_masked_altogether(axis: int) -> None:
    x = np.moveaxis(f32([-INF, -INF, -INF], [1, -INF, 1]), -1, axis)
    dy = np.moveaxis(f32([1, 2, 3], [4, 0, 6]), -1, axis)
    y, backward = softmax(x, axis)
    np.testing.assert_array_equal(np.moveaxis(y, axis, -1), [[0, 0, 0], [0.5, 0, 0.5]])
    np.testing.assert_array_equal(np.moveaxis(backward(dy), axis, -1), [[0, 0, 0], [-0.5, 0, 0.5]])
    log_y, backward = log_softmax(x, axis)
    half = -math.log(2)
    np.testing.assert_allclose(np.moveaxis(log_y, axis, -1), f32([-INF] * 3, [half, -INF, half]), rtol=1e-6)
    np.testing.assert_allclose(np.moveaxis(backward(dy), axis, -1), [[0, 0, 0], [-1, 0, 1]], rtol=1e-6)


# Losses


def test_cross_entropy_at_the_extremes() -> None:
    logits = f32([1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, -1e4])
    loss, backward = cross_entropy(logits, np.array([0, 1, 1]))
    assert loss.dtype == np.float32
    assert loss == pytest.approx((0 + 2e4 + math.log(2)) / 3, rel=1e-6)
    expected = np.array([[0, 0, 0], [1, -1, 0], [0.5, -0.5, 0]]) / 3
    np.testing.assert_allclose(backward(), expected, rtol=1e-6)
    loss, _ = cross_entropy(f32([9999, 10000]), np.array([0]), label_smoothing=0.5)
    assert loss == pytest.approx(math.log(1 + math.e) - 0.25, rel=1e-6)


def test_cross_entropy_of_a_distribution_is_its_surprise() -> None:
    p = np.array([0.5, 0.3, 0.2])
    for target in range(3):
        loss, _ = cross_entropy(np.log(p)[None] + 7, np.array([target]))
        assert loss == pytest.approx(-math.log(p[target]), rel=1e-12)
        epsilon = 0.3
        loss, _ = cross_entropy(np.log(p)[None], np.array([target]), label_smoothing=epsilon)
        q = [(1 - epsilon) * (k == target) + epsilon / 3 for k in range(3)]
        assert loss == pytest.approx(-sum(q[k] * math.log(p[k]) for k in range(3)), rel=1e-12)


def test_cross_entropy_ignores() -> None:
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(5, 3)), np.array([0, -1, 2, -1, 1])
    kept = [0, 2, 4]
    loss, backward = cross_entropy(logits, targets, 0.1, ignore_index=-1)
    only_kept, only_kept_backward = cross_entropy(logits[kept], targets[kept], 0.1)
    assert loss == pytest.approx(only_kept, rel=1e-12)
    np.testing.assert_allclose(backward(2.0)[kept], only_kept_backward(2.0))
    assert not backward()[[1, 3]].any()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_with_nothing_left_is_zero(smoothing: float) -> None:
    logits = f32([1e4, -INF], [-INF, -INF])
    loss, backward = cross_entropy(logits, np.array([-100, -100]), smoothing, ignore_index=-100)
    assert loss == 0
    assert loss.dtype == np.float32
    np.testing.assert_array_equal(backward(), np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("targets", "options", "error", "message"),
    [
        ([0, 1, 2], {}, ValueError, "do not fit"),
        ([[0], [1]], {}, ValueError, "do not fit"),
        ([0, 3], {}, ValueError, r"\[0, 3\)"),
        ([0, -1], {}, ValueError, r"\[0, 3\)"),
        ([0, -1], {"ignore_index": -2}, ValueError, r"\[0, 3\)"),
        ([0.0, 1.0], {}, TypeError, "integers"),
        ([0, 1], {"label_smoothing": 1.5}, ValueError, "label_smoothing"),
        ([0, 1], {"label_smoothing": -0.1}, ValueError, "label_smoothing"),
    ],
)
def test_cross_entropy_rejects(
    targets: list[object], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        cross_entropy(np.zeros((2, 3)), np.array(targets), **options)


@pytest.mark.parametrize("loss", [mse, bce_with_logits])
def test_losses_refuse_to_broadcast(loss: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        loss(np.zeros((3, 1)), np.zeros(3))


def test_losses_keep_float32_with_integer_targets() -> None:
    for function in (mse, bce_with_logits):
        loss, backward = function(f32(0.5, -1), np.array([1, 0]))
        assert loss.dtype == backward().dtype == backward(np.float64(2)).dtype == np.float32


def test_bce_at_the_extremes() -> None:
    logits, targets = f32(1e4, -1e4, 1e4, -1e4, 0), f32(1, 0, 0, 1, 1)
    loss, backward = bce_with_logits(logits, targets)
    assert loss == pytest.approx((2e4 + math.log(2)) / 5, rel=1e-6)
    np.testing.assert_allclose(backward(), f32(0, 0, 0.2, -0.2, -0.1), rtol=1e-6)
    small, _ = bce_with_logits(f32(20), f32(1))
    assert small == pytest.approx(math.log1p(math.exp(-20)), rel=1e-5)


# Dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_rate_and_the_mean(rate: float) -> None:
    count = 100_000
    y, backward = dropout(np.ones(count), rate, np.random.default_rng(0))
    dropped = (y == 0).mean()
    error = math.sqrt(rate * (1 - rate) / count)  # standard error of a binomial proportion
    assert abs(dropped - rate) < 4 * error
    assert abs(y.mean() - 1) < 4 * error / (1 - rate)
    np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)])
    np.testing.assert_array_equal(backward(np.ones(count)), y)  # the same mask, the same scale


def test_dropout_at_rate_zero_draws_nothing() -> None:
    rng = np.random.default_rng(0)
    x = f32(1, 2)
    y, backward = dropout(x, 0.0, rng)
    assert y is x
    np.testing.assert_array_equal(backward(x), x)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, math.nan])
def test_dropout_rejects(rate: float) -> None:
    with pytest.raises(ValueError, match="dropout rate"):
        dropout(np.ones(3), rate, np.random.default_rng(0))


# Positions


@pytest.mark.parametrize("width", [1, 2, 6, 7])
def test_sinusoids_element_by_element(width: int) -> None:
    table = sinusoidal_positions(5, width, np.float64)
    assert table.shape == (5, width)
    for position in range(5):
        for column in range(width):
            angle = position / 10000 ** ((column - column % 2) / width)
            expected = math.cos(angle) if column % 2 else math.sin(angle)
            assert table[position, column] == pytest.approx(expected, abs=1e-12)


def test_the_likeness_of_sinusoids_depends_on_their_distance_only() -> None:
    table = sinusoidal_positions(40, 16, np.float64)
    products = table @ table.T
    for distance in range(40):
        along = np.diagonal(products, distance)
        np.testing.assert_allclose(along, along[0], atol=1e-12)
    assert np.diagonal(products) == pytest.approx(8)  # sin² + cos² = 1, eight times
    assert sinusoidal_positions(3, 4).dtype == np.float32


# Initial parameters


def test_init_has_the_names_and_shapes_of_torch() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for params, module in [
        (linear_params(rng, 3, 5), torch.nn.Linear(3, 5)),
        (linear_params(rng, 3, 5, bias=False), torch.nn.Linear(3, 5, bias=False)),
        (linear_params(rng, 3, 5, bias=False, std=0.02), torch.nn.Linear(3, 5, bias=False)),
        (embedding_params(rng, 7, 3), torch.nn.Embedding(7, 3)),
        (norm_params(4), torch.nn.LayerNorm(4)),
        (conv_params(rng, 3, 5, 2), torch.nn.Conv2d(3, 5, 2)),
        (conv_params(rng, 3, 5, (2, 4), bias=False), torch.nn.Conv2d(3, 5, (2, 4), bias=False)),
        (recurrent_params(rng, "rnn", 3, 5), torch.nn.RNNCell(3, 5)),
        (recurrent_params(rng, "lstm", 3, 5), torch.nn.LSTMCell(3, 5)),
        (recurrent_params(rng, "gru", 3, 5), torch.nn.GRUCell(3, 5)),
    ]:
        expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        assert {name: array.shape for name, array in params.items()} == expected
        assert all(array.dtype == np.float32 for array in params.values())


def test_init_has_the_scale_it_promises() -> None:
    rng = np.random.default_rng(0)
    relative = 4 / math.sqrt(2 * 200 * 300)  # four standard errors of a normal's standard deviation
    for array, std in [
        (linear_params(rng, 300, 200, std=0.02)["weight"], 0.02),
        (embedding_params(rng, 200, 300)["weight"], 1.0),
        (embedding_params(rng, 200, 300, std=0.5)["weight"], 0.5),
        (conv_params(rng, 100, 200, (3, 1))["weight"], math.sqrt(2 / 300)),
    ]:
        assert array.std() == pytest.approx(std, rel=relative)
        assert abs(array.mean()) < 4 * std / math.sqrt(array.size)
    assert not linear_params(rng, 3, 5, std=0.02)["bias"].any()
    assert not conv_params(rng, 3, 5, 2)["bias"].any()
    for array, bound in [
        *((array, 1 / math.sqrt(16)) for array in linear_params(rng, 16, 5000).values()),
        *((array, 1 / math.sqrt(1000)) for array in recurrent_params(rng, "lstm", 9, 1000).values()),
    ]:
        # The largest of n uniform numbers misses the bound by more than a share s with chance (1 - s)ⁿ.
        shortfall = 10 / array.size
        assert bound * (1 - 2 * shortfall) < np.abs(array).max() <= np.float32(bound)
        assert abs(array.mean()) < 4 * bound / math.sqrt(3 * array.size)
