"""The lesson's pictures, from what the experiment measured."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from groundup.lesson import Result
from groundup.ops.types import Array
from groundup.plots import COLOURS, band, curves, describe, figure, heatmap

ARMS = ("neither", "dropout", "augmentation", "both")


def draw(result: Result) -> dict[str, Figure]:
    """The race of two activations, the ablation, filters before and after, and what the network gets wrong."""
    return {
        "race": race(result),
        "ablation": ablation(result),
        "filters": filters(result),
        "mistakes": mistakes(result),
    }


def race(result: Result) -> Figure:
    """Training error against epochs for ReLU and tanh: median and range over seeds (the paper's figure 1)."""
    found, chosen = result.arrays["race"], result.metrics["rates chosen on validation"]
    lines = {}
    for activation in ("relu", "tanh"):
        runs = [curve for name, curve in found.items() if name.startswith(f"race-{activation}-")]
        errors = 100 * np.array([curve["error"] for curve in runs])
        label = f"{'ReLU' if activation == 'relu' else 'tanh'}, rate {chosen[activation]:g}"
        lines[label] = (np.median(errors, axis=0), errors.min(axis=0), errors.max(axis=0))
        epochs = runs[0]["epoch"]
    fig, axes = figure(6.8, 3.8)
    axes.axhline(25, color="#8b939e", linewidth=1, linestyle=":")
    axes.annotate("25 %", (1, 25), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9)
    band(axes, epochs, lines, "epochs", "training error (%)", "The race to 25 % training error")
    return fig


def ablation(result: Result) -> Figure:
    """Held-out error of the four arms while they learn from few pictures: means over the subsets."""
    found = result.arrays["ablation"]
    lines = {}
    for arm in ARMS:
        runs = [curve for name, curve in found.items() if name.startswith(f"{arm}-")]
        lines[arm] = 100 * np.mean([curve["held-out error"][1:] for curve in runs], axis=0)
        steps = runs[0]["step"][1:]
    fig, axes = figure(6.8, 3.8)
    curves(axes, steps, lines, "step", "held-out error (%)", "Twenty pictures a class: dropout and augmentation")
    return fig


def filters(result: Result) -> Figure:
    """The first layer's filters before and after training, on the same scale."""
    before, after = result.arrays["before"], result.arrays["after"]
    largest = float(max(np.abs(before).max(), np.abs(after).max()))
    fig, axes = figure(9.6, 2.0, columns=2)
    for place, (weights, title) in enumerate(((before, "Untrained: random numbers"), (after, "Trained"))):
        draw_filters(axes[place], weights, title, largest, bar="weight" if place else "")
    return fig


def draw_filters(axes: Any, weights: Array, title: str, largest: float, bar: str = "") -> None:
    """Filters (O, C, k, k) as tiles eight in a row, orange below 0 and blue above; in colour if C is 3."""
    count, channels, k, _ = weights.shape
    rows, columns = -(-count // 8), min(count, 8)
    tiles = np.full((rows * (k + 1) - 1, columns * (k + 1) - 1, channels), np.nan)
    for number, weight in enumerate(weights):
        top, left = number // 8 * (k + 1), number % 8 * (k + 1)
        tiles[top : top + k, left : left + k] = weight.transpose(1, 2, 0)
    if channels == 3:
        axes.imshow(np.nan_to_num(tiles / largest / 2 + 0.5, nan=1.0), interpolation="nearest")
        axes.grid(False)
        describe(axes, title=title)
    else:
        heatmap(axes, tiles.mean(axis=2), title=title, low=-largest, high=largest, bar=bar)
    axes.set_aspect("equal")
    axes.set(xticks=[], yticks=[])


def mistakes(result: Result) -> Figure:
    """The test pictures to whose true class the network gives the least probability, wrong ones first of all."""
    test, probabilities = result.arrays["test"], result.arrays["probabilities"]
    truth = probabilities[np.arange(len(test.labels)), test.labels]
    chosen = np.argsort(truth, kind="stable")[:8]
    wrong = int(np.sum(probabilities.argmax(axis=1) != test.labels))
    fig, axes = figure(11, 2.5, columns=8)
    for place, row in zip(axes, chosen, strict=False):
        picture, answer = test.images[row], int(probabilities[row].argmax())
        if picture.shape[2] == 3:
            place.imshow(picture, interpolation="nearest")
            place.grid(False)
        else:
            heatmap(place, picture[..., 0], low=0, high=1)
        place.set(xticks=[], yticks=[])
        colour = COLOURS[0] if answer == test.labels[row] else COLOURS[3]
        place.set_xlabel(
            f"is {test.labels[row]}, read as {answer}\np(true) = {truth[row]:.2f}", fontsize=9, color=colour
        )
    for place in axes[len(chosen) :]:
        place.set_visible(False)
    fig.suptitle(f"{wrong} of {len(test.labels)} test pictures are wrong; the hardest", fontsize=11, fontweight="bold")
    return fig
