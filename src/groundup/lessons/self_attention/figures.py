"""The lesson's pictures, from what the experiment measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from groundup.lesson import Result
from groundup.ops.types import Array
from groundup.plots import COLOURS, curves, describe, figure, heatmap

GREY = "#8b939e"
NAMES = {"full": "full", "blocks": "in blocks"}
SHOWN = 14
Z = 3.29  # standard errors on either side: a 99.9 % interval


def draw(result: Result) -> dict[str, Figure]:
    """Why the scale, what the versions cost, how the readers learn, and where their heads look."""
    return {
        "scale": scale(result),
        "cost": cost(result),
        "learning": learning(result),
        "heads": heads(result),
    }


def scale(result: Result) -> Figure:
    """The variance of q·k with its line and its intervals; entropy and gradient of the softmax."""
    variances, softmaxes = result.arrays["variances"], result.arrays["softmaxes"]
    widths = list(variances)
    variance, error = np.array(list(variances.values())).T
    fig, ((line, ratio), (entropy, gradient)) = figure(9.4, 7, rows=2, columns=2)
    variance_line(line, ratio, np.array(widths), variance, error)
    for axes, quantity, unit, title, log in (
        (entropy, "entropy", "entropy of 64 weights (nats)", "How even the weights are", "x"),
        (gradient, "median gradient", "median norm at the scores", "What passes the softmax backwards", "xy"),
    ):
        lines = {name: [found[quantity] for found in rows] for name, rows in softmaxes.items()}
        curves(axes, widths, lines, "d", unit, title, log)
        doubling_ticks(axes, widths)
    return fig


def variance_line(line: Axes, ratio: Axes, widths: Array, variance: Array, error: Array) -> None:
    """Measured variances on the line variance = d and, magnified, their ratio to d with 99.9 % intervals."""
    line.plot(widths, widths, color=GREY, linestyle=":", linewidth=1.4, label="variance = d")
    line.plot(widths, variance, color=COLOURS[0], marker="o", linestyle="", label="measured")
    describe(line, "d", "variance of q·k", "The variance of q·k", log="xy")
    ratio.axhline(1, color=GREY, linewidth=1.4, linestyle=":")
    error = Z * error / widths
    ratio.errorbar(widths, variance / widths, error, fmt="o", color=COLOURS[0], capsize=3, linewidth=1.4)
    describe(ratio, "d", "variance / d", "The same, with 99.9 % intervals", log="x")
    for axes in (line, ratio):
        doubling_ticks(axes, list(widths))


def doubling_ticks(axes: Axes, places: Sequence[int]) -> None:
    """A tick with its number at each of the places, which double from one to the next, and none between."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(places, [str(place) for place in places])
    axes.minorticks_off()


def cost(result: Result) -> Figure:
    """Speed-up of matrices over loops, and peak memory of full and blockwise attention against n and block."""
    fig, (speed, memory, block) = figure(12, 3.9, columns=3)
    loops, half = result.arrays["loops"], result.arrays["half"]
    curves(speed, loops["n"], {"": loops["speed-up"]}, "words n", "times faster", "Matrices for loops", "xy")
    doubling_ticks(speed, loops["n"])
    labels = {name: f"{label}, n^{result.arrays['exponents'][name]:.2f}" for name, label in NAMES.items()}
    memory_curves(memory, result.arrays["by length"], labels)
    describe(memory, "words n", "peak memory (MiB)", "Peak memory against n", log="xy")
    doubling_ticks(memory, list(result.arrays["by length"]))
    memory_curves(block, result.arrays["by block"], NAMES)
    describe(block, "block", "peak memory (MiB)", f"Peak memory, n = {half}")
    block.set_ylim(0)
    return fig


def memory_curves(axes: Axes, found: dict[int, dict[str, float]], labels: dict[str, str]) -> None:
    """Peak memory of the two ways of computing over the keys of ``found``."""
    lines = {label: [row[name] for row in found.values()] for name, label in labels.items()}
    curves(axes, list(found), lines, "", "")


def learning(result: Result) -> Figure:
    """Held-out accuracy of the three readers, with chance and counting as lines."""
    fig, axes = figure(6.8, 3.8)
    lines = {name.replace("_", " "): curve["held-out accuracy"] for name, curve in result.curves.items()}
    steps = next(iter(result.curves.values()))["step"]
    curves(axes, steps, lines, "step", "held-out accuracy", "Looking up the answer")
    score_lines(axes, result.arrays["lines"])
    return fig


def score_lines(axes: Axes, scores: dict[str, float]) -> None:
    """Scores that need no training as dotted lines with their names."""
    for name, score in scores.items():
        axes.axhline(score, color=GREY, linewidth=1, linestyle=":")
        axes.annotate(name, (1.01, score), xycoords=("axes fraction", "data"), ha="left", va="center", fontsize=9)
    axes.set_ylim(0, 1.04)


def heads(result: Result) -> Figure:
    """Where each head looks in a box that training never saw, with marks at the cards asked for."""
    weights = result.arrays["weights"]
    shown = {f"Two heads: head {head + 1}": weights["two_heads"][head] for head in range(2)}
    shown["One head"] = weights["one_head"][0]
    return head_maps(shown, result.arrays["places"])


def head_maps(shown: dict[str, Array], places: Array) -> Figure:
    """Attention of the first cards of a box to all cards, a row of pictures for each head."""
    fig, row = figure(7.4, 3.5 * len(shown), rows=len(shown))
    for axes, (title, matrix) in zip(row, shown.items(), strict=True):
        head_map(axes, title, matrix, places)
    return fig


def head_map(axes: Axes, title: str, matrix: Array, places: Array) -> None:
    """Attention of the first cards of a box to all cards.

    places (T, 2): where the cards stand that are asked for first (circles) and second (squares).
    """
    asking = np.arange(min(SHOWN, len(places)))
    heatmap(axes, matrix[asking], title=title, low=0, high=1, bar="weight")
    for question, (marker, name) in enumerate((("o", "asked first"), ("s", "asked second"))):
        ring: dict[str, Any] = {"marker": marker, "facecolors": "none", "edgecolors": COLOURS[question + 1]}
        axes.scatter(places[asking, question], asking, s=95, linewidths=1.6, label=name, **ring)
    axes.set(xlabel="card that is read", ylabel="card that asks")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=9.5)
