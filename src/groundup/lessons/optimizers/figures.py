"""The lesson's pictures, from what the experiment measured or from a walk through a ravine."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from groundup.lesson import Result
from groundup.lessons.optimizers.experiment import DECAY_RATES, DECAYS, WARMUP_RATES
from groundup.ops.types import Array
from groundup.plots import COLOURS, curves, describe, figure, heatmap, line_style

AXES = {"L2 in the loss": "penalty", "AdamW, times the rate": "decay", "AdamW, apart from the rate": "decay a step"}


def draw(result: Result) -> dict[str, Figure]:
    """The race, weight decay, the deep network's beginnings, and warm-up."""
    return {
        "race": race_figure(result.arrays["race"]),
        "decay": decay_figure(result.arrays["decay"]),
        "spreads": spreads_figure(result.arrays["spreads"]),
        "warmup": warmup_figure(result.arrays["warm-up"]),
    }


def race_figure(race: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Test loss of each optimiser against the rate, in multiples of its own best one, and at their best."""
    fig, (left, right) = figure(10.4, 3.3, columns=2)
    for place, (name, found) in enumerate(race.items()):
        curves(left, found["rates"], {name: found["losses"]}, "rate", "test loss, nats", log="xy")
        left.lines[-1].set(**line_style(place, len(found["rates"])))
        best = found["losses"][list(found["rates"]).index(found["chosen"])]
        right.plot(best, place, "o", color=COLOURS[place], markersize=8)
    describe(left, "rate", "test loss, nats", "Every rate that was tried", log="xy")
    left.set_yticks([0.2, 0.3, 0.5, 1, 2], ["0.2", "0.3", "0.5", "1", "2"])
    left.minorticks_off()
    left.legend(loc="upper left", fontsize=7.5, labelspacing=0.2)
    right.set_yticks(range(len(race)), list(race))
    right.invert_yaxis()
    right.margins(x=0.15, y=0.15)
    describe(right, "test loss, nats", "", "The best of each")
    return fig


def decay_figure(decay: Mapping[str, Any]) -> Figure:
    """Validation loss by rate and strength of decay, for each rule: is the best strength the same for every rate?"""
    fig, row = figure(11.4, 3.6, columns=len(decay))
    for axes, (rule, losses) in zip(row, decay.items(), strict=True):
        found = np.array(losses)
        rows = [f"1/{round(1 / rate)}" for rate in DECAY_RATES][:: 1 if len(found) == len(DECAY_RATES) else 2]
        strengths = DECAYS[rule][:: 1 if found.shape[1] == len(DECAYS[rule]) else 3]
        bar = "validation loss, nats" if axes is row[-1] else ""
        heatmap(axes, found, rows, [f"{strength:.2g}" for strength in strengths], rule, low=0.33, high=0.55, bar=bar)
        for line, place in enumerate(found.argmin(axis=1).tolist()):
            axes.add_patch(Rectangle((place - 0.5, line - 0.5), 1, 1, fill=False, edgecolor=COLOURS[1], linewidth=2))
        axes.set(xlabel=AXES[rule], ylabel="rate")
    return fig


def spreads_figure(spreads: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Sizes of activations and of gradients, layer by layer, for two activations and three beginnings."""
    fig, row = figure(10.4, 3.2, columns=2)
    layers = range(1, 1 + len(next(iter(spreads.values()))[0]))
    for axes, part, title in zip(row, (0, 1), ("Activations, going forward", "Gradients, coming back"), strict=True):
        lines = {name: np.array(found[part]) for name, found in spreads.items()}
        curves(axes, layers, lines, "layer", "root mean square", title, log="y")
        axes.set_xticks([1, 5, 10, 15, 20])
    row[0].get_legend().remove()
    return fig


def warmup_figure(warmed: Mapping[str, Sequence[float]]) -> Figure:
    """Adam's test loss against the rate, with a warm-up and without."""
    fig, axes = figure(6.4, 3.4)
    rates = WARMUP_RATES[-len(next(iter(warmed.values()))) :]
    lines = {f"{kind} warm-up": losses for kind, losses in warmed.items()}
    curves(axes, rates, lines, "Adam's rate", "test loss, nats", "What a warm-up buys", log="xy")
    axes.set_yticks([0.2, 0.3, 0.5, 1], ["0.2", "0.3", "0.5", "1"])
    axes.set_xticks(rates, [f"1/{round(1 / rate)}" for rate in rates])
    axes.minorticks_off()
    return fig


def contours(axes: Axes, curvature: Array, paths: Mapping[str, Array], title: str = "") -> None:
    """Paths (steps + 1, 2) on the level lines of a ravine along the axes, whose loss halves from line to line."""
    turns = np.linspace(0, 2 * np.pi, 37)
    for loss in 125.0 * 2.0 ** -np.arange(-1.0, 6.0):
        wide, high = np.sqrt(2 * loss / curvature)
        axes.plot(wide * np.cos(turns), high * np.sin(turns), color="#b9c3cf", linewidth=0.7, linestyle="-")
    axes.plot(0, 0, "+", color=COLOURS[5], markersize=9)
    for place, (name, path) in enumerate(paths.items()):
        inside = np.clip(path, -99, 99)
        axes.plot(*inside.T, ".-", color=COLOURS[place], linewidth=1.1, markersize=4, label=name)
    axes.set(xlim=(-11, 11), ylim=(-4, 4), xticks=(-10, 0, 10), yticks=(-4, 0, 4))
    axes.grid(False)
    describe(axes, "along the valley", "across", title)
