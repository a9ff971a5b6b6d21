"""What training minimises: each loss is a mean, and its targets are data without a gradient."""

import numpy as np

from groundup.ops.activations import sigmoid, subtract_maximum
from groundup.ops.types import Array, Backward


def cross_entropy(
    logits: Array, targets: Array, label_smoothing: float = 0.0, ignore_index: int | None = None
) -> tuple[Array, Backward]:
    """Mean of -Σ_k q_k log softmax(logits)_k over the targets that are not ``ignore_index``, in nats.

    With smoothing ε the wanted distribution over K classes is q = (1 - ε) onehot(target) + ε/K
    (Szegedy et al. 2016, arXiv:1512.00567, section 7). If every target is ignored, loss and gradient are 0.

    Shapes: logits (..., K), targets (...) integers in [0, K) or ``ignore_index``; a scalar loss.
    ``backward(dloss=1.0)`` returns dlogits.
    Raises ValueError for shapes that do not match, targets or smoothing out of range; TypeError for
    targets that are not integers.
    """
    if logits.ndim < 1 or targets.shape != logits.shape[:-1]:
        raise ValueError(f"targets of shape {targets.shape} do not fit logits of shape {logits.shape}")
    if not np.issubdtype(targets.dtype, np.integer):
        raise TypeError(f"targets must be integers (class numbers), not {targets.dtype}")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], not {label_smoothing}")
    classes = logits.shape[-1]
    kept = np.ones(targets.size, bool) if ignore_index is None else targets.reshape(-1) != ignore_index
    rows = np.flatnonzero(kept)
    columns = targets.reshape(-1)[rows]
    if columns.size and (columns.min() < 0 or columns.max() >= classes):
        raise ValueError(f"targets must be in [0, {classes}), but lie in [{columns.min()}, {columns.max()}]")
    count = max(len(rows), 1)

    flat = logits.reshape(-1, classes)
    shifted = subtract_maximum(flat)
    probabilities = np.exp(shifted)
    sums = probabilities.sum(axis=-1, keepdims=True)
    sums[sums == 0] = 1  # a row of -∞: its loss is ∞, like that of any class that is ruled out
    probabilities /= sums
    log_sums = np.log(sums[rows, 0])  # -log p_k = log Σ_j e^{x_j} - x_k
    loss = (log_sums - shifted[rows, columns]).sum() / count
    if label_smoothing:
        to_every_class = (log_sums - shifted.mean(axis=-1)[rows]).sum() / count
        loss = (1 - label_smoothing) * loss + label_smoothing * to_every_class

    def backward(dloss: float | Array = 1.0) -> Array:
        # dL/dlogits = (p - q) / count, and 0 for the ignored
        scale = float(dloss) / count
        dlogits = probabilities * scale
        if label_smoothing:
            dlogits -= label_smoothing / classes * scale
        dlogits[rows, columns] -= (1 - label_smoothing) * scale
        dlogits[~kept] = 0
        return dlogits.reshape(logits.shape)

    return loss, backward


def mse(prediction: Array, target: Array) -> tuple[Array, Backward]:
    """Mean of (prediction - target)² over all elements; both of the same shape, a scalar loss.

    ``backward(dloss=1.0)`` returns dprediction. Raises ValueError if the shapes differ: broadcasting
    (N, 1) against (N,) would be a silent mistake.
    """
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {prediction.shape} and target {target.shape} differ in shape")
    difference = prediction - target.astype(prediction.dtype, copy=False)

    def backward(dloss: float | Array = 1.0) -> Array:
        # dL/dprediction = 2 (prediction - target) / N
        return difference * (2 * float(dloss) / difference.size)

    return np.square(difference).mean(), backward


def bce_with_logits(logits: Array, targets: Array) -> tuple[Array, Backward]:
    """Binary cross-entropy: the mean of -t log σ(x) - (1 - t) log(1 - σ(x)) over all elements, in nats.

    Shapes: logits and targets (probabilities) the same; a scalar loss.
    ``backward(dloss=1.0)`` returns dlogits. Raises ValueError if the shapes differ.
    """
    if logits.shape != targets.shape:
        raise ValueError(f"logits {logits.shape} and targets {targets.shape} differ in shape")
    wanted = targets.astype(logits.dtype, copy=False)
    # With σ written out the loss is max(x, 0) - x t + log(1 + e^{-|x|}), where nothing can overflow.
    decay = np.abs(logits)
    np.negative(decay, out=decay)
    np.exp(decay, out=decay)
    loss = np.maximum(logits, 0)
    loss -= logits * wanted  # first of all: these two may be equal and large
    loss += np.log1p(decay, out=decay)

    def backward(dloss: float | Array = 1.0) -> Array:
        dlogits, _ = sigmoid(logits)
        dlogits -= wanted  # dL/dx = (σ(x) - t) / N
        dlogits *= float(dloss) / logits.size
        return dlogits

    return loss.mean(), backward
