"""One house style for every figure: quiet axes, few colours, and curves that stay apart when printed grey.

Call figure(), draw, and either let the notebook show it or save() it. Matplotlib's own settings stay as they
were.
"""

import functools
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from groundup.files import write_whole

# Blue, orange, green, wine, sky, ink: CIE lightness 39, 66, 53, 25, 77, 9, so any two differ by more than 10
# in grey, and the first few by most. Dashes and markers change with them, for those who see no colour.
COLOURS = ("#135bae", "#ee8627", "#128f79", "#740f3c", "#87c5f0", "#171a20")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (1.2, 1.2)),
    (0, (9, 2)),
    (0, (3, 1)),
)
MARKERS = ("o", "s", "^", "D", "v", "P")

# White to deep blue in even steps of lightness, so that equal differences look equal, in colour and in grey.
SHADES = ("#ffffff", "#aed1e9", "#66a1d0", "#3070ac", "#1e4479", "#0e1f3b")

# The same with orange below nothing: for numbers of both signs.
SIGNED = ("#3d1a03", "#803a06", "#c2621a", "#e39a5f", "#f5cfae", *SHADES)

# Fonts with Chinese and Japanese letters, as systems have them.
WIDE = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Serif CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei",
    "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "Arial Unicode MS", "Droid Sans Fallback",
)  # fmt: skip

#: What a notebook's output calls the pictures behind a slider.
FRAMES = "application/vnd.groundup.frames+json"

INK, FAINT = "#2b2f36", "#dfe3e8"

STYLE: Any = {
    "font.size": 10,
    "text.color": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#8b939e",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=DASHES),
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": "#8b939e",
    "ytick.color": "#8b939e",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "figure.constrained_layout.h_pad": 0.09,
    "figure.constrained_layout.w_pad": 0.09,
    "figure.dpi": 110,
    "figure.facecolor": "white",
}


def figure(width: float = 6.4, height: float = 3.6, rows: int = 1, columns: int = 1) -> tuple[Figure, Any]:
    """Return a figure of width x height inches and its axes: one, or an array of them.

    The array is (rows, columns), or flat if one of the two is 1.
    """
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained")
        interactive = plt.isinteractive()
    if interactive:  # a notebook's first figure switches this on, and rc_context has just switched it off again
        plt.ion()
    return fig, axes


def frames(
    label: str,
    values: Sequence[Any],
    draw: Callable[[Axes, Any], object],
    width: float = 5.2,
    height: float = 3.4,
    shown: Sequence[int] | None = None,
    start: int = 0,
) -> Figure:
    """One picture for each value of what is called ``label``: ``draw(axes, value)`` draws it.

    A page shows one picture with a slider over the values, and first that of values[start]. Where there is no
    slider (a notebook, paper) those at the places ``shown`` stand side by side; by default the first, the middle
    and the last. ``draw`` sets the limits of its axes, so that pictures can be compared.
    """
    places = list(shown if shown is not None else dict.fromkeys((0, len(values) // 2, len(values) - 1)))
    texts = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values]
    fig, row = figure(min(width * len(places), 4 + 2.6 * len(places)), height, columns=len(places))
    for axes, place in zip(np.atleast_1d(row), places, strict=True):
        draw(axes, values[place])
        if not axes.get_title(loc="left"):
            axes.set_title(f"{label} = {texts[place]}", loc="left")

    def picture(place: int) -> str:
        with plt.rc_context({**STYLE, "svg.hashsalt": "groundup"}):
            alone = Figure(figsize=(width, height), layout="constrained")
            draw(alone.subplots(), values[place])
            drawn = io.StringIO()
            alone.savefig(drawn, format="svg", metadata={"Date": None})
        return drawn.getvalue()

    def all_frames() -> dict[str, Any]:
        return {"label": label, "values": texts, "start": start, "svg": [picture(at) for at in range(len(values))]}

    def bundle(include: object = None, exclude: object = None) -> dict[str, Any]:
        return {FRAMES: all_frames()} if os.environ.get("GROUNDUP_FRAMES") else {}

    fig.frames = all_frames  # type: ignore[attr-defined]  # for live cells
    fig._repr_mimebundle_ = bundle  # type: ignore[attr-defined]  # for the notebook that the pages are made of
    return fig


def save(fig: Figure, path: str | Path) -> None:
    """Write a figure as .png (144 dots an inch) or .svg, the same bytes for the same figure, and close it."""
    path = Path(path)
    undated: dict[str, Any] = {".png": {"Software": None}, ".svg": {"Date": None}}
    try:
        if path.suffix not in undated:
            raise ValueError(f"a figure is saved as .png or .svg, not as {path.suffix!r}")
        with plt.rc_context({"svg.hashsalt": "groundup"}):
            drawn = io.BytesIO()
            fig.savefig(drawn, format=path.suffix[1:], dpi=144, metadata=undated[path.suffix])
        write_whole(path, drawn.getvalue())
    finally:
        plt.close(fig)


def describe(axes: Axes, xlabel: str = "", ylabel: str = "", title: str = "", log: str = "") -> None:
    """Set labels and title in the house style, and a legend where two or more things have labels.

    log: which axes get a logarithmic scale: "", "x", "y" or "xy". For bars, histograms and whatever else is
    drawn with matplotlib's own calls; the helpers below call it themselves.
    """
    with plt.rc_context(STYLE):
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.set_title(title)
        if "x" in log:
            axes.set_xscale("log")
        if "y" in log:
            axes.set_yscale("log")
        if len(axes.get_legend_handles_labels()[1]) > 1:
            axes.legend()


def curves(
    axes: Axes,
    x: ArrayLike,
    lines: Mapping[str, ArrayLike],
    xlabel: str,
    ylabel: str,
    title: str = "",
    log: str = "",
) -> None:
    """Draw one labelled curve over x for each entry of `lines`. log: see describe()."""
    x = np.asarray(x)
    with plt.rc_context(STYLE):
        for position, (label, y) in enumerate(lines.items()):
            (line,) = axes.plot(x, np.asarray(y), label=label, **line_style(position, len(x)))
            line.set_gid(readable("curve", {"name": label, "x": xlabel, "log": "x" in log}, x, np.asarray(y)))
    describe(axes, xlabel, ylabel, title, log)


def readable(kind: str, about: Mapping[str, Any], *numbers: ArrayLike) -> str | None:
    """What lets a page tell the values of a curve or heat map under the pointer; None if there are too many.

    It becomes the id of what is drawn, and so a part of the SVG.
    """
    arrays = [np.asarray(many, float).ravel() for many in numbers]
    if kind == "heat":  # a square's shade says no more than a thousandth of the largest
        step = 10.0 ** (np.ceil(np.log10(max(float(np.abs(arrays[0]).max(initial=0.0)), 1e-30))) - 3)
        arrays = [step * np.round(arrays[0] / step)]
    elif len(arrays[0]) > 200:
        some = np.linspace(0, len(arrays[0]) - 1, 200).round().astype(int)
        arrays = [many[some] for many in arrays]
    rounded = [[float(f"{number:.4g}") for number in many] for many in arrays]
    if sum(map(len, rounded)) > 4000 or not np.isfinite([number for many in rounded for number in many]).all():
        return None
    return f"{kind} " + json.dumps({**about, "numbers": rounded}, separators=(",", ":"), ensure_ascii=False)


def band(
    axes: Axes,
    x: ArrayLike,
    lines: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    xlabel: str,
    ylabel: str,
    title: str = "",
    log: str = "",
) -> None:
    """Like curves(), but each entry is (median, low, high): a curve on its band, such as the spread
    over seeds.
    """
    x = np.asarray(x)
    for position, (_, low, high) in enumerate(lines.values()):
        colour = line_style(position, len(x))["color"]
        axes.fill_between(x, np.asarray(low), np.asarray(high), color=colour, alpha=0.18, linewidth=0)
    curves(axes, x, {label: median for label, (median, _, _) in lines.items()}, xlabel, ylabel, title, log)


def line_style(position: int, points: int) -> dict[str, Any]:
    """Return colour, dashes and (up to 24 points) marker of a curve by its position, as keywords for plot."""
    style = {"color": COLOURS[position % len(COLOURS)], "linestyle": DASHES[position % len(DASHES)]}
    if points <= 24:
        style |= {
            "marker": MARKERS[position % len(MARKERS)],
            "markeredgecolor": "white",
            "markeredgewidth": 0.8,
        }
    return style


def heatmap(
    axes: Axes,
    matrix: ArrayLike,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    title: str = "",
    low: float | None = None,
    high: float | None = None,
    values: str = "",
    bar: str = "",
) -> AxesImage:
    """Draw a matrix as squares, white at `low` (default: its least entry) to deep blue at `high`.

    Where low = -high the sign is seen too: blue above 0, white at 0, orange below.
    row_labels, column_labels: any text, a character or a word an entry; white space is made visible.
    values: a format such as ".2f" writes each number into its square. bar: the label of a colour bar.
    """
    matrix = np.asarray(matrix)
    signed = low is not None and high is not None and low == -high
    shades = LinearSegmentedColormap.from_list("groundup", SIGNED if signed else SHADES, 257)  # 0 has a shade
    with plt.rc_context(STYLE):
        image = axes.imshow(matrix, cmap=shades, vmin=low, vmax=high, interpolation="nearest", aspect="auto")
        if max(matrix.shape) <= 4 * min(matrix.shape):
            axes.set_aspect("equal")
        labels = {"rows": list(row_labels or ()), "columns": list(column_labels or ())}
        axes.patch.set_gid(readable("heat", {"shape": matrix.shape, **labels}, matrix))
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        if row_labels is not None:
            axes.set_yticks(range(len(row_labels)), [printable(label) for label in row_labels], fontfamily=families())
        if column_labels is not None:
            long = max(map(len, column_labels), default=0) > 3
            turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if long else {}
            axes.set_xticks(
                range(len(column_labels)),
                [printable(label) for label in column_labels],
                fontfamily=families(),
                **turned,
            )
        if values:
            for (row, column), share in np.ndenumerate(image.norm(matrix)):
                deep = abs(2 * share - 1) if signed else share
                colour = "white" if deep > 0.45 else INK
                text = format(matrix[row, column], values)
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
        if bar:
            scale = axes.figure.colorbar(image, ax=axes, label=bar)
            scale.outline.set_visible(False)
    describe(axes, title=title)
    return image


@functools.cache
def families() -> tuple[str, ...]:
    """The fonts that labels are drawn with: matplotlib's own, then those of this system for Chinese and Japanese."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in WIDE if name in known))


def printable(text: str) -> str:
    """Return a label as ``families`` can draw it: visible white space, no mathematics, a box for no glyph."""
    if not text.strip():
        text = "".join({" ": "␣", "\n": "↵", "\t": "⇥"}.get(character, character) for character in text)
    fonts = [font_manager.get_font(font_manager.findfont(name)) for name in families()]
    drawn = (c if c.isprintable() and any(font.get_char_index(ord(c)) for font in fonts) else "□" for c in text)
    return "".join(drawn).replace("$", r"\$")
