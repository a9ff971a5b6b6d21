"""The network over time, drawn."""

from groundup.diagrams import GRADIENT, arrow, box, brace, diagram, label, line


def unrolled() -> str:
    """Four steps of one network: values go up and to the right, gradients come down and to the left."""
    parts = [label(28, 152, "$h_0$"), arrow((46, 152), (78, 152), colour="ink")]
    for step, (read, wanted) in enumerate(zip("hell", "ello", strict=True), start=1):
        x = 120 + 150 * (step - 1)
        parts += [
            box(x - 20, 236, 40, 36, read, "blue", 16),
            arrow((x, 236), (x, 176), colour="ink"),
            box(x - 42, 130, 84, 44, f"$h_{step}$", size=17),
            arrow((x - 12, 130), (x - 12, 74), colour="ink"),
            arrow((x + 12, 74), (x + 12, 130), colour=GRADIENT, dashed=True),
            box(x - 46, 36, 92, 38, f"$p_{step}$({wanted})", "green", 15),
        ]
        if step < 4:
            parts += [
                arrow((x + 42, 142), (x + 108, 142), colour="ink"),
                arrow((x + 108, 162), (x + 42, 162), colour=GRADIENT, dashed=True),
            ]
    parts += [
        label(195, 124, "$W_{hh}$", "faint", 13),
        label(138, 206, "$W_{ih}$", "faint", 13, "start"),
        label(100, 102, "$W_o$", "faint", 13, "end"),
        label(10, 254, "reads", "faint", 13, "start"),
        label(10, 55, "bets on", "faint", 13, "start"),
        arrow((120, 300), (160, 300), colour="ink"),
        label(168, 300, "values", "ink", 13, "start"),
        arrow((290, 300), (250, 300), colour=GRADIENT, dashed=True),
        label(298, 300, "gradients: from the bet, and from the next step", GRADIENT, 13, "start"),
    ]
    return diagram(660, 316, *parts)


def truncated() -> str:
    """A long text in segments: the state is carried over the cut, the gradient is not."""
    parts = []
    for place in range(8):
        x = 40 + 74 * place + (22 if place > 3 else 0)
        parts.append(box(x, 52, 46, 34, f"$h_{place + 1}$", size=15))
        if place != 7:
            end = x + (96 if place == 3 else 74)
            parts.append(arrow((x + 46, 62), (end, 62), colour="ink"))
            if place != 3:
                parts.append(arrow((end, 77), (x + 46, 77), colour=GRADIENT, dashed=True))
    parts += [
        line((334, 22), (334, 118), colour=GRADIENT, dashed=True),
        label(334, 12, "cut", GRADIENT, 13),
        brace((308, 98), (40, 98), "one segment: one step of training"),
        brace((626, 98), (358, 98), "the next one begins with $h_4$"),
    ]
    return diagram(660, 142, *parts)
