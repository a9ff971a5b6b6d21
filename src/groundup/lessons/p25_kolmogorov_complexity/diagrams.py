"""A machine that prints, the budget of a prefix code, and the tree of all programs, drawn."""

from groundup.diagrams import GRADIENT, arrow, box, brace, cells, circle, diagram, label, line


def machine() -> str:
    """A program goes in, a string comes out; K is the length of the shortest one that does it."""
    parts = []
    for place, (program, length) in enumerate(
        (("shortest program", 92), ("another one", 146), ("print it bit by bit", 216))
    ):
        y = 20 + 48 * place
        best = place == 0
        parts += [
            box(236 - length, y, length, 34, program if length > 100 else "shortest", "blue" if best else "faint", 13),
            arrow((236, y + 17), (300, 76 + 5 * (place - 1)), colour="blue" if best else "faint"),
        ]
    parts += [
        box(304, 44, 104, 64, "machine $U$", "ink", 15),
        arrow((408, 76), (450, 76), colour="ink"),
        cells(454, 62, [list("01010101")], 28, "green", None, 14),
        label(566, 112, "the string $x$", "green", 13),
        label(134, 36, "$K_U(x)$ bits", "blue", 14, "end"),
    ]  # fmt: skip
    return diagram(690, 164, *parts)


def budget() -> str:
    """Kraft's inequality: every word owns an interval, and there is only one unit to share."""
    parts = [label(20, 20, "each word $w$ owns $2^{−|w|}$ of the unit interval", "faint", 13, "start")]
    x = 20.0
    for word, share, colour in (
        ("0", 0.5, "blue"),
        ("10", 0.25, "orange"),
        ("110", 0.125, "green"),
        ("111", 0.125, "red"),
    ):
        width = 640 * share
        parts += [
            box(x, 40, width, 44, word, colour, 16, 0.18, round_by=2),
            label(x + width / 2, 104, {0.5: "1/2", 0.25: "1/4", 0.125: "1/8"}[share], "ink", 14),
        ]
        x += width
    return diagram(680, 120, *parts)


def tape() -> str:
    """The tape machine: code that it reads bit by bit, a tape of numbers, a head, and what is printed."""
    code = ["+", "[", ".", "−", ".", "]", ".", "]"]  # prints 1, 0, 0
    return diagram(
        690, 226,
        label(14, 42, "program", "blue", 13, "start"),
        cells(90, 26, [code], 32, "blue", [[0.1] * 3 + [0.5] + [0.1] * 4], 15),
        arrow((202, 90), (202, 62), colour="blue"),
        label(216, 80, "instruction: subtract 1 from the cell under the head", "faint", 13, "start"),
        brace((122, 24), (282, 24), ""),
        label(14, 140, "tape", "ink", 13, "start"),
        cells(90, 122, [["0", "0", "1", "0", "0", "0", "0"]], 36, "ink", [[0.05] * 2 + [0.35] + [0.05] * 4], 15),
        label(76, 140, "…", "ink", 16),
        label(352, 140, "…", "ink", 16),
        circle(180, 186, 15, "", "red", 0.25),
        arrow((180, 172), (180, 160), colour="red"),
        arrow((160, 186), (128, 186), colour="faint"),
        arrow((200, 186), (232, 186), colour="faint"),
        label(248, 186, "head: moves with > and <", "faint", 13, "start"),
        arrow((400, 140), (470, 140), colour="green", text="prints"),
        cells(478, 124, [["1", "", "", ""]], 32, "green", None, 15),
        label(542, 172, "output, never taken back", "faint", 13),
    )  # fmt: skip


def programs() -> str:
    """The tree of all bit strings: a branch ends where the machine stops, is proven to loop, or is given up."""
    parts = []
    nodes = {"": (345.0, 22.0)}
    for word in ("0", "1", "00", "01", "10", "11", "000", "001", "010", "011", "110", "111"):
        x, y = nodes[word[:-1]]
        spread = {1: 160, 2: 80, 3: 40}[len(word)]
        nodes[word] = (x + (spread if word[-1] == "1" else -spread), y + 50)
        parts += [
            line((x, y), nodes[word], colour="faint"),
            label((x + nodes[word][0]) / 2 + (9 if word[-1] == "1" else -9), y + 22, word[-1], "faint", 12),
        ]
    ends = {"10": ("halts", "green"), "000": ("halts", "green"), "001": ("loops", GRADIENT), "010": ("halts", "green"),
            "011": ("undecided", "orange"), "110": ("wants more", "faint"), "111": ("loops", GRADIENT)}  # fmt: skip
    for word, (x, y) in nodes.items():
        verdict, colour = ends.get(word, ("", "ink"))
        parts.append(circle(x, y, 7, "", colour, 0.9 if verdict else 0.2))
        if verdict:
            lower = word in ("001", "011", "111")
            parts.append(label(x, y + (36 if lower else 20), verdict, colour, 13))
    return diagram(690, 222, *parts)


def groups() -> str:
    """How the interpreter keeps a string on the tape: symbol, spare cell and mark, three cells for each symbol."""
    parts = [label(14, 62, "tape", "ink", 13, "start")]
    marks = (("K", "2", "goes"), ("0", "1", "stays"), ("1", "2", "goes"))
    for place, (symbol, mark, fate) in enumerate(marks):
        x = 90 + 132 * place
        shades = [[0.35, 0.05, 0.2]]
        parts += [
            cells(x, 44, [[symbol, "", mark]], 36, "blue", shades, 15),
            label(x + 18, 28, "symbol", "blue", 12),
            label(x + 90, 28, "mark", "faint", 12),
            label(x + 54, 104, fate, "green" if fate == "stays" else "faint", 13),
        ]
    parts.append(label(498, 62, "…", "ink", 16))
    return diagram(520, 122, *parts)
