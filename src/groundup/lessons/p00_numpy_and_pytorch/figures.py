"""The lesson's pictures, from what the experiment measured."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from groundup.lesson import Result
from groundup.lessons.p00_numpy_and_pytorch.experiment import NUDGES, mlp_on_tape, v_slopes
from groundup.lessons.p00_numpy_and_pytorch.tape import Tape, Variable
from groundup.ops.types import Array
from groundup.plots import COLOURS, INK, curves, describe, figure

GREY = "#8b939e"


def draw(result: Result) -> dict[str, Figure]:
    """The network's tape, the V curve, and accuracy while learning."""
    return {
        "graph": network_graph(result),
        "v_curve": v_figure(result.arrays["errors"]),
        "accuracy": accuracy(result),
    }


def network_graph(result: Result) -> Figure:
    """The computation graph of the trained network's loss on one batch."""
    tape = Tape()
    batch = result.arrays["batch"]
    loss, _ = mlp_on_tape(tape, result.arrays["params"], batch["images"], batch["labels"])
    fig, axes = figure(13, 4.6)
    draw_graph(axes, tape, tape.gradients(loss), "The trained network's loss on one batch, as the tape recorded it")
    return fig


def v_figure(errors: Mapping[str, Array]) -> Figure:
    """Error of the measured slope against the nudge, logarithmic on both axes, with the exponents fitted to the V."""
    fig, axes = figure(7.2, 4.4)
    curves(axes, NUDGES, errors, "nudge h", "relative error of the slope", "How well a slope can be measured", log="xy")
    slopes = v_slopes(errors["float64, central"])
    for name, place, side in (("rounding", (0.02, 0.24), "left"), ("truncation", (0.99, 0.36), "right")):
        text = f"{name}: h to the {slopes[name]:.2f}"
        axes.annotate(text, place, xycoords="axes fraction", ha=side, color=COLOURS[0], fontsize=9.5)
    axes.get_legend().set_loc("lower right")
    return fig


def accuracy(result: Result) -> Figure:
    """Accuracy while learning, and that of simpler methods on the same test digits, with standard errors."""
    curve, hits = result.curves["mlp"], result.arrays["hits"]
    fig, (left, right) = figure(10, 3.6, columns=2)
    lines = {"training digits": curve["training accuracy"], "validation digits": curve["validation accuracy"]}
    curves(left, curve["step"][1:], {name: line[1:] for name, line in lines.items()}, "step", "share read correctly")
    describe(left, "step", "share read correctly", "Learning to read digits")
    for row, (_, right_ones) in enumerate(hits.items()):
        share = float(np.mean(right_ones))
        spread = (share * (1 - share) / len(right_ones)) ** 0.5
        right.errorbar(share, row, xerr=spread, fmt="o", color=COLOURS[0], capsize=3, linestyle="none")
    right.set_yticks(range(len(hits)), list(hits))
    right.margins(y=0.2)
    describe(right, "share read correctly, ± 1 standard error", "", f"{len(right_ones)} test digits")
    return fig


def draw_graph(axes: Axes, tape: Tape, gradients: Mapping[Variable, Array], title: str = "", size: float = 8) -> None:
    """Draw a tape as boxes from left to right: operations blue, what they start from white.

    A box shows a value if it is one number, else its shape; and after ∂ the gradient, or its Euclidean norm.
    ``size`` is that of the letters.
    """
    places = layout(tape)
    arrow = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0}
    for corners in [path for path in places.values() if len(path) > 1]:
        path = np.array(corners)
        axes.plot(path[:, 0], path[:, 1], color=GREY, linewidth=1.1, linestyle="-", zorder=1)
        axes.annotate("", 0.42 * path[-2] + 0.58 * path[-1], path[-2], arrowprops=arrow)
    made = {variable for record in tape.records for variable in record.outputs}
    for place in dict.fromkeys(variable for pair in places for variable in pair):
        shade = "#dcebf7" if place in made else "white"
        box = {"boxstyle": "round,pad=0.35", "edgecolor": COLOURS[0], "facecolor": shade}
        text = box_text(place, gradients.get(place))
        axes.text(*places[place, place][0], text, ha="center", va="center", fontsize=size, color=INK, bbox=box)
    axes.margins(0.08, 0.12)
    axes.set_axis_off()
    describe(axes, title=title)


def box_text(variable: Variable, gradient: Array | None) -> str:
    """The lines in a variable's box."""
    value = variable.value
    shown = f"{value:.4g}" if value.ndim == 0 else " × ".join(map(str, value.shape))
    lines = [variable.name.replace(".", "\n"), shown]
    if gradient is not None:
        lines.append(f"∂ {gradient:.4g}" if value.ndim == 0 else f"∂ {np.linalg.norm(gradient):.2g}")
    return "\n".join(lines)


def layout(tape: Tape) -> dict[tuple[Variable, Variable], list[tuple[float, float]]]:
    """Where to draw: for (v, v) the one place of a variable, for (source, target) the corners of the line between.

    A variable's column is one more than that of the last of its inputs; what nothing made stands just before its
    first use. A line that passes a column gets a row of its own there. Rows follow the mean of their neighbours'.
    """
    column: dict[Any, int] = {}
    for record in tape.records:
        for target in record.outputs:
            column[target] = 1 + max((column.get(source, 0) for source in record.inputs), default=0)
    for record in reversed(tape.records):
        for source in record.inputs:
            if all(source not in other.outputs for other in tape.records):
                before = min(column[target] for target in record.outputs) - 1
                column[source] = min(before, column.get(source, before))
    edges = [(a, b) for record in tape.records for b in record.outputs for a in dict.fromkeys(record.inputs)]
    chains: dict[Any, list[Any]] = {}
    for a, b in edges:
        chains[a, b] = [a, *((a, b, at) for at in range(column[a] + 1, column[b])), b]
    for chain in chains.values():
        column |= {key: key[2] for key in chain[1:-1]}
    keys: list[Any]
    after: dict[Any, list[Any]] = {key: [] for key in column}
    for chain in chains.values():
        for a, b in pairwise(chain):
            after[a].append(b)
    row: dict[Any, float] = {}
    for at in sorted(set(column.values()), reverse=True):
        keys = [key for key in column if column[key] == at]
        wanted = {key: float(np.mean([row[b] for b in after[key]] or [0.0])) for key in keys}
        keys.sort(key=wanted.__getitem__)
        spread = np.arange(len(keys)) - (len(keys) - 1) / 2
        centre = float(np.mean(list(wanted.values())))
        row |= {key: centre + offset for key, offset in zip(keys, spread.tolist(), strict=True)}
    places = {key: [(float(column[key]), row[key])] for key in column}
    lines = {pair: [places[key][0] for key in chain] for pair, chain in chains.items()}
    return lines | {(key, key): place for key, place in places.items() if isinstance(key, Variable)}
