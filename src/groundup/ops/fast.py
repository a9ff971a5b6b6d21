"""Faster forms of functions whose readable form the lessons print: same name, same arguments, same results.

A form has a place here if it saves at least 15 % of a whole training step of some lesson, which ``groundup bench``
measures. ``groundup.training.forms`` puts them in place of the readable ones while ``groundup run`` trains.
"""

import numpy as np

from groundup.ops.embedding import embedding as readable_embedding
from groundup.ops.types import Array, Backward


def embedding(indices: Array, weight: Array) -> tuple[Array, Backward]:
    """``groundup.ops.embedding.embedding``, whose backward adds up sorted rows instead of one place after another."""
    y, _ = readable_embedding(indices, weight)

    def backward(dy: Array) -> Array:
        flat = indices.reshape(-1)
        order = flat.argsort(kind="stable")
        looked_up, starts = np.unique(flat[order], return_index=True)  # in this order equal indices stand together
        dweight = np.zeros_like(weight)
        if flat.size:
            dweight[looked_up] = np.add.reduceat(dy.reshape(flat.size, *weight.shape[1:])[order], starts)
        return dweight

    return y, backward


#: readable form → fast form
FAST = {readable_embedding: embedding}
