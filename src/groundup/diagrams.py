"""Diagrams of what cannot be measured: boxes, arrows, cells and labels that make an SVG in the page's colours.

Every primitive returns a piece of SVG; ``diagram`` puts pieces together. Lengths are in pixels, y grows
downwards. A lesson's ``diagrams.py`` has a function for each diagram, by name and without arguments; its text
places one with ``![what it shows](diagram:name)``. Inside a text, ``$h_t$`` is set as a formula: letters slanted,
``_`` lowers and ``^`` raises the next letter or ``{...}``. Query, key and value have the same colours everywhere.
"""

import importlib.util
import inspect
import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

Point = tuple[float, float]

#: The page's variable, and the colour where there is no page around the diagram.
COLOURS = {
    "ink": ("--ink", "#22262c"),
    "faint": ("--ink-3", "#6a7078"),
    "line": ("--line", "#dedace"),
    "paper": ("--paper", "#fdfcf8"),
    "blue": ("--accent", "#135bae"),
    "orange": ("--warm", "#a8500f"),
    "green": ("--good", "#0d7463"),
    "red": ("--bad", "#b3323a"),
}
QUERY, KEY, VALUE, GRADIENT = "blue", "orange", "green", "red"
FONTS = {
    "text": "var(--sans, system-ui, 'DejaVu Sans', sans-serif)",
    "formula": "var(--serif, Georgia, 'DejaVu Serif', serif)",
}
#: A subscript's size and the smallest text that is shown anywhere, in pixels.
SMALL, LEAST = 0.76, 9
HEAD = 8  # length of an arrow's head


def diagram(width: float, height: float, *parts: str) -> str:
    """One SVG of width x height pixels. Where there is less room it scrolls rather than let text fall below 9 px."""
    body = "".join(parts)
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', body)]
    least = math.ceil(width * LEAST / min(sizes)) if sizes else 0
    head = f'viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head} style="min-width:{min(least, width):.0f}px">{body}</svg>'


def label(
    x: float, y: float, text: str, colour: str = "ink", size: float = 14, anchor: str = "middle", bold: bool = False
) -> str:
    """Lines of text whose middle is at height y; ``anchor`` start, middle or end says which part is at x."""
    lines = text.split("\n")
    top = y - (len(lines) - 1) * size * 0.65
    weight = ' font-weight="600"' if bold else ""
    return "".join(
        f'<text x="{_n(x)}" y="{_n(top + row * size * 1.3 + size * 0.35)}" text-anchor="{anchor}"'
        f' font-size="{_n(size)}" font-family="{FONTS["text"]}" fill="{_colour(colour)}"{weight}>'
        f"{_set(line, size)}</text>"
        for row, line in enumerate(lines)
    )


def box(
    x: float, y: float, width: float, height: float, text: str = "", colour: str = "ink",
    size: float = 14, fill: float = 0.1, dashed: bool = False, round_by: float = 6,
) -> str:  # fmt: skip
    """A rectangle with its upper left corner at (x, y) and a text in its middle. fill: from 0, empty, to 1."""
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    shape = (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(round_by)}"'
        f' fill="{_colour(colour)}" fill-opacity="{_n(fill)}" stroke="{_colour(colour)}" stroke-width="1.4"{dashes}/>'
    )
    return shape + (label(x + width / 2, y + height / 2, text, "ink", size) if text else "")


def circle(x: float, y: float, radius: float, text: str = "", colour: str = "ink", fill: float = 0.1) -> str:
    """A circle around (x, y), such as an operation's node."""
    shape = (
        f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{_colour(colour)}" fill-opacity="{_n(fill)}"'
        f' stroke="{_colour(colour)}" stroke-width="1.4"/>'
    )
    return shape + (label(x, y, text) if text else "")


def line(*points: Point, colour: str = "faint", dashed: bool = False, thick: float = 1.5) -> str:
    """A line through the points."""
    return _path("M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points), colour, dashed, thick)


def arrow(
    *points: Point, colour: str = "faint", dashed: bool = False, bend: float = 0, thick: float = 1.5, text: str = ""
) -> str:
    """An arrow through the points to the last of them; with two points, ``bend`` pixels to the left of its way.

    ``text`` stands beside the middle of its first stretch, to the left of its way.
    """
    (x1, y1), (x2, y2) = points[0], points[1]
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    left = ((y2 - y1) / length, (x1 - x2) / length)
    middle = ((x1 + x2) / 2 + left[0] * bend, (y1 + y2) / 2 + left[1] * bend)
    before = middle if bend else points[-2]
    (ex, ey), away = points[-1], math.hypot(points[-1][0] - before[0], points[-1][1] - before[1]) or 1.0
    ux, uy = (ex - before[0]) / away, (ey - before[1]) / away
    neck = (ex - ux * HEAD * 0.8, ey - uy * HEAD * 0.8)
    if bend:
        way = f"M{_n(x1)} {_n(y1)}Q{_n(middle[0])} {_n(middle[1])} {_n(neck[0])} {_n(neck[1])}"
    else:
        way = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in (*points[:-1], neck))
    wide = HEAD * 0.45
    corners = ((ex, ey), (ex - ux * HEAD - uy * wide, ey - uy * HEAD + ux * wide),
               (ex - ux * HEAD + uy * wide, ey - uy * HEAD - ux * wide))  # fmt: skip
    head = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in corners) + "Z"
    beside = ""
    if text:
        away_by = bend / 2 + (10 if bend >= 0 else -10)
        at = ((x1 + x2) / 2 + left[0] * away_by, (y1 + y2) / 2 + left[1] * away_by)
        anchor = "middle" if abs(left[0]) < 0.5 else "start" if left[0] * away_by > 0 else "end"
        beside = label(*at, text, colour, 13, anchor)
    return _path(way, colour, dashed, thick) + f'<path d="{head}" fill="{_colour(colour)}"/>' + beside


def cells(
    x: float, y: float, rows: Sequence[Sequence[str]], size: float = 30, colour: str = "ink",
    shades: Sequence[Sequence[float]] | None = None, text_size: float = 13,
) -> str:  # fmt: skip
    """A grid of square cells with its upper left corner at (x, y), a text in each; shades from 0 to 1 fill them."""
    found = []
    for i, row in enumerate(rows):
        for j, text in enumerate(row):
            shade = shades[i][j] if shades is not None else 0.08
            found.append(box(x + j * size, y + i * size, size, size, "", colour, fill=shade * 0.75, round_by=2))
            if text:
                ink = "paper" if shade > 0.7 else "ink"
                found.append(label(x + (j + 0.5) * size, y + (i + 0.5) * size, text, ink, text_size))
    return "".join(found)


def brace(first: Point, last: Point, text: str = "", colour: str = "faint", size: float = 13) -> str:
    """A curly brace from one point to another, with its tip and text to the left of that way."""
    (x1, y1), (x2, y2) = first, last
    length, bow = math.hypot(x2 - x1, y2 - y1) or 1.0, 7.0
    u, left = ((x2 - x1) / length, (y2 - y1) / length), ((y2 - y1) / length, (x1 - x2) / length)

    def at(along: float, aside: float) -> str:
        return f"{_n(x1 + u[0] * along + left[0] * aside)} {_n(y1 + u[1] * along + left[1] * aside)}"

    half = length / 2
    way = (
        f"M{at(0, 0)}Q{at(0, bow)} {at(bow, bow)}L{at(half - bow, bow)}Q{at(half, bow)} {at(half, 2 * bow)}"
        f"Q{at(half, bow)} {at(half + bow, bow)}L{at(length - bow, bow)}Q{at(length, bow)} {at(length, 0)}"
    )
    anchor = "middle" if abs(left[0]) < 0.5 else "start" if left[0] > 0 else "end"
    away = 2 * bow + (10 if anchor == "middle" else 5)
    where = ((x1 + x2) / 2 + left[0] * away, (y1 + y2) / 2 + left[1] * away)
    return _path(way, colour) + (label(*where, text, colour, size, anchor) if text else "")


def standalone(svg: str) -> str:
    """The same diagram for where no page is around it: colours by themselves, on paper of its own."""
    plain = re.sub(r"var\(--[\w-]+, ([^)]*)\)", r"\1", svg)
    paper = f'<rect width="100%" height="100%" rx="6" fill="{COLOURS["paper"][1]}"/>'
    return re.sub(r"(<svg[^>]*>)", lambda found: found[1] + paper, plain, count=1)


def drawn(folder: Path) -> dict[str, str]:
    """The diagrams of a lesson's folder by name: what the functions of its ``diagrams.py`` return."""
    file = folder / "diagrams.py"
    if not file.exists():
        return {}
    spec = importlib.util.spec_from_file_location(f"{folder.name}_diagrams", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    functions = [one for one in vars(module).values() if inspect.isfunction(one) and one.__module__ == module.__name__]
    return {one.__name__: one() for one in functions if not one.__name__.startswith("_")}


def _n(number: float) -> str:
    """A number as short as a tenth of a pixel allows."""
    return f"{number:.2f}".rstrip("0").rstrip(".") if abs(number) < 1 else f"{number:.1f}".removesuffix(".0")


def _colour(name: str) -> str:
    variable, plain = COLOURS[name]
    return f"var({variable}, {plain})"


def _path(way: str, colour: str, dashed: bool = False, thick: float = 1.5) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    stroke = f'stroke="{_colour(colour)}" stroke-width="{_n(thick)}" stroke-linejoin="round"{dashes}'
    return f'<path d="{way}" fill="none" {stroke}/>'


def _set(text: str, size: float) -> str:
    """A line of text as tspans, its ``$...$`` as formulas."""
    parts = []
    for position, part in enumerate(text.split("$")):
        parts.append(_formula(part, size) if position % 2 else escape(part))
    return "".join(parts)


def _formula(text: str, size: float) -> str:
    """Letters slanted; what follows ``_`` lower and ``^`` higher, and smaller."""
    found, raised = [], 0.0
    for mark, some in re.findall(r"([_^]?)(\{[^}]*\}|[^_^{}])", text):
        height = {"_": 0.25, "^": -0.4}.get(mark, 0.0) * size
        shift = f' dy="{_n(height - raised)}"' if height != raised else ""
        small = f' font-size="{_n(max(size * SMALL, 9.5))}"' if mark else ""
        for piece in re.findall(r"[A-Za-zα-ωΑ-Ω]+|[^A-Za-zα-ωΑ-Ω]+", some.strip("{}")):
            slant = ' font-style="italic"' if piece.isalpha() else ""
            found.append(f'<tspan font-family="{FONTS["formula"]}"{slant}{small}{shift}>{escape(piece)}</tspan>')
            shift = ""
        raised = height
    if raised:
        found.append(f'<tspan dy="{_n(-raised)}">\u200b</tspan>')
    return "".join(found)
