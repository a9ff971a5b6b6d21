"""What must be so in this lesson; ``groundup check 07`` proves it."""

import numpy as np

from groundup.lesson import Fact
from groundup.lessons.p07_alexnet.model import conv2d_loops
from groundup.ops.conv import conv2d


def loops_apart() -> float:
    """The largest difference between the two convolutions, over channels, filters and frames of zeros."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for padding in (0, 1, 2):
        x, weight, bias = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(4, 3, 5, 5)), rng.normal(size=4)
        by_loops, by_product = conv2d_loops(x, weight, bias, padding), conv2d(x, weight, bias, 1, padding)[0]
        worst = max(worst, float(np.abs(by_loops - by_product).max()))
    return worst


FACTS = (Fact("loops", "Convolution as one matrix product gives what the Python loops give", loops_apart, 1e-12),)
