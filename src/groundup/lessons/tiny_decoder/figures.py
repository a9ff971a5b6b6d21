"""The lesson's pictures, from what the experiment measured."""

import math

import numpy as np
from matplotlib.figure import Figure

from groundup.lesson import Result
from groundup.lessons.tiny_decoder.learners import SIZE
from groundup.lessons.tiny_decoder.words import LONGEST, SYMBOLS
from groundup.ops.positions import sinusoidal_positions
from groundup.plots import curves, describe, figure, heatmap

LABELS = {
    "decoder": "decoder",
    "no_attention": "without attention",
    "no_positions": "without positions",
    "no_mask": "trained without mask",
}


def draw(result: Result) -> dict[str, Figure]:
    """Learning curves, the heads at work, time with and without the cache, the positions, and bits on real text."""
    return {
        "learning": learning(result),
        "attention": attention(result),
        "cache": cache(result),
        "positions": positions(),
        "text": text(result),
    }


def learning(result: Result) -> Figure:
    """Training loss and exact match on held-out words for the decoder and what it is compared with."""
    fig, axes = figure(9.6, 3.6, columns=2)
    step = result.curves["decoder"]["step"]
    losses = {label: result.curves[name]["training"] for name, label in LABELS.items()}
    matches = {label: result.curves[name]["exact match"] for name, label in LABELS.items()}
    curves(axes[0], step, losses, "step", "training loss in nats per token", "What training sees", log="y")
    curves(axes[1], step, matches, "step", "answers without a mistake", "What it writes, on held-out words")
    axes[1].set_ylim(-0.03, 1.03)
    axes[1].legend_.remove()
    return fig


def attention(result: Result) -> Figure:
    """Every head over one held-out example: the rows write the answer, the columns are what they look at."""
    tokens, targets, weights = (result.arrays[name] for name in ("tokens", "targets", "weights"))
    start = int(np.flatnonzero(tokens)[0])  # padding before the word is left out
    rows = np.flatnonzero(targets != -1)
    reads, writes = ([SYMBOLS[token] for token in line] for line in (tokens[start : rows[-1] + 1], targets[rows]))
    fig, axes = figure(10.6, 6.4, rows=2, columns=2)
    for head, axis in enumerate(axes.flat):
        heatmap(axis, weights[head][rows, start : rows[-1] + 1], writes, reads, f"Head {head + 1}", low=0, high=1)
        axis.set(ylabel="writes" if head % 2 == 0 else "", xlabel="reads" if head > 1 else "")
        axis.tick_params(labelsize=8)
    return fig


def cache(result: Result) -> Figure:
    """Seconds against length, without and with the cache, and their quotient."""
    times = result.arrays["times"]
    lengths = list(times)
    fig, axes = figure(9.6, 3.4, columns=2)
    seconds = {
        label: [1000 * float(np.median(times[length][row])) for length in lengths]
        for row, label in enumerate(("without cache", "with cache"))
    }
    curves(axes[0], lengths, seconds, "tokens generated", "milliseconds", "Time to generate", log="xy")
    quotient = {"measured": [float(np.median(times[length][0] / times[length][1])) for length in lengths]}
    curves(axes[1], lengths, quotient, "tokens generated", "times as fast", "What the cache saves", log="x")
    axes[1].set_ylim(bottom=0)
    for axis in axes:
        axis.set_xticks(lengths, [str(length) for length in lengths])
        axis.minorticks_off()
    return fig


def positions() -> Figure:
    """The sinusoids, and the dot product of two positions at a fixed distance, with and without the usual slip."""
    length, width = 4 * LONGEST, SIZE["width"]
    table = sinusoidal_positions(length, width)
    slip = table.copy()
    slip[1:, 1::2] = table[:-1, 1::2]  # cos of (position - 1): the -1 taken from the exponent
    slip[0, 1::2] = table[1, 1::2]  # cos(-1) = cos(1)
    fig, axes = figure(9.6, 3.6, columns=2)
    heatmap(axes[0], table.T, title="Positions", low=-1, high=1, bar="value")
    axes[0].set(xlabel="position", ylabel="dimension")
    axes[0].set_aspect("auto")
    products = {
        label: (array[:-4] * array[4:]).sum(axis=1)
        for label, array in (("sine and cosine of the same angle", table), ("cosine one position late", slip))
    }
    curves(axes[1], range(length - 4), products, "position p", "P(p) · P(p + 4)", "Two positions, four apart")
    axes[1].set_ylim(top=products["cosine one position late"].max() + 2)
    return fig


def text(result: Result) -> Figure:
    """Bits per character while learning, and in the end by the number of characters in view, beside the n-grams."""
    curve, by_place = result.curves["text"], result.metrics["bits by characters in view"]
    fig, axes = figure(9.6, 3.6, columns=2)
    lines = {"training": [loss / math.log(2) for loss in curve["training"]], "held out": curve["held-out bits"]}
    curves(axes[0], curve["step"], lines, "step", "bits per character", "Learning to write")
    curves(axes[1], range(1, len(by_place) + 1), {"decoder": by_place}, "", "", "")
    counting = [row["bits"] for name, row in result.metrics["n-grams"].items() if name.startswith("Witten-Bell")]
    axes[1].plot(range(len(counting)), sorted(counting, reverse=True), "o", color="#8b939e", label="n-grams")
    describe(axes[1], "characters in view", "bits per character", "The same block, and counting")
    return fig
