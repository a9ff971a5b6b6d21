"""The window that slides, its matrix, and the network, drawn."""

from groundup.diagrams import arrow, box, brace, cells, diagram, label

PICTURE = [["1", "2", "0"], ["0", "1", "3"], ["2", "0", "1"]]


def window() -> str:
    """The filter at two of its four places, and the answer each place gives."""
    parts = []
    for left, corner, answers in ((14, (0, 0), [["3", ""], ["", ""]]), (366, (0, 1), [["3", "7"], ["", ""]])):
        shades = [
            [0.55 if 0 <= i - corner[0] < 2 and 0 <= j - corner[1] < 2 else 0.05 for j in range(3)] for i in range(3)
        ]
        at = corner[0] * 2 + corner[1]
        hits = [[0.55 if 2 * i + j == at else 0.05 for j in range(2)] for i in range(2)]
        parts += [
            cells(left, 34, PICTURE, 34, "blue", shades, 15),
            label(left + 51, 16, "picture $x$", "faint", 13),
            label(left + 120, 85, "·", "ink", 20),
            cells(left + 138, 51, [["1", "0"], ["−1", "2"]], 34, "orange", None, 15),
            label(left + 172, 16, "filter $w$", "faint", 13),
            arrow((left + 214, 85), (left + 246, 85)),
            cells(left + 252, 51, answers, 34, "green", hits, 15),
            label(left + 286, 16, "answers $y$", "faint", 13),
        ]
    parts += [
        label(180, 158, "1·1 + 2·0 + 0·(−1) + 1·2 = 3", "ink", 14),
        label(532, 158, "2·1 + 0·0 + 1·(−1) + 3·2 = 7", "ink", 14),
    ]
    return diagram(704, 176, *parts)


def columns() -> str:
    """im2col: every window becomes a row; then one matrix product gives all answers."""
    rows = [["1", "2", "0", "1"], ["2", "0", "1", "3"], ["0", "1", "2", "0"], ["1", "3", "0", "1"]]
    middle = [[0.6 if i == j == 1 else 0.1 for j in range(3)] for i in range(3)]
    copies = [[0.6 if place + column == 3 else 0.1 for column in range(4)] for place in range(4)]
    parts = [
        cells(14, 66, PICTURE, 34, "blue", middle, 15),
        label(65, 44, "picture", "faint", 13),
        arrow((124, 117), (206, 117)),
        label(164, 102, "im2col", "ink", 13),
        cells(254, 49, rows, 34, "blue", copies, 15),
        label(322, 28, "one row for each place: $X$ (4 × 4)", "faint", 13),
        *(label(244, 66 + 34 * place, f"{place + 1}", "faint", 13, "end") for place in range(4)),
        label(416, 117, "×", "ink", 17),
        cells(442, 49, [["1"], ["0"], ["−1"], ["2"]], 34, "orange", None, 15),
        label(459, 28, "$w$", "faint", 14),
        label(504, 117, "=", "ink", 17),
        cells(532, 49, [["3"], ["7"], ["−2"], ["3"]], 34, "green", None, 15),
        label(549, 28, "$y$", "faint", 14),
        arrow((570, 117), (604, 117)),
        cells(610, 83, [["3", "7"], ["−2", "3"]], 34, "green", None, 15),
        brace((390, 192), (254, 192), "the middle pixel 1 stands in every row"),
    ]  # fmt: skip
    return diagram(694, 232, *parts)


def network() -> str:
    """The small AlexNet: maps get smaller and more, then dense layers decide."""
    parts = []
    blocks = (
        (20, 110, 1, "picture", "28 × 28 × 1", "blue"),
        (170, 84, 4, "maps", "14 × 14 × 16", "orange"),
        (292, 56, 4, "pooled", "7 × 7 × 16", "orange"),
        (400, 56, 6, "maps", "7 × 7 × 32", "orange"),
        (520, 36, 6, "pooled", "4 × 4 × 32", "orange"),
    )
    for x, side, many, name, shape, colour in blocks:
        for copy in range(many):
            place = (x + 6 * copy, 96 - side / 2 + 5 * (copy - many / 2))
            parts.append(box(*place, side * 0.62, side * 0.9, "", colour, fill=0.16, round_by=2))
        middle = x + side * 0.31 + 3 * many
        parts += [label(middle, 22, name, "ink", 13), label(middle, 182, shape, "faint", 13)]
    for x1, x2, text in ((98, 162, "conv\nby 2"), (248, 286, ""), (354, 394, "conv"), (472, 514, ""), (580, 610, "")):
        parts += [arrow((x1, 96), (x2, 96))]
        parts += [label((x1 + x2) / 2, 62 if "\n" in text else 78, text, "ink", 12)] if text else []
    for x, height, name, units in ((614, 120, "dense", "128"), (666, 120, "dense", "128"), (718, 60, "scores", "10")):
        parts += [box(x, 96 - height / 2, 22, height, "", "green", fill=0.2)]
        parts += [label(x + 11, 22, name, "ink", 13), label(x + 11, 182, units, "faint", 13)]
    parts += [arrow((636, 96), (662, 96)), arrow((688, 96), (714, 96)), label(650, 204, "with dropout", "faint", 12)]
    return diagram(760, 214, *parts)


def pooling() -> str:
    """Two windows that share their winner, and the gradient that comes back to it twice."""
    row, at = ["1", "2", "5", "3", "4"], 60
    shades = [[0.05, 0.05, 0.55, 0.05, 0.05]]
    parts = [
        label(40, 77, "row", "faint", 13, "end"),
        cells(at, 60, [row], 34, "blue", shades, 15),
        brace((at + 3, 54), (at + 99, 54), "window 1"),
        brace((at + 167, 100), (at + 71, 100), "window 2"),
        arrow((at + 182, 77), (at + 228, 77)),
        label(at + 205, 60, "largest", "ink", 13),
        cells(at + 240, 60, [["5", "5"]], 34, "green", None, 15),
        label(at + 274, 40, "results", "faint", 13),
        arrow((at + 320, 77), (at + 366, 77), colour="red"),
        label(at + 343, 60, "back", "red", 13),
        cells(at + 378, 60, [["0", "0", "11", "0", "0"]], 34, "red", shades, 15),
        label(at + 463, 40, "gradient of the row", "faint", 13),
        label(at + 274, 112, "handed 10 and 1", "red", 13),
        label(at + 463, 112, "10 + 1 for the winner of both", "red", 13),
    ]
    return diagram(640, 150, *parts)
