"""A small AlexNet by hand: convolution blocks, fully connected layers with dropout, and augmentation."""

import math
from collections.abc import Callable

import numpy as np

from groundup.ops.activations import relu
from groundup.ops.conv import conv2d, output_size, pad_image
from groundup.ops.dropout import dropout
from groundup.ops.init import conv_params, linear_params
from groundup.ops.linear import linear
from groundup.ops.norms import local_response_norm
from groundup.ops.pooling import max_pool2d
from groundup.ops.types import Array, Backward, Tree

# Section 3.3. The paper's α is 1e-4 for pixels of 0 to 255. Ours are 0 to 1: y = x / (k + α Σ x²)^β keeps its
# shape when x is divided by 255 and α multiplied by 255², which gives 6.5. On validation digits any α up to
# 0.1 did well and 1 did worse at first, so 0.1 it is. As in the paper, α multiplies the sum, not the mean.
LRN_SIZE, LRN_ALPHA, LRN_BETA, LRN_K = 5, 0.1, 0.75, 2.0

Activation = Callable[[Array], tuple[Array, Backward]]


def first_stride(size: int) -> int:
    """The first convolution strides over larger images, as the paper's does (by 4, on 224 pixels)."""
    return 1 if size < 16 else 2


def feature_size(size: int) -> int:
    """Height and width of the maps that reach the fully connected layers: 8 -> 2, 28 -> 4, 32 -> 4."""
    for kernel, stride in ((5, first_stride(size)), (3, 2), (3, 1), (3, 2)):  # conv, pool, conv, pool
        size, _ = output_size((size, size), kernel, stride, kernel // 2)
    return size


def init(
    rng: np.random.Generator,
    size: int,
    channels: int,
    classes: int,
    filters: tuple[int, int] = (16, 32),
    hidden: int = 128,
    dtype: type = np.float32,
) -> Tree:
    """Parameters for images (size, size, channels); their flat names are those of the twin's ``state_dict``.

    Weights are normal with variance 2 / fan-in (He et al. 2015). The paper drew from N(0, 0.01²).
    """
    features = filters[1] * feature_size(size) ** 2
    return {
        "conv1": conv_params(rng, channels, filters[0], 5, dtype=dtype),
        "conv2": conv_params(rng, filters[0], filters[1], 3, dtype=dtype),
        "fc1": linear_params(rng, features, hidden, std=math.sqrt(2 / features), dtype=dtype),
        "fc2": linear_params(rng, hidden, hidden, std=math.sqrt(2 / hidden), dtype=dtype),
        "fc3": linear_params(rng, hidden, classes, std=math.sqrt(1 / hidden), dtype=dtype),
    }


def conv_block(params: Tree, x: Array, stride: int = 1, activation: Activation = relu) -> tuple[Array, Backward]:
    """Convolution, activation, local response norm, overlapping max pooling (sections 3.1, 3.3 and 3.4).

    x (N, H, W, C), params {"weight": (O, C, k, k), "bias": (O,)} -> (N, H', W', O). The frame of k // 2 zeros
    keeps the size; windows of 3 at every second pixel overlap. backward(dy) -> (dx, gradient tree of params).
    """
    kernel = params["weight"].shape[2]
    maps, conv_backward = conv2d(x, params["weight"], params["bias"], stride, kernel // 2)
    active, activation_backward = activation(maps)
    normal, norm_backward = local_response_norm(active, LRN_SIZE, LRN_ALPHA, LRN_BETA, LRN_K)
    pooled, pool_backward = max_pool2d(normal, 3, 2, 1)

    def backward(dpooled: Array) -> tuple[Array, Tree]:
        dmaps = activation_backward(norm_backward(pool_backward(dpooled)))
        dx, dweight, dbias = conv_backward(dmaps)
        return dx, {"weight": dweight, "bias": dbias}

    return pooled, backward


def dense_block(
    params: Tree, x: Array, rate: float, rng: np.random.Generator | None, activation: Activation = relu
) -> tuple[Array, Backward]:
    """Linear layer, activation, dropout (section 4.2; none without ``rng``): x (N, inputs) -> (N, outputs).

    backward(dy) -> (dx, gradient tree of params). Kept units are divided by 1 − rate while training; the paper
    multiplied by it at test time instead.
    """
    z, linear_backward = linear(x, params["weight"], params["bias"])
    active, activation_backward = activation(z)
    y, dropout_backward = (active, lambda dy: dy) if rng is None else dropout(active, rate, rng)

    def backward(dy: Array) -> tuple[Array, Tree]:
        dx, dweight, dbias = linear_backward(activation_backward(dropout_backward(dy)))
        return dx, {"weight": dweight, "bias": dbias}

    return y, backward


def alexnet(
    params: Tree,
    images: Array,
    rate: float = 0.0,
    rng: np.random.Generator | None = None,
    activation: Activation = relu,
) -> tuple[Array, Backward]:
    """Class scores of images (N, S, S, C), whose mean has been taken off: logits (N, classes).

    ``rate`` is dropout's, in the two hidden fully connected layers; without ``rng`` nothing is dropped
    (evaluation). backward(dlogits) -> the gradient tree of ``params``.
    """
    first, first_backward = conv_block(params["conv1"], images, first_stride(images.shape[1]), activation)
    second, second_backward = conv_block(params["conv2"], first, 1, activation)
    N, H, W, C = second.shape
    features = second.transpose(0, 3, 1, 2).reshape(N, -1)  # in (C, H, W) order, as PyTorch flattens
    hidden1, dense1_backward = dense_block(params["fc1"], features, rate, rng, activation)
    hidden2, dense2_backward = dense_block(params["fc2"], hidden1, rate, rng, activation)
    logits, readout_backward = linear(hidden2, params["fc3"]["weight"], params["fc3"]["bias"])

    def backward(dlogits: Array) -> Tree:
        dhidden2, dweight, dbias = readout_backward(dlogits)
        dhidden1, dfc2 = dense2_backward(dhidden2)
        dfeatures, dfc1 = dense1_backward(dhidden1)
        dsecond = dfeatures.reshape(N, C, H, W).transpose(0, 2, 3, 1)
        dfirst, dconv2 = second_backward(dsecond)
        _, dconv1 = first_backward(dfirst)
        return {"conv1": dconv1, "conv2": dconv2, "fc1": dfc1, "fc2": dfc2, "fc3": {"weight": dweight, "bias": dbias}}

    return logits, backward


def conv2d_loops(x: Array, weight: Array, bias: Array, padding: int = 0) -> Array:
    """Convolution as it is defined, a loop for every index: x (N, H, W, C), weight (O, C, kh, kw) -> (N, H', W', O)."""
    filters, channels, kh, kw = weight.shape
    padded = pad_image(x, padding)
    height, width = output_size((x.shape[1], x.shape[2]), (kh, kw), 1, padding)
    y = np.zeros((len(x), height, width, filters), x.dtype)
    for n in range(len(x)):
        for p in range(height):
            for q in range(width):
                for o in range(filters):
                    total = bias[o]  # (1)
                    for i in range(kh):
                        for j in range(kw):
                            for c in range(channels):
                                total += padded[n, p + i, q + j, c] * weight[o, c, i, j]  # (1)
                    y[n, p, q, o] = total
    return y


def crop(images: Array, corners: Array, size: int) -> Array:
    """A window of ``size`` pixels of each image, its upper left corner at corners (N, 2): (N, size, size, C)."""
    span = np.arange(size)
    rows, columns = (corners[:, axis, None] + span for axis in (0, 1))  # (N, size) each
    return images[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]


def random_crop(images: Array, size: int, rng: np.random.Generator) -> Array:
    """Windows at random places, every place as likely: the paper's translations (section 4.1)."""
    room = np.array(images.shape[1:3]) - size
    return crop(images, rng.integers(room + 1, size=(len(images), 2)), size)


def shift(images: Array, offsets: Array) -> Array:
    """Move square images down and right by offsets (N, 2) in pixels, which may be fractions; zeros come in.

    A fraction is a weighted mean of two neighbours along each axis (bilinear interpolation).
    """
    size, reach = images.shape[1], math.ceil(float(np.abs(offsets).max(initial=0))) + 1
    start = reach - offsets  # what moves down by d is read d higher up
    whole = np.floor(start).astype(int)
    part = (start - whole).astype(images.dtype)[:, :, None, None, None]  # (N, 2, 1, 1, 1)
    window = crop(pad_image(images, reach), whole, size + 1)
    window = (1 - part[:, 0]) * window[:, :-1] + part[:, 0] * window[:, 1:]
    return (1 - part[:, 1]) * window[:, :, :-1] + part[:, 1] * window[:, :, 1:]


def random_flip(images: Array, rng: np.random.Generator) -> Array:
    """Each image mirrored left to right with probability one half."""
    chosen = rng.random(len(images)) < 0.5
    return np.where(chosen[:, None, None, None], images[:, :, ::-1], images)


def colour_components(images: Array) -> tuple[Array, Array]:
    """Eigenvalues (C,) and eigenvectors (C, C), in columns, of the covariance of the pixels' colours (section 4.1)."""
    pixels = images.reshape(-1, images.shape[-1]).astype(np.float64)
    centred = pixels - pixels.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(pixels))
    return values.astype(images.dtype), vectors.astype(images.dtype)


def random_colour(images: Array, components: tuple[Array, Array], rng: np.random.Generator, std: float = 0.1) -> Array:
    """Add Σ_i α_i λ_i p_i to all pixels of an image, α_i ~ N(0, std²) drawn once an image (section 4.1).

    λ_i and p_i are the ``components``. With one channel p = ±1: the whole image gets lighter or darker.
    """
    values, vectors = components
    alphas = rng.normal(0, std, (len(images), len(values))).astype(images.dtype)  # (7)
    return images + ((alphas * values) @ vectors.T)[:, None, None, :]  # (7)
