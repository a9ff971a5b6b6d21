"""Normalisation: over the features, over the batch, and over neighbouring channels."""

import math

import numpy as np

from groundup.ops.types import Array, Backward


def layer_norm(x: Array, gain: Array, bias: Array, eps: float = 1e-5) -> tuple[Array, Backward]:
    """Normalise each position over its features, then scale and shift.

    x (..., D), gain (D,), bias (D,) -> y (..., D). The variance is the biased one, and ``eps`` is inside
    the root. backward(dy) -> (dx, dgain, dbias). Raises ValueError where gain or bias is not (D,).
    Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450, equations 3 and 4.
    """
    D = x.shape[-1] if x.ndim else 0
    if x.ndim < 1 or gain.shape != (D,) or bias.shape != (D,):
        raise ValueError(f"layer_norm: x {x.shape} should be (..., D), gain {gain.shape}, bias {bias.shape} (D,)")
    averaging = np.full(D, 1 / D, x.dtype)  # a mean as a product with 1/D: BLAS is quicker at it than np.mean
    rows = x.reshape(-1, D)
    normalised = rows - (rows @ averaging)[:, None]  # x − μ
    variance = np.vecdot(normalised, normalised) / D
    inverse = (variance[:, None] + eps) ** -0.5  # 1/σ  (rows, 1)
    normalised *= inverse  # x̂ = (x − μ)/σ  (rows, D)
    gains = per_example(gain, x)
    y = normalised.reshape(x.shape) * gains  # y = x̂ · gain + bias
    y += per_example(bias, x)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        upstream = dy.reshape(-1, D)
        product = upstream * normalised
        ones = np.ones(len(upstream), upstream.dtype)
        dbias = ones @ upstream  # dbias = Σ dy  over the rows
        dgain = ones @ product  # dgain = Σ dy · x̂
        # With g = dy · gain:  dx = 1/σ (g − mean(g) − x̂ mean(g · x̂)).
        # The means take out of g what μ and σ would undo.
        mean_g = upstream @ (gain * averaging)
        mean_gx = product @ (gain * averaging)
        undone = np.multiply(normalised, mean_gx[:, None], out=product)
        undone += mean_g[:, None]
        dx = dy * gains
        dx_rows = dx.reshape(-1, D)
        dx_rows -= undone
        dx_rows *= inverse
        return dx, dgain, dbias

    return y, backward


def batch_norm(
    x: Array,
    gain: Array,
    bias: Array,
    running_mean: Array,
    running_var: Array,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[tuple[Array, ...], Backward]:
    """Normalise each channel over the batch and all positions, then scale and shift.

    x (N, ..., C), the other arrays (C,) -> (y, running_mean, running_var). In training the statistics are the
    batch's and new running statistics come back (the arguments stay as they were):

        running <- (1 − momentum) running + momentum · batch

    with the unbiased variance of the batch (algorithm 2, and PyTorch). Otherwise the running statistics
    normalise, and come back unchanged. They are buffers, not parameters: in both modes
    backward(dy) -> (dx, dgain, dbias).
    Raises ValueError where an array is not (C,), or where training sees a single value per channel.
    Source: Ioffe & Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2.
    """
    C = x.shape[-1] if x.ndim else 0
    if x.ndim < 2 or any(v.shape != (C,) for v in (gain, bias, running_mean, running_var)):
        raise ValueError(f"batch_norm: x {x.shape} should be (N, ..., C) and the other arrays ({C},)")
    count = math.prod(x.shape[:-1])
    if training and count < 2:
        raise ValueError(f"batch_norm: training needs more than one value per channel, got x {x.shape}")

    ones = np.ones(count, x.dtype)

    def total(values: Array) -> Array:  # sum over everything but the channels, by BLAS
        return ones @ values.reshape(count, C)

    if training:
        # Any sample will do as a first guess of the mean: a float32 sum of small differences loses little.
        guess = x.reshape(count, C)[0]
        centred = x - per_example(guess, x)
        correction = total(centred) / count
        centred -= per_example(correction, x)  # x − μ
        square_sum = total(centred * centred)
        variance = square_sum / count
        new_mean = (1 - momentum) * running_mean + momentum * (guess + correction)
        new_var = (1 - momentum) * running_var + momentum * (square_sum / (count - 1))
    else:
        centred = x - per_example(running_mean, x)
        variance = running_var
        new_mean, new_var = running_mean, running_var
    inverse = (variance + eps) ** -0.5  # 1/σ
    scale = per_example(gain * inverse, x)
    y = centred * scale  # y = (x − μ)/σ · gain + bias
    y += per_example(bias, x)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        product = dy * centred
        # With x̂ = (x − μ)/σ:  y = x̂ · gain + bias  gives  dbias = Σ dy  and  dgain = Σ dy · x̂
        dbias = total(dy)
        dgain = total(product) * inverse
        if not training:  # μ and σ are constants: dx = gain/σ dy
            return np.multiply(dy, scale, out=product), dgain, dbias
        # dx = gain/σ (dy − mean(dy) − x̂ mean(dy · x̂)).  The means take out of dy what μ and σ would undo.
        dx = np.multiply(centred, per_example(inverse * dgain / count, centred), out=product)
        dx += per_example(dbias / count, centred)
        np.subtract(dy, dx, out=dx)
        dx *= scale
        return dx, dgain, dbias

    return (y, new_mean, new_var), backward


def per_example(vector: Array, x: Array) -> Array:
    """vector (C,) repeated to one example of x (N, ..., C): NumPy's inner loops are longer, hence faster."""
    return np.broadcast_to(vector, x.shape[1:] or x.shape).copy()


def local_response_norm(
    x: Array, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> tuple[Array, Backward]:
    """Divide every activation by a power of the energy in its neighbouring channels.

    x (..., C) -> y (..., C), y_i = x_i / (k + α Σ_j x_j²)^β, where j runs over the channels that exist among
    the ``size`` around i: size // 2 before it and (size − 1) // 2 after. backward(dy) -> dx.
    ``alpha`` multiplies the sum, as in the paper. PyTorch divides its alpha by ``size`` first, and
    needs ``alpha * size`` to agree. Raises ValueError where size < 1.
    Source: Krizhevsky, Sutskever & Hinton 2012 (AlexNet), section 3.3.
    """
    if size < 1 or x.ndim < 1:
        raise ValueError(f"local_response_norm: size {size} should be at least 1 and x {x.shape} have channels")
    before, after = size // 2, (size - 1) // 2
    base = neighbour_sum(x * x, before, after)  # s = k + α Σ x²
    base *= alpha
    base += k
    scale = base**-beta
    y = x * scale

    def backward(dy: Array) -> Array:
        # y_j = x_j s_j^−β  gives  dx_i = dy_i s_i^−β − 2αβ x_i Σ_j dy_j x_j s_j^(−β−1),
        # where j runs over the channels whose window holds i: the same window, mirrored.
        inner = dy * x
        inner *= scale
        inner /= base
        inner = neighbour_sum(inner, after, before)
        inner *= x
        inner *= 2 * alpha * beta
        dx = dy * scale
        dx -= inner
        return dx

    return y, backward


def neighbour_sum(values: Array, before: int, after: int) -> Array:
    """result[..., i] = Σ_j values[..., j] over i − before <= j <= i + after, as far as channel j exists."""
    result = values.copy()
    for shift in range(1, before + 1):
        result[..., shift:] += values[..., :-shift]
    for shift in range(1, after + 1):
        result[..., :-shift] += values[..., shift:]
    return result
