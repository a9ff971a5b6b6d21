"""The lesson's pictures, from what the experiment measured."""

import math

import numpy as np
from matplotlib.figure import Figure

from groundup.lesson import Result
from groundup.plots import curves, describe, families, figure, heatmap, printable

EXCERPT = 72


def draw(result: Result) -> dict[str, Figure]:
    """Learning curves beside the n-grams, and the activations of tracking cells over held-out text."""
    return {"learning": learning(result), "cells": cells(result)}


def learning(result: Result) -> Figure:
    """Training and held-out bits per character, with the n-gram baselines as lines."""
    fig, axes = figure(6.8, 3.8)
    adam = result.curves["adam"]
    training = [loss / math.log(2) for loss in adam["training"]]
    curves(
        axes, adam["step"][1:], {"training": training[1:], "held out": adam["held-out bits"][1:]},
        "step", "bits per character",
    )  # fmt: skip
    for order in range(2, 8):
        bits = result.metrics["n-grams"].get(f"Witten-Bell {order}", {}).get("bits")
        if bits is None:
            continue
        axes.axhline(bits, color="#8b939e", linewidth=1, linestyle=":")
        axes.annotate(
            f"{order}-gram", (1, bits), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9
        )
    describe(axes, "step", "bits per character", "Learning to write, one character at a time")
    return fig


def cells(result: Result) -> Figure:
    """The best tracking cell of every feature over a line of held-out text."""
    text, states, found = (result.arrays[name] for name in ("text", "states", "cells"))
    start = excerpt_start(text)
    shown = text[start : start + EXCERPT]
    rows = np.stack([states[start : start + EXCERPT, cell] for cell, _ in found.values()])
    labels = [f"{name}  (|r| = {r:.2f})" for name, (_, r) in found.items()]
    fig, axes = figure(11, 0.42 * len(labels) + 1.1)
    heatmap(
        axes,
        rows,
        labels,
        None,
        "Cells that track something, chosen on other text",
        low=-1,
        high=1,
        bar="activation",
    )
    axes.set_xticks(range(len(shown)), [printable(character) for character in shown], fontsize=9, fontfamily=families())
    return fig


def excerpt_start(text: str) -> int:
    """A place in the second half of the text (cells were chosen on the first) with quotes or brackets in reach."""
    half = len(text) // 2
    for mark in '"(':
        place = text.find(mark, half)
        if place >= 0:
            return max(half, text.rfind("\n", half, place) + 1)
    return half
