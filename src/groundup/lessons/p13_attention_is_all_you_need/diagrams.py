"""Encoder and decoder, and attention's three uses, drawn."""

from groundup.diagrams import KEY, QUERY, VALUE, arrow, box, cells, diagram, label, line


def whole() -> str:
    """Encoder on the left, decoder on the right, with the shapes that pass between them."""

    def layer(x: float, y: float, name: str, colour: str) -> str:
        return box(x, y, 200, 40, name, colour, 14) + box(x + 30, y - 26, 140, 22, "add, normalise", "faint", 12, 0.05)

    left, right = 70, 420
    return diagram(
        700, 470,
        label(left + 100, 16, "encoder: reads all at once", "ink", 14, bold=True),
        label(right + 100, 16, "decoder: writes one by one", "ink", 14, bold=True),
        box(left - 22, 124, 244, 182, "", "faint", fill=0.03, dashed=True),
        box(right - 22, 96, 244, 276, "", "faint", fill=0.03, dashed=True),
        label(left - 47, 215, "layers", "faint", 13),
        box(left, 424, 200, 36, "3rd of March 1999", "blue", 14),
        box(right, 424, 200, 36, "1999-0", "blue", 14),
        arrow((left + 100, 424), (left + 100, 394), colour="ink"),
        arrow((right + 100, 424), (right + 100, 410), colour="ink"),
        box(left, 354, 200, 38, "embed + positions", "ink", 14),
        box(right, 382, 200, 27, "embed + positions", "ink", 13),
        arrow((left + 100, 354), (left + 100, 298), colour="ink", text="$B × S × d$"),
        arrow((right + 100, 382), (right + 100, 366), colour="ink"),
        layer(left, 258, "self-attention", QUERY),
        arrow((left + 100, 232), (left + 100, 198), colour="ink"),
        layer(left, 158, "feed-forward", "ink"),
        layer(right, 326, "self-attention, causal", QUERY),
        arrow((right + 100, 300), (right + 100, 276), colour="ink"),
        layer(right, 234, "cross-attention", KEY),
        arrow((right + 100, 208), (right + 100, 182), colour="ink"),
        layer(right, 140, "feed-forward", "ink"),
        arrow((right + 100, 114), (right + 100, 84), colour="ink"),
        box(right, 46, 200, 36, "logits $B × T × K$", "green", 14),
        line((left + 100, 132), (left + 100, 84), (345, 84), colour=KEY, thick=2),
        arrow((345, 84), (345, 254), (right - 2, 254), colour=KEY, thick=2),
        label(left + 110, 66, "memory $B × S × d$", KEY, 13, "start"),
        label(338, 170, "keys,\nvalues", KEY, 12, "end"),
        label(right + 110, 289, "queries", QUERY, 12, "start"),
    )  # fmt: skip


def uses() -> str:
    """One mechanism, three uses: who asks is blue, who answers is orange, what is forbidden is empty."""
    read, written = 5, 4
    everyone = [[0.45] * (read - 1) + [0.0] for _ in range(read)]
    so_far = [[0.45 if j <= i else 0.0 for j in range(written)] for i in range(written)]
    between = [[0.45] * (read - 1) + [0.0] for _ in range(written)]
    parts = []
    for x, name, shades, keys, queries in (
        (70, "encoder", everyone, "read", "read"),
        (310, "decoder", so_far, "written", "written"),
        (550, "between them", between, "read", "written"),
    ):
        rows, width = len(shades), len(shades[0])
        parts += [
            label(x + 15 * width, 16, name, "ink", 14, bold=True),
            label(x + 15 * width, 40, keys, KEY, 13),
            cells(x, 54, [[""] * width] * rows, 30, VALUE, shades),
            label(x - 8, 54 + 15 * rows, queries, QUERY, 13, "end"),
        ]
    parts += [
        label(145, 222, "last column: padding", "faint", 13),
        label(370, 222, "upper corner: the future", "faint", 13),
        label(625, 222, "last column: padding", "faint", 13),
    ]
    return diagram(720, 238, *parts)
