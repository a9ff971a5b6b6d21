"""Broadcasting backwards: what was copied on the way out is summed on the way back."""

from groundup.ops.types import Array


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """What ``gradient``, that of a broadcast array, is for the array of ``shape`` before it was broadcast.

    Every copy of an element contributes, so it is the sum over the axes that were added or stretched.
    Where nothing was broadcast the gradient itself comes back, not a copy.
    """
    if gradient.shape == shape:
        return gradient
    added = gradient.ndim - len(shape)
    stretched = (added + axis for axis, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=(*range(added), *stretched)).reshape(shape)
