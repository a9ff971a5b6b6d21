"""The lesson's pictures, from what the experiment measured."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from groundup.lesson import Result
from groundup.lessons.p13_attention_is_all_you_need.experiment import SIZE, WARM_UP
from groundup.ops.types import Array
from groundup.plots import curves, describe, figure, heatmap, line_style
from groundup.training.optim import inverse_root


def draw(result: Result) -> dict[str, Figure]:
    """Learning curves, what every head looks at, the schedule, and cost against length."""
    arrays = result.arrays
    return {
        "learning": learning(result),
        "heads": heads_figure(arrays["maps"], arrays["read"], arrays["written"]),
        "schedule": schedule(SIZE["width"], WARM_UP, arrays["steps"]),
        "cost": cost_figure(arrays["lengths"], arrays["cost"], arrays["slopes"]),
    }


def learning(result: Result) -> Figure:
    """Training loss and held-out exact match of the three models, against steps."""
    fig, (left, right) = figure(10, 3.8, columns=2)
    for axes, column, ylabel, title in (
        (left, "training", "smoothed cross-entropy (nats)", "Training loss"),
        (right, "exact match", "share of held-out dates", "Exact match; legend: averaged model"),
    ):
        for position, (name, curve) in enumerate(result.curves.items()):
            style = line_style(position, 100)  # without markers: late checkpoints lie close together
            label = NAMES[name]
            if column == "exact match":  # the averages lie too close together to be drawn
                label += f", {result.arrays['averages'][name]:.4f}"
            axes.plot(curve["step"], curve[column], label=label, **style)
        describe(axes, "step", ylabel, title)
    right.set_ylim(-0.03, 1.03)
    return fig


NAMES = {
    "transformer": "Transformer",
    "lstm_attention": "LSTM with attention",
    "lstm": "LSTM without",
}


def heads_figure(maps: dict[str, Array], read: str, written: str) -> Figure:
    """One row of pictures for each of the three attentions of the last layer, one picture for each head."""
    heads = maps["encoder"].shape[1]
    fig, grid = figure(3.1 * heads, 11.5, rows=3, columns=heads)
    given, produced = ["^", *written], [*written, "$"]
    rows = {"encoder": list(read), "decoder": produced, "cross": produced}
    columns = {"encoder": list(read), "decoder": given, "cross": list(read)}
    asks = {"encoder": "character that asks", "decoder": "writing", "cross": "writing"}
    answers = {"encoder": "character looked at", "decoder": "written so far (^ start)", "cross": "character looked at"}
    titles = {"encoder": "encoder", "decoder": "decoder, itself", "cross": "decoder → encoder"}
    for line, name in zip(grid, maps, strict=True):
        for head, axes in enumerate(line):
            heatmap(
                axes, maps[name][-1, head], rows[name], columns[name], f"{titles[name]}, head {head}", low=0, high=1
            )
            axes.tick_params(labelsize=6.5)
            axes.set_aspect("auto")
            describe(axes, answers[name], asks[name] if head == 0 else "", f"{titles[name]}, head {head}")
    return fig


def schedule(width: int, warm_up: int, steps: int) -> Figure:
    """The learning rate of equation 3 for three warm-ups."""
    fig, axes = figure(6.8, 3.4)
    count = np.arange(steps)
    lines = {
        f"warm-up {w}": [inverse_root(width, w)(int(n)) for n in count] for w in (warm_up // 2, warm_up, 2 * warm_up)
    }
    curves(
        axes, count + 1, lines, "step", "learning rate", f"Equation 3 at width {width}; trained with warm-up {warm_up}"
    )
    return fig


def cost_figure(lengths: list[int], cost: dict[str, Any], slopes: dict[str, Any]) -> Figure:
    """Time and memory of one layer, forward and backward, against the length of the sequence."""
    fig, both = figure(10, 3.8, columns=2)
    labels = {"attention": "self-attention", "lstm": "LSTM"}
    for axes, what, ylabel in ((both[0], "seconds", "milliseconds"), (both[1], "mebibytes", "peak memory (MiB)")):
        title = f"{'Time' if what == 'seconds' else 'Memory'} of a layer (slope: last three lengths)"
        factor = 1000 if what == "seconds" else 1
        lines = {
            f"{labels[name]} (slope {slopes[name][what]:.2f})": factor * np.asarray(row[what])
            for name, row in cost.items()
        }
        curves(axes, lengths, lines, "length n", ylabel, title, log="xy")
        axes.set_xticks(lengths, [str(length) for length in lengths])
        axes.minorticks_off()
    return fig
