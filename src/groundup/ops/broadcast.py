"""Broadcasting backwards: what was copied on the way out is summed on the way back."""

from groundup.ops.types import Array


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum ``gradient`` over the axes that broadcasting added to, or stretched in, an array of ``shape``.

    If y = broadcast(x), every copy of an element contributes, so dL/dx is the sum of dL/dy over the copies.
    Where nothing was broadcast the gradient itself comes back, not a copy.
    """
    if gradient.shape == shape:
        return gradient
    added = gradient.ndim - len(shape)
    stretched = (added + axis for axis, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=(*range(added), *stretched)).reshape(shape)
