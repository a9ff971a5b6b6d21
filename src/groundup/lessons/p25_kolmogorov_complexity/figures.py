"""The lesson's pictures, from what the experiment measured."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from groundup.data.languages import FAMILIES
from groundup.lesson import Result
from groundup.lessons.p25_kolmogorov_complexity.model import Census, complexities
from groundup.lessons.p25_kolmogorov_complexity.ncd import Merge, average_linkage, members
from groundup.ops.types import Array
from groundup.plots import COLOURS, INK, MARKERS, describe, figure, heatmap


def draw(result: Result) -> dict[str, Figure]:
    """The coding theorem, the counting bounds, what compressors see, and the languages by NCD."""
    arrays = result.arrays
    return {
        "coding": coding(arrays["census"], arrays["margin"]),
        "counting": counting(arrays["counts"]["below"], arrays["counts"]["shares"]),
        "compressors": compressors(arrays["sizes"]),
        "languages": language_tree(arrays["families"]["matrix"], arrays["families"]["names"]),
    }


def coding(found: dict[str, Census], margin: int) -> Figure:
    """K(x) over -log2 m(x), one dot a string, one panel a machine; the area of a dot grows with its strings."""
    fig, panels = figure(9, 4, columns=2)
    for axes, (name, one), colour in zip(panels, found.items(), COLOURS, strict=False):
        k = {x: bits for x, bits in complexities(one).items() if bits <= one.longest - margin}
        spots: dict[tuple[float, int], int] = {}
        for x, bits in k.items():
            spot = (round(-math.log2(one.mass[x]), 1), bits)
            spots[spot] = spots.get(spot, 0) + 1
        places = np.array(list(spots))
        sizes = 18 * np.sqrt(list(spots.values()))
        axes.scatter(places[:, 0], places[:, 1], s=sizes, color=colour, edgecolor="white", linewidth=0.5)
        most = one.longest - margin
        axes.plot([0, most], [0, most], color=INK, linewidth=1, linestyle=":")
        axes.annotate("K = −log₂ m", (most * 0.62, most * 0.6), rotation=38, fontsize=9, va="top")
        title = f"{name} machine: {len(k)} strings"
        axes.set_xticks(range(0, most + 1, 3))
        axes.set_yticks(range(0, most + 1, 3))
        describe(axes, "−log₂ m(x), bits", "K(x), bits", title)
    return fig


def counting(below: dict[str, list[int]], shares: dict[str, list[tuple[int, float]]]) -> Figure:
    """Measured counts beside the bounds that hold for every decoder, on log scales."""
    fig, (left, right) = figure(9.6, 4, columns=2)
    longest = max(map(len, below.values()))
    left.plot(range(longest), [2.0**k for k in range(longest)], color=INK, linestyle=":", label="bound 2ᵏ")
    for position, (name, numbers) in enumerate(below.items()):
        known = [(k, number) for k, number in enumerate(numbers) if number]
        style = {"color": COLOURS[position], "marker": MARKERS[position], "linestyle": "-", "markersize": 4}
        left.plot(*zip(*known, strict=True), label=f"{name} machine", **style)
    describe(left, "k, bits", "strings with K ≤ k", "Few strings are simple", log="y")
    right_most = max(saved for dots in shares.values() for saved, _ in dots if saved <= 60)
    right.plot([0, right_most], [1, 2.0**-right_most], color=INK, linestyle=":", label="bound 2⁻ᶜ")
    for position, (name, dots) in enumerate(shares.items()):
        shown = [(saved, share) for saved, share in dots if saved <= 60]
        if shown:
            label = name if " " in name else f"{name} machine"
            style = {"color": COLOURS[position], "marker": MARKERS[position], "markersize": 3.5}
            right.plot(*zip(*shown, strict=True), linestyle="none", label=label, **style)
    describe(right, "c, bits saved", "share of all strings of that length", "Few strings can be shortened", log="y")
    return fig


def compressors(sizes: dict[str, dict[str, float]]) -> Figure:
    """Compressed size over size, a group of bars for each kind of data."""
    kinds = [kind for kind, ratios in sizes.items() if "zlib" in ratios and kind != "1 byte"]
    names = list(sizes[kinds[0]])
    fig, axes = figure(9, 4.2)
    for position, name in enumerate(names):
        places = np.arange(len(kinds)) + (position - 1) * 0.26
        values = [sizes[kind][name] for kind in kinds]
        axes.barh(places, values, 0.24, color=COLOURS[position], label=name)
        for place, value in zip(places, values, strict=True):
            axes.annotate(f"{value:.3f}", (value, place), (3, 0), textcoords="offset points", va="center", fontsize=7.5)
    axes.axvline(1, color=INK, linewidth=1, linestyle=":")
    axes.axvline(1 / 8, color=INK, linewidth=1, linestyle=":")
    axes.annotate("1/8", (1 / 8, -0.5), (3, 0), textcoords="offset points", fontsize=9)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_xlim(0, 1.28)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    describe(axes, "compressed size / size", "", "What compressors see")
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.62), frameon=False)
    return fig


def language_tree(matrix: Array, names: list[str]) -> Figure:
    """The tree of average linkage, and the distance matrix in the order of its leaves."""
    merges = average_linkage(matrix)
    order = members(merges, 2 * len(merges))
    fig, (left, right) = figure(11.5, 5.6, columns=2)
    labels = [f"{names[place]} ({FAMILIES[names[place]]})" for place in order]
    dendrogram(left, merges)
    left.set_yticks(range(len(order)), labels)
    left.invert_yaxis()
    left.grid(False)
    describe(left, "mean NCD of the two branches", "", "Languages joined by compression distance")
    ordered = matrix[np.ix_(order, order)] + np.diag(np.full(len(order), np.nan))
    shortest, longest = np.nanmin(ordered), np.nanmax(ordered)
    low = float(shortest - 0.2 * (longest - shortest))  # so that white is left to the diagonal
    heatmap(
        right,
        ordered,
        [names[place] for place in order],
        [names[place] for place in order],
        "NCD",
        low=low,
        bar="distance",
    )
    return fig


def dendrogram(axes: Axes, merges: list[Merge]) -> None:
    """Leaves at 0, 1, 2, ... from top to bottom; each merge is a bracket at its height."""
    count = len(merges) + 1
    places = {leaf: (float(rank), 0.0) for rank, leaf in enumerate(members(merges, 2 * count - 2))}
    lowest = min(merge.height for merge in merges)
    start = lowest - 0.25 * (max(merge.height for merge in merges) - lowest)
    for number, (left, right, height) in enumerate(merges):
        (y1, x1), (y2, x2) = places[left], places[right]
        axes.plot([max(x1, start), height, height, max(x2, start)], [y1, y1, y2, y2], "-", color=COLOURS[0])
        places[count + number] = ((y1 + y2) / 2, height)
    axes.set_xlim(start, None)
