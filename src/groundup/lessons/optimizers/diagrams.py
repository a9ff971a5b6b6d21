"""Why momentum helps in a ravine, who remembers what, and how far a step may go."""

import math
from itertools import pairwise

from groundup.diagrams import GRADIENT, Point, arrow, box, circle, diagram, label, line

SLOW, FAST = "orange", "blue"


def momentum() -> str:
    """Ten steps of a walker and of a ball in the ravine of the text, each at its best rate, as they are; and what a
    memory makes of arrows that alternate and of arrows that agree."""
    middle: Point = (236, 104)
    parts = [line(*_oval(middle, 17.6 * k, 5.6 * k), colour="line") for k in (3.0, 6.0, 9.0, 11.18)]
    for beta, rate, colour in ((0.0, 1 / 13, SLOW), (4 / 9, 1 / 9, FAST)):
        (w1, w2), (v1, v2) = (10.0, 1.0), (0.0, 0.0)
        places = [(w1, w2)]
        for _ in range(10):
            v1, v2 = beta * v1 + w1, beta * v2 + 25 * w2
            w1, w2 = w1 - rate * v1, w2 - rate * v2
            places.append((w1, w2))
        points = [(middle[0] - 17.6 * a, middle[1] - 28 * b) for a, b in places]
        parts += [arrow(a, b, colour=colour, thick=2.2 if beta else 1.5) for a, b in pairwise(points)]
    parts += [
        circle(*middle, 4, "", "green", 0.9),
        label(46, 66, "start", "faint", 13),
        label(250, 22, "walker: ten steps, each across", SLOW, 13, "start"),
        label(250, 190, "ball: swings wide, then is there", FAST, 13, "start"),
        label(490, 34, "across the valley", "ink", 14, "start"),
        *(
            arrow((498 + 30 * k, 78 if k % 2 else 50), (498 + 30 * k, 50 if k % 2 else 78), colour=SLOW)
            for k in range(4)
        ),
        label(612, 64, "…", "ink", 17),
        label(634, 64, "=", "ink", 17),
        arrow((656, 72), (656, 56), colour=FAST, thick=2.2),
        label(672, 64, "half of one is left", FAST, 13, "start"),
        label(490, 120, "along the valley", "ink", 14, "start"),
        *(arrow((490 + 30 * k, 148), (512 + 30 * k, 148), colour=SLOW) for k in range(4)),
        label(616, 148, "…", "ink", 17),
        label(634, 148, "=", "ink", 17),
        arrow((650, 148), (790, 148), colour=FAST, thick=2.2),
        label(650, 172, "adds up to ten times one", FAST, 13, "start"),
    ]
    return diagram(836, 206, *parts)


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
        label(650, 139, "decay outside", "faint", 13, "start"),
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
