"""One house style for every figure: quiet axes, few colours, and curves that stay apart when printed grey.

Call figure(), draw, and either let the notebook show it or save() it. Matplotlib's own settings stay as they
were.
"""

import functools
import io
from collections.abc import Mapping, Sequence
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

# Fonts with Chinese and Japanese letters, as systems have them.
WIDE = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Serif CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei",
    "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "Arial Unicode MS", "Droid Sans Fallback",
)  # fmt: skip

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
            axes.plot(x, np.asarray(y), label=label, **line_style(position, len(x)))
    describe(axes, xlabel, ylabel, title, log)


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

    row_labels, column_labels: any text, a character or a word an entry; white space is made visible.
    values: a format such as ".2f" writes each number into its square. bar: the label of a colour bar.
    """
    matrix = np.asarray(matrix)
    shades = LinearSegmentedColormap.from_list("groundup", SHADES)
    with plt.rc_context(STYLE):
        image = axes.imshow(matrix, cmap=shades, vmin=low, vmax=high, interpolation="nearest", aspect="auto")
        if max(matrix.shape) <= 4 * min(matrix.shape):
            axes.set_aspect("equal")
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
                colour = "white" if share > 0.45 else INK
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
