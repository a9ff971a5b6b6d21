"""Normalisation: over the features, over the batch, and over neighbouring channels."""

import math

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
    # Whatever the layer below does to the level and the spread of a position, behind this line both are the same.
    shifted = x - x[..., :1]  # rounding a mean of large numbers would leave noise in a constant row
    centred = shifted - shifted.mean(axis=-1, keepdims=True)  # x − μ
    variance = (centred**2).mean(axis=-1, keepdims=True)  # σ²  (..., 1)
    inverse = (variance + eps) ** -0.5  # 1/σ
    normalised = centred * inverse  # x̂ = (x − μ)/σ
    # Gain and bias give each feature back a scale and a level of its own, now learned.
    y = normalised * gain + bias

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        # They serve all positions, so their gradients are sums over positions.
        leading = tuple(range(dy.ndim - 1))
        dbias = dy.sum(axis=leading)  # dbias = Σ dy  over all positions
        dgain = (dy * normalised).sum(axis=leading)  # dgain = Σ dy · x̂
        # dx = 1/σ (g − mean(g) − x̂ mean(g · x̂)): the means take out of g what μ and σ would undo.
        g = dy * gain
        mean_g = g.mean(axis=-1, keepdims=True)
        mean_gx = (g * normalised).mean(axis=-1, keepdims=True)
        dx = inverse * (g - mean_g - normalised * mean_gx)
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

    axes = tuple(range(x.ndim - 1))  # everything but the channels

    if training:
        guess = x[(0,) * (x.ndim - 1)]  # of the mean: small differences from it lose little when they are summed
        shifted = x - guess
        correction = shifted.mean(axis=axes)
        centred = shifted - correction  # x − μ
        variance = (centred**2).mean(axis=axes)
        new_mean = (1 - momentum) * running_mean + momentum * (guess + correction)
        new_var = (1 - momentum) * running_var + momentum * variance * (count / (count - 1))
    else:
        centred = x - running_mean
        variance = running_var
        new_mean, new_var = running_mean, running_var
    inverse = (variance + eps) ** -0.5  # 1/σ
    normalised = centred * inverse  # x̂ = (x − μ)/σ
    y = normalised * gain + bias

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        dbias = dy.sum(axis=axes)  # dbias = Σ dy
        dgain = (dy * normalised).sum(axis=axes)  # dgain = Σ dy · x̂
        dx = dy
        if training:  # dx = gain/σ (dy − mean(dy) − x̂ mean(dy · x̂)): take out what μ and σ would undo
            dx = dy - dbias / count - normalised * (dgain / count)
        return gain * inverse * dx, dgain, dbias

    return (y, new_mean, new_var), backward


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
    s = k + alpha * neighbour_sum(x * x, before, after)  # s = k + α Σ x²
    scale = s**-beta
    y = x * scale

    def backward(dy: Array) -> Array:
        # y_j = x_j s_j^−β  gives  dx_i = dy_i s_i^−β − 2αβ x_i Σ_j dy_j x_j s_j^(−β−1),
        # where j runs over the channels whose window holds i: the same window, mirrored.
        inner = neighbour_sum(dy * x * scale / s, after, before)
        return dy * scale - 2 * alpha * beta * x * inner

    return y, backward


def neighbour_sum(values: Array, before: int, after: int) -> Array:
    """result[..., i] = Σ_j values[..., j] over i − before <= j <= i + after, as far as channel j exists."""
    result = values.copy()
    for shift in range(1, before + 1):
        result[..., shift:] += values[..., :-shift]
    for shift in range(1, after + 1):
        result[..., :-shift] += values[..., shift:]
    return result
