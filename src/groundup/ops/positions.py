"""Telling the positions of a sequence apart."""

import numpy as np

from groundup.ops.types import Array


def sinusoidal_positions(length: int, width: int, dtype: type = np.float32) -> Array:
    """Sinusoids of geometrically falling frequencies, one row for each position: (length, width).

    Columns 2i and 2i + 1 are the sine and cosine of the same angle, position / 10000^(2i / width). An odd
    width ends with a sine. Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.5.
    """
    even_columns = np.arange(0, width, 2)
    angles = np.arange(length)[:, None] / 10000 ** (even_columns / width)  # (length, ⌈width/2⌉)
    positions: Array = np.empty((length, width), dtype)
    positions[:, 0::2] = np.sin(angles)
    positions[:, 1::2] = np.cos(angles[:, : width // 2])
    return positions
