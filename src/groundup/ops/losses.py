"""What training minimises: each loss is a mean, and its targets are data without a gradient."""

import numpy as np

from groundup.ops.activations import log_softmax, sigmoid
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

    log_p, _ = log_softmax(logits.reshape(targets.size, classes))
    loss = -log_p[rows, columns].sum() / count  # a row of -∞ has loss ∞, like any class that is ruled out
    if label_smoothing:
        to_every_class = -log_p[rows].mean(axis=-1).sum() / count
        loss = (1 - label_smoothing) * loss + label_smoothing * to_every_class

    def backward(dloss: float | Array = 1.0) -> Array:
        q = np.full_like(log_p, label_smoothing / classes)
        q[rows, columns] += 1 - label_smoothing
        dlogits = (np.exp(log_p) - q) * (float(dloss) / count)  # ∂L/∂logits = (p - q) / count
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
    if prediction.size == 0:
        return prediction.dtype.type(0), lambda dloss=1.0: np.zeros_like(prediction)
    difference = prediction - target.astype(prediction.dtype, copy=False)

    def backward(dloss: float | Array = 1.0) -> Array:
        # ∂L/∂prediction = 2 (prediction - target) / N
        return difference * (2 * float(dloss) / difference.size)

    return np.square(difference).mean(), backward


def bce_with_logits(logits: Array, targets: Array) -> tuple[Array, Backward]:
    """Binary cross-entropy: the mean of -t log σ(x) - (1 - t) log(1 - σ(x)) over all elements, in nats.

    Shapes: logits and targets (probabilities) the same; a scalar loss.
    ``backward(dloss=1.0)`` returns dlogits. Raises ValueError if the shapes differ.
    """
    if logits.shape != targets.shape:
        raise ValueError(f"logits {logits.shape} and targets {targets.shape} differ in shape")
    if logits.size == 0:
        return logits.dtype.type(0), lambda dloss=1.0: np.zeros_like(logits)
    wanted = targets.astype(logits.dtype, copy=False)
    # With σ written out the loss is max(x, 0) - x t + log(1 + e^{-|x|}), where nothing can overflow.
    loss = np.maximum(logits, 0) - logits * wanted + np.log1p(np.exp(-np.abs(logits)))

    def backward(dloss: float | Array = 1.0) -> Array:
        p, _ = sigmoid(logits)
        return (p - wanted) * (float(dloss) / logits.size)  # ∂L/∂x = (σ(x) - t) / N

    return loss.mean(), backward
