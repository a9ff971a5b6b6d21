"""What a layer costs in time and memory as the sequence grows: attention against recurrence (Table 1 of the paper)."""

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np

from groundup.ops.attention import multi_head_attention
from groundup.ops.init import linear_params, recurrent_params
from groundup.ops.recurrent import lstm
from groundup.ops.types import Array

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


def seconds_of(step: Step, repeats: int) -> float:
    """The median time of a call, after one that is not counted."""
    step()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        step()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def peak_bytes(step: Step) -> int:
    """The most memory that a call holds at a time, by Python's own count of allocations."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        step()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def costs(
    rng: np.random.Generator, lengths: Sequence[int], width: int, heads: int, repeats: int
) -> dict[str, dict[str, list[float]]]:
    """{"attention" or "lstm": {"seconds": one a length, "mebibytes": one a length}}."""
    found: dict[str, dict[str, list[float]]] = {}
    for length in lengths:
        steps = {"attention": attention_step(rng, length, width, heads), "lstm": lstm_step_of(rng, length, width)}
        for name, step in steps.items():
            row = found.setdefault(name, {"seconds": [], "mebibytes": []})
            row["seconds"].append(seconds_of(step, repeats))
            row["mebibytes"].append(peak_bytes(step) / 2**20)
    return found


def exponent(lengths: Sequence[int], values: Sequence[float], last: int = 3) -> float:
    """The slope of log value against log length over the ``last`` lengths: 1 is linear, 2 the square."""
    x, y = (np.log(np.asarray(part[-last:], dtype=np.float64)) for part in (lengths, values))
    slope: Array = np.polyfit(x, y, 1)
    return float(slope[0])
