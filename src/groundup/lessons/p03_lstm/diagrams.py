"""The cell, and the way of its gradient, drawn."""

from groundup.diagrams import GRADIENT, arrow, box, circle, diagram, label, line


def cell() -> str:
    """One step: the cell runs along the top, past a gate that keeps and a gate that adds; below, h is read from it."""
    parts = [
        label(22, 60, "$c_{t-1}$", "ink", 16),
        arrow((44, 60), (160, 60), colour="ink", thick=2.5),
        circle(176, 60, 16, "×"),
        arrow((192, 60), (330, 60), colour="ink", thick=2.5),
        circle(346, 60, 16, "+"),
        arrow((362, 60), (600, 60), colour="ink", thick=2.5),
        label(626, 60, "$c_t$", "ink", 16),
        circle(346, 130, 16, "×"),
        arrow((346, 114), (346, 76), colour="ink"),
        line((480, 60), (480, 92), colour="ink"),
        box(452, 92, 56, 28, "tanh", "faint", 13),
        arrow((480, 120), (480, 154), colour="ink"),
        circle(480, 170, 16, "×"),
        arrow((496, 170), (600, 170), colour="ink"),
        label(626, 170, "$h_t$", "ink", 16),
        box(146, 222, 60, 34, "$f$", "blue", 16),
        box(282, 222, 60, 34, "$i$", "blue", 16),
        box(362, 222, 60, 34, "$g$", "orange", 16),
        box(450, 222, 60, 34, "$o$", "blue", 16),
        arrow((176, 222), (176, 76), colour="blue"),
        arrow((312, 222), (312, 130), (330, 130), colour="blue"),
        arrow((392, 222), (392, 130), (362, 130), colour="orange"),
        arrow((480, 222), (480, 186), colour="blue"),
        label(176, 20, "keep", "blue", 13),
        label(346, 20, "add", "blue", 13),
        label(562, 154, "read", "blue", 13),
        label(22, 300, "$x_t, h_{t-1}$", "ink", 16, "start"),
        line((92, 300), (480, 300), colour="faint"),
        *(arrow((x, 300), (x, 256), colour="faint") for x in (176, 312, 392, 480)),
    ]
    return diagram(660, 318, *parts)


def carousel() -> str:
    """Four steps back: in the plain network a matrix and a slope at each, in a sum nothing but 1."""
    parts = []
    for row, (name, state, factor, colour) in enumerate(
        (("plain", "h", "$U^T(1 - h^2)$", "faint"), ("sum", "c", "1", "blue"))
    ):
        y = 40 + 96 * row
        parts.append(label(8, y, name, "ink", 14, "start", bold=True))
        for step in range(4):
            x = 110 + 150 * step
            parts.append(circle(x, y, 20, f"${state}_{step + 1}$"))
            if step < 3:
                parts += [
                    arrow((x + 130, y), (x + 20, y), colour=GRADIENT, dashed=True),
                    label(x + 75, y - 16, f"× {factor}", colour, 13),
                ]
    return diagram(610, 170, *parts)
