"""What a layer costs in time and memory as the sequence grows: attention against recurrence (Table 1 of the paper)."""

from collections.abc import Callable, Sequence

import numpy as np

from groundup.ops.attention import multi_head_attention
from groundup.ops.init import linear_params, recurrent_params
from groundup.ops.recurrent import lstm
from groundup.proof.instruments import peak_mib, side_by_side

Step = Callable[[], object]


def attention_step(rng: np.random.Generator, length: int, width: int, heads: int) -> Step:
    """Forward and backward of one multi-head self-attention layer over one sequence."""
    params = {name: linear_params(rng, width, width, bias=False) for name in ("query", "key", "value", "out")}
    x = rng.normal(size=(1, length, width)).astype(np.float32)

    def step() -> object:
        y, backward = multi_head_attention(x, x, params, heads)
        return backward(y)

    return step


def lstm_step_of(rng: np.random.Generator, length: int, width: int) -> Step:
    """Forward and backward of one LSTM layer over one sequence."""
    weights = list(recurrent_params(rng, "lstm", width, width).values())
    x = rng.normal(size=(1, length, width)).astype(np.float32)
    zeros = np.zeros((1, width), np.float32)

    def step() -> object:
        (y, _, _), backward = lstm(x, zeros, zeros, *weights)
        return backward(y, zeros, zeros)

    return step


def costs(
    rng: np.random.Generator, lengths: Sequence[int], width: int, heads: int, repeats: int
) -> dict[str, dict[str, list[float]]]:
    """{"attention" or "lstm": {"seconds": one a length, "mebibytes": one a length}}."""
    found: dict[str, dict[str, list[float]]] = {}
    for length in lengths:
        steps = {"attention": attention_step(rng, length, width, heads), "lstm": lstm_step_of(rng, length, width)}
        for step in steps.values():
            step()  # what is made once is made now
        times = side_by_side(list(steps.values()), repeats)
        for (name, step), taken in zip(steps.items(), times, strict=True):
            row = found.setdefault(name, {"seconds": [], "mebibytes": []})
            row["seconds"].append(float(np.median(taken)))
            row["mebibytes"].append(peak_mib(step))
    return found
