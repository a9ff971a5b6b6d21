"""Why momentum helps in a ravine, who remembers what, and how far a step may go."""

import math
from itertools import pairwise

from groundup.diagrams import GRADIENT, Point, arrow, box, circle, diagram, label, line

SLOW, FAST = "orange", "blue"


def momentum() -> str:
    """A walker and a ball in the same ravine: of arrows that alternate half of one is left, those that agree add up."""
    middle: Point = (236, 124)
    parts = [line(*_oval(middle, 52 * k, 22 * k), colour="line") for k in (0.6, 1.4, 2.4, 3.6)]
    zigzag = [(60.0, 64.0)]
    for turn in range(9):
        zigzag.append((60 + 14.0 * (turn + 1), 124 + (-1) ** turn * 52 * 0.87 ** (turn + 1)))
    parts += [arrow(a, b, colour=SLOW) for a, b in pairwise(zigzag)]
    ball = [(60.0, 64.0), (72.0, 126.0), (104.0, 150.0), (150.0, 132.0), (192.0, 116.0), (230.0, 123.0)]
    parts += [arrow(a, b, colour=FAST, thick=2.2) for a, b in pairwise(ball)]
    parts += [
        circle(236, 124, 4, "", "green", 0.9),
        label(60, 48, "start", "faint", 13),
        label(300, 26, "walker: every step across", SLOW, 13, "start"),
        label(300, 222, "ball: keeps its speed", FAST, 13, "start"),
        label(490, 44, "across the valley", "ink", 14, "start"),
        *(
            arrow((498 + 30 * k, 88 if k % 2 else 60), (498 + 30 * k, 60 if k % 2 else 88), colour=SLOW)
            for k in range(4)
        ),
        label(628, 74, "=", "ink", 17),
        arrow((652, 66), (652, 82), colour=FAST, thick=2.2),
        label(670, 74, "half of one is left", FAST, 13, "start"),
        label(490, 140, "along the valley", "ink", 14, "start"),
        *(arrow((490 + 32 * k, 170), (514 + 32 * k, 170), colour=SLOW) for k in range(4)),
        label(628, 170, "=", "ink", 17),
        arrow((644, 170), (760, 170), colour=FAST, thick=2.2),
        label(644, 194, "adds up to many times one", FAST, 13, "start"),
    ]
    return diagram(836, 240, *parts)


def _oval(middle: Point, wide: float, high: float) -> list[Point]:
    """Points around an ellipse."""
    turns = [2 * math.pi * k / 48 for k in range(49)]
    return [(middle[0] + wide * math.cos(t), middle[1] + high * math.sin(t)) for t in turns]


def family() -> str:
    """The optimisers by what they remember: nothing, the mean gradient, its mean square, or both."""
    return diagram(
        760, 250,
        label(150, 18, "no memory", "faint", 13),
        label(390, 18, "remembers gradients", FAST, 13),
        label(390, 232, "remembers squares of gradients", SLOW, 13),
        label(640, 18, "remembers both", "green", 13),
        box(60, 98, 180, 54, "gradient descent\n1847, 1951", "ink", 14),
        box(300, 34, 180, 54, "momentum 1964\nNesterov 1983", FAST, 14),
        box(300, 132, 120, 54, "Adagrad\n2011", SLOW, 14),
        box(444, 132, 108, 54, "RMSProp\n2012", SLOW, 14),
        box(592, 62, 96, 54, "Adam\n2014", "green", 14),
        box(592, 162, 96, 54, "AdamW\n2017", "green", 14),
        arrow((240, 114), (298, 72), colour="faint"),
        arrow((240, 136), (298, 158), colour="faint"),
        arrow((420, 159), (442, 159), colour="faint"),
        arrow((480, 64), (590, 80), colour="faint"),
        arrow((552, 146), (590, 108), colour="faint"),
        arrow((640, 116), (640, 160), colour="faint"),
        label(432, 206, "forgets", "faint", 13),
        label(650, 139, "decay apart", "faint", 13, "start"),
    )  # fmt: skip


def descent() -> str:
    """Steps in a bowl of one dimension, by the rate times the curvature: creeps, lands, overshoots, leaves."""
    parts = []
    for place, (factor, name) in enumerate(((0.5, "creeps"), (1.0, "lands"), (1.6, "overshoots"), (2.15, "leaves"))):
        left, w = 20 + 188 * place, 1.0
        bowl = [(left + 80 + 64 * t / 12, 128 - 84 + 84 * (1 - (t / 12) ** 2)) for t in range(-13, 14)]
        parts.append(line(*bowl, colour="line", thick=2))
        for _ in range(4 if factor != 1.0 else 1):
            after = (1 - factor) * w
            if abs(after) > 1.2:
                break
            ends = [(left + 80 + 64 * v, 128 - 84 * v * v) for v in (w, after)]
            parts.append(arrow(*ends, colour=GRADIENT))
            w = after
        parts.append(circle(left + 144, 44, 5, "", "ink", 0.9))
        parts.append(label(left + 80, 152, f"{factor:g}: {name}", "ink", 14))
    return diagram(780, 172, *parts)
