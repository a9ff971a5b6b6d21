"""Names for the two things every operation deals in: arrays and the closures that pull gradients back."""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
#: A mask is a Boolean array, True where attention is allowed, or None for "everything".
Mask = np.ndarray | None
#: ``backward(upstream)`` returns the gradient of every array argument, in argument order.
Backward = Callable[..., Any]
