"""Attention, drawn: queries blue, keys orange, values green."""

from groundup.diagrams import KEY, QUERY, VALUE, arrow, box, brace, cells, circle, diagram, label, line


def average() -> str:
    """Equation (1): one new word is a mixture of all the words."""
    parts = [label(40, 68, "words", "faint", 13), label(40, 218, "new words", "faint", 13)]
    shades, weights = ([0.6, 0.05, 0.35, 0.15], [0.05, 0.6, 0.05, 0.2], [0.35, 0.05, 0.6, 0.1]), (0.22, 0.59, 0.19)
    for place, (word, thick) in enumerate(zip(("cat", "chases", "mouse"), (2.2, 4.6, 1.9), strict=True)):
        x = 100 + 180 * place
        parts += [
            label(x + 65, 22, word, size=15),
            cells(x, 40, [["", "", "", ""]], 32, VALUE, [shades[place]]),
            label(x + 65, 88, f"$x_{place + 1}$"),
            arrow((x + 65, 102), (345, 186), colour=QUERY, thick=thick),
            label((x + 65 + 345) / 2 + (-24, 20, 40)[place], 142, f"$a_{{2{place + 1}}}$", QUERY),
        ]
    parts += [
        cells(
            281,
            190,
            [["", "", "", ""]],
            32,
            VALUE,
            [[sum(w * row[c] for w, row in zip(weights, shades, strict=True)) for c in range(4)]],
        ),
        label(345, 238, "$y_2 = a_{21} x_1 + a_{22} x_2 + a_{23} x_3$", size=15),
    ]
    return diagram(640, 256, *parts)


def library() -> str:
    """One query, compared with every key, makes weights; the values are mixed by them."""
    parts = [
        label(72, 24, "query\nwhat I look for", QUERY, 13),
        label(252, 24, "keys\nfound under", KEY, 13),
        label(404, 24, "weights: softmax\nadd up to 1", "faint", 13),
        label(528, 24, "values\nhanded over", VALUE, 13),
        box(26, 132, 92, 42, "$q_2$ chases", QUERY),
    ]
    for place, (word, weight) in enumerate(zip(("cat", "chases", "mouse"), (0.9, 0.12, 0.12), strict=True)):
        y = 64 + 68 * place
        parts += [
            arrow((118, 153), (200, y + 21), colour=QUERY),
            box(204, y, 96, 42, f"$k_{place + 1}$ {word}", KEY),
            arrow((300, y + 21), (380, y + 21), text=f"$q_2·k_{place + 1}$"),
            cells(384, y + 1, [[f"$a_{{2{place + 1}}}$"]], 40, QUERY, [[weight]]),
            line((424, y + 21), (478, y + 21), colour="faint"),
            box(480, y, 96, 42, f"$v_{place + 1}$ {word}", VALUE),
            arrow((576, y + 21), (640, 153 + 6 * (place - 1)), colour=VALUE, thick=1.2 + 3 * weight),
        ]
    parts += [
        circle(656, 153, 15, "+", VALUE),
        arrow((671, 153), (700, 153), colour=VALUE),
        label(716, 153, "$y_2$", VALUE, 17),
    ]
    return diagram(740, 262, *parts)


def heads() -> str:
    """The width is cut into heads; each attends by itself; the results stand side by side and are mixed."""
    parts = [
        box(14, 92, 70, 88, "$X$\n$T × D$", size=15),
        brace((140, 38), (244, 38), "$D$: two heads of $D/2$"),
    ]
    for place, (name, colour) in enumerate((("Q", QUERY), ("K", KEY), ("V", VALUE))):
        y = 42 + 74 * place
        parts += [
            arrow((84, 136), (136, y + 26)),
            box(140, y, 52, 52, f"${name}_1$", colour, 15, 0.22, round_by=2),
            box(192, y, 52, 52, f"${name}_2$", colour, 15, 0.06, round_by=2),
        ]
    for head in (1, 2):
        y = 50 + 98 * (head - 1)
        parts += [
            *(arrow((244, 68 + 74 * place), (302, y + 30), colour=(QUERY, KEY, VALUE)[place]) for place in range(3)),
            box(
                306,
                y,
                178,
                62,
                f"softmax($Q_{head}K_{head}^⊤$/$√d$) $V_{head}$\n$d = D/2$",
                "ink",
                14,
                0.22 if head == 1 else 0.06,
            ),
            arrow((484, y + 31), (520, 136), colour=VALUE),
        ]
    parts += [
        box(524, 110, 44, 52, "$Y_1$", VALUE, 15, 0.22, round_by=2),
        box(568, 110, 44, 52, "$Y_2$", VALUE, 15, 0.06, round_by=2),
        label(568, 178, "$T × D$", "faint", 13),
        arrow((612, 136), (664, 136), text="$W_o$"),
        label(690, 136, "output\n$T × D$", size=14),
    ]
    return diagram(730, 260, *parts)


def tiles() -> str:
    """Four devices hold a quarter of the keys each and report three things; reports merge in any order."""
    parts = [label(14, 40, "keys and values", "faint", 13, "start")]
    for device in range(4):
        x = 130 + 140 * device
        parts += [
            cells(x, 26, [["", "", "", ""]], 28, KEY, [[0.35, 0.35, 0.15, 0.15]]),
            arrow((x + 56, 56), (x + 56, 84)),
            box(x - 4, 86, 120, 52, f"device {device + 1}\n$m$, $ℓ$, $w$", size=14),
            arrow((x + 56, 138), (186 + 280 * (device // 2) + 70, 176)),
        ]
    for pair in range(2):
        parts += [
            box(206 + 280 * pair, 178, 100, 34, "merge"),
            arrow((256 + 280 * pair, 212), (396, 240)),
        ]
    parts += [box(346, 242, 100, 34, "merge"), arrow((446, 259), (500, 259)), label(545, 259, "$y = w/ℓ$", size=15)]
    return diagram(690, 286, *parts)
