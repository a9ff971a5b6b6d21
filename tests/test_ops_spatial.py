"""What generic cases cannot say of norms, convolution and pooling: brute force, closed forms, errors.

Gradients and PyTorch's own functions are compared case by case elsewhere (groundup.ops.cases.spatial).
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from groundup.ops.conv import col2im, conv2d, im2col, output_size
from groundup.ops.norms import batch_norm, layer_norm, local_response_norm
from groundup.ops.pooling import avg_pool2d, max_pool2d
from groundup.ops.types import Array

GEOMETRIES: list[dict[str, Any]] = [
    {},
    {"padding": 1},
    {"stride": 2, "padding": (2, 1)},
    {"stride": (1, 3), "dilation": (2, 1)},
    {"stride": 2, "padding": 3, "dilation": 2},
]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def exact_in_float32(rng: np.random.Generator, *shape: int) -> Array:
    """Normal values in steps of 2⁻¹⁰: adding ±10⁴ to them in float32 rounds nothing."""
    return (np.round(rng.normal(size=shape) * 1024) / 1024).astype(np.float32)


# ------------------------------------------------------------------------------------------------------ norms


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e4])
def test_layer_norm_has_mean_0_and_variance_1_at_any_offset(rng: np.random.Generator, offset: float) -> None:
    x = exact_in_float32(rng, 4, 16, 128)
    shifted = x + np.float32(offset)
    assert np.array_equal(shifted.astype(float) - offset, x)
    y = layer_norm(shifted, np.ones(128, np.float32), np.zeros(128, np.float32))[0].astype(float)
    resolution = np.spacing(np.float32(max(1, abs(offset))))  # the mean of x is known no better than this
    assert np.abs(y.mean(-1)).max() < 4 * resolution
    assert np.abs(y.var(-1) - 1).max() < 1e-4
    reference = layer_norm(x.astype(float), np.ones(128), np.zeros(128))[0]
    assert np.abs(y - reference).max() < 8 * resolution


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e4])
def test_batch_norm_has_mean_0_and_variance_1_at_any_offset(rng: np.random.Generator, offset: float) -> None:
    x = exact_in_float32(rng, 32, 8, 8, 5)
    one, zero = np.ones(5, np.float32), np.zeros(5, np.float32)
    (y, mean, var), _ = batch_norm(x + np.float32(offset), one, zero, zero, one, momentum=1.0)
    assert np.abs(y.mean((0, 1, 2), dtype=float)).max() < 1e-5
    assert np.abs(y.var((0, 1, 2), dtype=float) - 1).max() < 1e-4
    np.testing.assert_allclose(mean, offset + x.mean((0, 1, 2), dtype=float), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(var, x.var((0, 1, 2), dtype=float, ddof=1), rtol=1e-5)


def test_norms_do_not_see_the_scale_of_their_input(rng: np.random.Generator) -> None:
    x, gain, bias = rng.normal(size=(6, 4, 8)), rng.normal(size=8), rng.normal(size=8)
    np.testing.assert_allclose(
        layer_norm(1e4 * x, gain, bias, eps=0)[0], layer_norm(x, gain, bias, eps=0)[0], rtol=1e-10, atol=1e-10
    )
    buffers = np.zeros(8), np.ones(8)
    np.testing.assert_allclose(
        batch_norm(1e4 * x, gain, bias, *buffers, eps=0)[0][0],
        batch_norm(x, gain, bias, *buffers, eps=0)[0][0],
        rtol=1e-10,
        atol=1e-10,
    )


def test_gradients_of_norms_are_orthogonal_to_shift_and_scale(rng: np.random.Generator) -> None:
    """f(x + c) = f(x) and, at eps 0, f(a x) = f(x): so dx has no component along 1, nor along x."""
    x, gain, bias, dy = (
        rng.normal(size=(5, 7)),
        rng.normal(size=7),
        rng.normal(size=7),
        rng.normal(size=(5, 7)),
    )
    dx = layer_norm(x, gain, bias, eps=0)[1](dy)[0]
    assert np.abs(dx).max() > 0.1
    np.testing.assert_allclose(dx.sum(-1), 0, atol=1e-12)
    np.testing.assert_allclose((dx * x).sum(-1), 0, atol=1e-12)
    dx = batch_norm(x, gain, bias, np.zeros(7), np.ones(7), eps=0)[1](dy)[0]
    assert np.abs(dx).max() > 0.1
    np.testing.assert_allclose(dx.sum(0), 0, atol=1e-12)
    np.testing.assert_allclose((dx * x).sum(0), 0, atol=1e-12)


def test_running_statistics_are_an_exponential_average(rng: np.random.Generator) -> None:
    """After T steps: (1 − m)^T start + m Σ_t (1 − m)^(T − 1 − t) batch_t."""
    batches = rng.normal(loc=3, size=(6, 4, 5, 2))
    start_mean, start_var, m = np.array([10.0, -10.0]), np.array([4.0, 0.1]), 0.25
    mean, var = start_mean, start_var
    for batch in batches:
        (_, mean, var), _ = batch_norm(batch, np.ones(2), np.zeros(2), mean, var, momentum=m)
    T = len(batches)
    weights = m * (1 - m) ** np.arange(T - 1, -1, -1.0)
    np.testing.assert_allclose(mean, (1 - m) ** T * start_mean + weights @ batches.mean((1, 2)), rtol=1e-12)
    np.testing.assert_allclose(var, (1 - m) ** T * start_var + weights @ batches.var((1, 2), ddof=1), rtol=1e-12)
    (y, same_mean, same_var), _ = batch_norm(batches[0], np.ones(2), np.zeros(2), mean, var, training=False)
    assert np.array_equal(same_mean, mean)
    assert np.array_equal(same_var, var)
    np.testing.assert_allclose(y, (batches[0] - mean) / np.sqrt(var + 1e-5), rtol=1e-12)


@pytest.mark.parametrize(("size", "channels"), [(5, 9), (4, 6), (1, 3), (7, 3), (2, 1)])
def test_local_response_norm_is_the_literal_sum(rng: np.random.Generator, size: int, channels: int) -> None:
    x = rng.normal(size=(2, 3, channels))
    alpha, beta, k = 0.2, 0.75, 2.0
    expected = np.empty_like(x)
    for n, p, i in np.ndindex(x.shape):
        window = range(max(0, i - size // 2), min(channels - 1, i + (size - 1) // 2) + 1)
        expected[n, p, i] = x[n, p, i] / (k + alpha * sum(x[n, p, j] ** 2 for j in window)) ** beta
    np.testing.assert_allclose(local_response_norm(x, size, alpha, beta, k)[0], expected, rtol=1e-13)


# ------------------------------------------------------------------------------------------------------- conv


def brute_force_conv(x: Array, weight: Array, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> Array:
    """The defining sum, one product at a time, asking of every pixel whether it lies in the image."""
    (sh, sw), (ph, pw), (dh, dw) = (v if isinstance(v, tuple) else (v, v) for v in (stride, padding, dilation))
    N, H, W, C = x.shape
    filters, _, kh, kw = weight.shape
    height = math.floor((H + 2 * ph - dh * (kh - 1) - 1) / sh) + 1
    width = math.floor((W + 2 * pw - dw * (kw - 1) - 1) / sw) + 1
    y = np.zeros((N, height, width, filters))
    for n, p, q, o in np.ndindex(y.shape):
        for c, i, j in itertools.product(range(C), range(kh), range(kw)):
            row, column = p * sh + i * dh - ph, q * sw + j * dw - pw
            if 0 <= row < H and 0 <= column < W:
                y[n, p, q, o] += x[n, row, column, c] * weight[o, c, i, j]
    return y


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_conv2d_is_the_defining_sum(rng: np.random.Generator, geometry: dict[str, Any]) -> None:
    x, weight, bias = rng.normal(size=(2, 6, 7, 2)), rng.normal(size=(3, 2, 3, 2)), rng.normal(size=3)
    y, _ = conv2d(x, weight, bias, **geometry)
    np.testing.assert_allclose(y, brute_force_conv(x, weight, **geometry) + bias, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_conv2d_is_bilinear_so_its_gradients_are_adjoints(rng: np.random.Generator, geometry: dict[str, Any]) -> None:
    """<conv(x, w), dy> = <x, dx> = <w, dweight>, exactly, for every x and w."""
    x, weight = rng.normal(size=(2, 6, 7, 2)), rng.normal(size=(3, 2, 3, 2))
    y, backward = conv2d(x, weight, **geometry)
    dy = rng.normal(size=y.shape)
    dx, dweight = backward(dy)
    np.testing.assert_allclose(np.vdot(x, dx), np.vdot(y, dy), rtol=1e-10)
    np.testing.assert_allclose(np.vdot(weight, dweight), np.vdot(y, dy), rtol=1e-10)


def test_conv2d_of_many_images_is_that_of_each(rng: np.random.Generator) -> None:
    """Fifteen images of 83 KB of columns: chunks of 6, 6 and 3. The other cases fit into one."""
    x, weight, bias = rng.normal(size=(15, 24, 24, 2)), rng.normal(size=(4, 2, 3, 3)), rng.normal(size=4)
    assert 2**19 // im2col(x[:1], 3, 1, 1).nbytes == 6
    y, backward = conv2d(x, weight, bias, padding=1)
    dy = rng.normal(size=y.shape)
    dx, dweight, dbias = backward(dy)
    single = [conv2d(x[n : n + 1], weight, bias, padding=1) for n in range(15)]
    gradients = [pull(dy[n : n + 1]) for n, (_, pull) in enumerate(single)]
    np.testing.assert_allclose(y, np.concatenate([value for value, _ in single]), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dx, np.concatenate([g[0] for g in gradients]), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dweight, sum(g[1] for g in gradients), rtol=1e-10)
    np.testing.assert_allclose(dbias, sum(g[2] for g in gradients), rtol=1e-10)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_col2im_is_the_adjoint_of_im2col(rng: np.random.Generator, geometry: dict[str, Any]) -> None:
    x = rng.normal(size=(2, 6, 7, 3))
    columns = im2col(x, (3, 2), **geometry)
    assert columns.shape == (2, *output_size((6, 7), (3, 2), **geometry), 3, 2, 3)
    c = rng.normal(size=columns.shape)
    np.testing.assert_allclose(np.vdot(columns, c), np.vdot(x, col2im(c, (6, 7), **geometry)), rtol=1e-10)


def test_col2im_counts_the_windows_over_each_pixel() -> None:
    counted = col2im(np.ones((1, 2, 2, 2, 2, 1)), (3, 3))[0, :, :, 0]
    assert np.array_equal(counted, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


def test_im2col_is_a_copy(rng: np.random.Generator) -> None:
    x = rng.normal(size=(1, 4, 4, 2))
    for size in (1, 2, 4):
        assert not np.shares_memory(im2col(x, size), x)


# ---------------------------------------------------------------------------------------------------- pooling


@pytest.mark.parametrize("size", [2, 17])  # 17 · 17 pixels: the winner's number does not fit into a byte
def test_of_equal_maxima_the_first_receives_the_gradient(size: int) -> None:
    x = np.zeros((1, size, 2 * size, 1))
    x[0, -1, size - 1, 0] = x[0, 1, 0, 0] = 5.0  # two equal maxima in the window on the left, none on the right
    y, backward = max_pool2d(x, size)
    dx = backward(np.array([2.0, 3.0]).reshape(y.shape))
    expected = np.zeros_like(x)
    expected[0, 1, 0, 0] = 2.0
    expected[0, 0, size, 0] = 3.0
    assert np.array_equal(dx, expected)


def test_overlapping_windows_add_their_gradients() -> None:
    x = np.arange(25.0).reshape(1, 5, 5, 1)
    x[0, 2, 2, 0] = 100.0  # seen by all four windows
    y, backward = max_pool2d(x, 3, stride=2)
    dx = backward(np.array([1.0, 2.0, 4.0, 8.0]).reshape(y.shape))
    assert np.all(y == 100)
    assert dx[0, 2, 2, 0] == 15
    assert np.count_nonzero(dx) == 1


@pytest.mark.parametrize("options", [(2,), (3, 2), (3, 1, 1), ((2, 3), (1, 2), (1, 1))], ids=str)
def test_pooling_is_the_maximum_and_the_mean_of_windows(rng: np.random.Generator, options: tuple[Any, ...]) -> None:
    x = -1 - rng.uniform(size=(2, 6, 8, 3))  # all negative: a frame of zeros would win
    size, stride, padding = (*options, options[0], 0)[:3] if len(options) == 1 else (*options, 0)[:3]
    framed = im2col(x, size, stride, padding)
    present = im2col(np.ones_like(x), size, stride, padding) > 0
    np.testing.assert_array_equal(max_pool2d(x, *options)[0], np.where(present, framed, -np.inf).max((3, 4)))
    np.testing.assert_allclose(avg_pool2d(x, *options)[0], framed.mean((3, 4)), rtol=1e-12)


# ----------------------------------------------------------------------------------------------------- errors

IMAGE = np.zeros((2, 5, 5, 3))
WEIGHT = np.zeros((4, 3, 3, 3))
C3 = np.ones(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layer_norm(IMAGE, np.ones(4), C3), "gain"),
        (lambda: layer_norm(IMAGE, C3, np.ones((1, 3))), "bias"),
        (lambda: layer_norm(np.array(1.0), C3, C3), "layer_norm"),
        (lambda: batch_norm(IMAGE, C3, C3, C3, np.ones(2)), "batch_norm"),
        (lambda: batch_norm(np.zeros(3), C3, C3, C3, C3), "batch_norm"),
        (lambda: batch_norm(np.zeros((1, 1, 1, 3)), C3, C3, C3, C3), "more than one value per channel"),
        (lambda: local_response_norm(IMAGE, size=0), "size 0"),
        (lambda: conv2d(IMAGE[0], WEIGHT), r"should be \(N, H, W, C\)"),
        (lambda: conv2d(IMAGE, WEIGHT[0]), r"\(O, C, kh, kw\)"),
        (lambda: conv2d(IMAGE, np.zeros((4, 2, 3, 3))), r"\(O, C, kh, kw\)"),
        (lambda: conv2d(IMAGE, WEIGHT, np.zeros(3)), "bias"),
        (lambda: conv2d(IMAGE, np.zeros((4, 3, 6, 3))), "larger than the image"),
        (lambda: conv2d(IMAGE, WEIGHT, dilation=(1, 3)), "larger than the image"),
        (lambda: conv2d(IMAGE, WEIGHT, stride=0), "stride 0"),
        (lambda: conv2d(IMAGE, WEIGHT, stride=(1, -1)), "stride -1"),
        (lambda: conv2d(IMAGE, WEIGHT, padding=-1), "padding -1"),
        (lambda: conv2d(IMAGE, WEIGHT, dilation=0), "dilation 0"),
        (lambda: im2col(IMAGE, 6), "larger than the image"),
        (lambda: col2im(np.zeros((2, 3, 3, 3, 3, 1)), (6, 5)), "do not come from"),
        (lambda: max_pool2d(IMAGE[0], 2), r"should be \(N, H, W, C\)"),
        (lambda: avg_pool2d(IMAGE[0], 2), r"should be \(N, H, W, C\)"),
        (lambda: max_pool2d(IMAGE, 6), "larger than the image"),
        (lambda: max_pool2d(IMAGE, 2, stride=0), "stride 0"),
        (lambda: avg_pool2d(IMAGE, 0), "size 0"),
        (lambda: max_pool2d(IMAGE, 3, padding=2), "half the window"),
        (lambda: avg_pool2d(IMAGE, (4, 2), padding=(2, 2)), "half the window"),
    ],
)
def test_wrong_shapes_and_options_are_errors(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
