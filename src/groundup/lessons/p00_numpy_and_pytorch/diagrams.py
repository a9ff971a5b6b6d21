"""The chain rule and the tape, drawn."""

from groundup.diagrams import GRADIENT, arrow, box, brace, cells, circle, diagram, label


def chain() -> str:
    """The smallest model as a graph, with its values going right and its gradients coming back."""
    parts = []
    steps = (("×", "6"), ("+", "7"), ("−", "2"), ("$( )^2$", "4"))
    for place, (sign, value) in enumerate(steps):
        x = 150 + 130 * place
        parts += [
            circle(x, 80, 20, sign),
            arrow((x + 20, 73), (x + (110 if place < 3 else 76), 73), colour="ink"),
            label(x + 62 - (14 if place == 3 else 0), 60, value, "ink", 15, bold=True),
            arrow((x + (110 if place < 3 else 76), 89), (x + 20, 89), colour=GRADIENT, dashed=True),
            label(
                x + 62 - (14 if place == 3 else 0),
                106,
                ("4", "4", "4", "1")[place],
                GRADIENT,
                14,
            ),
        ]
    for place, (name, value, slope) in enumerate((("w", "2", "12"), ("b", "1", "4"), ("t", "5", ""))):
        x = 150 + 130 * place
        parts += [
            box(x - 34, 160, 68, 36, f"${name}$ = {value}", "blue" if slope else "faint", 15),
            arrow((x - 8, 160), (x - 8, 101), colour="ink"),
        ]
        if slope:
            parts += [
                arrow((x + 8, 101), (x + 8, 160), colour=GRADIENT, dashed=True),
                label(x + 16, 132, slope, GRADIENT, 14, "start", bold=True),
            ]
    parts += [
        box(20, 62, 68, 36, "$x$ = 3", "faint", 15),
        arrow((88, 80), (130, 80), colour="ink"),
        box(618, 62, 44, 36, "$L$", "ink", 16),
        label(20, 26, "values go forward;", "ink", 13, "start"),
        label(148, 26, "gradients come back, each the one before times a local slope", GRADIENT, 13, "start"),
    ]
    return diagram(680, 206, *parts)


def broadcast() -> str:
    """A row that broadcasting copied is summed over the copies on the way back."""
    row = [["10", "20", "30"]]
    return diagram(
        640, 176,
        label(62, 16, "row (3)", "blue", 13),
        cells(17, 62, row, 30, "blue"),
        arrow((116, 66), (176, 52), colour="ink"),
        arrow((116, 84), (176, 108), colour="ink"),
        label(146, 30, "copied", "ink", 13),
        cells(180, 36, row, 30, "blue"),
        cells(180, 92, row, 30, "blue"),
        label(225, 16, "used twice", "faint", 13),
        label(316, 78, "its gradient:", "faint", 13),
        cells(370, 36, [["0.1", "0.2", "0.3"]], 30, GRADIENT),
        cells(370, 92, [["0.5", "0.5", "0.5"]], 30, GRADIENT),
        label(415, 16, "$dy$ (2, 3)", GRADIENT, 13),
        arrow((466, 52), (526, 68), colour=GRADIENT, dashed=True),
        arrow((466, 108), (526, 86), colour=GRADIENT, dashed=True),
        label(496, 30, "summed", GRADIENT, 13),
        cells(530, 62, [["0.6", "0.7", "0.8"]], 30, GRADIENT),
        label(575, 16, "$d$row (3)", GRADIENT, 13),
        brace((620, 140), (530, 140), "the row's shape"),
    )  # fmt: skip


def tape() -> str:
    """A list of what was computed, written downwards and read upwards."""
    rows = (
        ("h = x @ W.T", "x, W", "h"),
        ("a = relu(h)", "h", "a"),
        ("z = a @ V.T", "a, V", "z"),
        ("L = loss(z)", "z", "L"),
    )
    parts = [
        label(210, 18, "operation", "faint", 13),
        label(352, 18, "went in", "faint", 13),
        label(432, 18, "came out", "faint", 13),
        label(532, 18, "closure", "faint", 13),
    ]
    for place, (call, read, made) in enumerate(rows):
        y = 34 + 42 * place
        parts += [
            box(120, y, 180, 36, call, "ink", 14, round_by=2),
            box(304, y, 92, 36, read, "blue", 14, round_by=2),
            box(400, y, 64, 36, made, "blue", 14, round_by=2),
            box(468, y, 128, 36, "backward", GRADIENT, 14, round_by=2),
        ]
    parts += [
        arrow((96, 38), (96, 194), colour="ink"),
        label(82, 116, "forward:\nwrite\ndown", "ink", 13, "end"),
        arrow((620, 194), (620, 38), colour=GRADIENT, dashed=True),
        label(634, 116, "backward:\ncall and\nadd up", GRADIENT, 13, "start"),
    ]
    return diagram(710, 208, *parts)
