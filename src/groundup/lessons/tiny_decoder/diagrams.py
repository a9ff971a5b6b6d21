"""The block with its residual stream, and the causal mask, drawn."""

from groundup.diagrams import GRADIENT, KEY, QUERY, VALUE, arrow, box, cells, circle, diagram, label, line


def block() -> str:
    """The residual stream runs through; attention and MLP read from it and add to it."""
    parts = [
        box(10, 128, 88, 56, "tokens $t_p$\n$B × T$", "faint", 13),
        arrow((98, 156), (128, 156), colour="ink"),
        box(132, 128, 84, 56, "embed\n+ positions", "blue", 13),
        arrow((216, 156), (351, 156), colour="ink", thick=4),
        label(238, 138, "$x$", "ink", 16),
        circle(366, 156, 15, "+"),
        arrow((381, 156), (537, 156), colour="ink", thick=4),
        label(404, 138, "$m$", "ink", 16),
        circle(552, 156, 15, "+"),
        arrow((567, 156), (612, 156), colour="ink", thick=4),
        label(586, 138, "$y$", "ink", 16),
        box(616, 128, 62, 56, "norm,\nreadout", "green", 13),
        arrow((678, 156), (704, 156), colour="ink"),
        label(724, 156, "$z$", "ink", 16),
        label(294, 188, "residual stream, $B × T × D$", "faint", 12),
    ]
    for x, name, colour in ((244, "attention", QUERY), (430, "MLP", "ink")):
        parts += [
            arrow((x + 14, 156), (x + 14, 106), colour="faint"),
            box(x - 14, 72, 56, 34, "norm", "faint", 13),
            arrow((x + 42, 89), (x + 56, 89), colour="faint"),
            box(x + 58, 66, 98 if name == "attention" else 78, 46, name, colour, 14),
            arrow((x + 122, 112), (x + 122, 140), colour="faint"),
            label(
                x + 106, 52, "fetches from other places" if name == "attention" else "works on each place", "faint", 12
            ),
        ]
    parts += [
        arrow((604, 206), (236, 206), colour=GRADIENT, dashed=True),
        label(420, 224, "the gradient's straight way back, (12): it arrives untouched", GRADIENT, 13),
    ]
    return diagram(740, 240, *parts)


def mask() -> str:
    """Who may look at whom: each place at itself and what stands before it."""
    word = ("h", "i", ">", "i", "h")
    n = len(word)
    causal = [[0.55 if j <= i else 0.0 for j in range(n)] for i in range(n)]
    texts = [["" if j <= i else "−∞" for j in range(n)] for i in range(n)]
    parts = [
        label(155, 16, "is looked at (keys)", KEY, 13),
        *(label(85 + 34 * j + 2, 40, letter, "ink", 15) for j, letter in enumerate(word)),
        *(label(54, 73 + 34 * i, letter, "ink", 15, "end") for i, letter in enumerate(word)),
        label(4, 142, "looks", QUERY, 13, "start"),
        cells(70, 56, texts, 34, QUERY, causal, 12),
        arrow((258, 141), (322, 141)),
        label(290, 126, "softmax", "ink", 13),
    ]
    weights = [[0.9], [0.7, 0.2], [0.15, 0.25, 0.5], [0.1, 0.65, 0.15, 0.1], [0.7, 0.08, 0.08, 0.08, 0.06]]
    shades = [row + [0.0] * (n - len(row)) for row in weights]
    zeros = [["" if j <= i else "0" for j in range(n)] for i in range(n)]
    parts += [
        *(label(353 + 34 * j, 40, letter, "ink", 15) for j, letter in enumerate(word)),
        cells(336, 56, zeros, 34, QUERY, shades, 12),
        label(421, 16, "weights: each row adds up to 1", "faint", 13),
        arrow((520, 73), (556, 73), colour=VALUE),
        label(562, 73, "only itself", "faint", 13, "start"),
        arrow((520, 141), (556, 141), colour=VALUE),
        label(562, 141, "three values mixed", "faint", 13, "start"),
        arrow((520, 209), (556, 209), colour=VALUE),
        label(562, 209, "everything so far", "faint", 13, "start"),
    ]
    return diagram(704, 238, *parts)


def cache() -> str:
    """Keys and values of earlier tokens are kept; a new token brings one query, one key and one value."""
    kept = [[""] * 6]
    parts = [
        label(130, 20, "kept from earlier tokens", "faint", 13),
        label(12, 58, "keys", KEY, 13, "start"),
        label(12, 104, "values", VALUE, 13, "start"),
        cells(70, 42, kept, 32, KEY),
        cells(70, 88, kept, 32, VALUE),
        cells(262, 42, [["$k$"]], 32, KEY, [[0.45]], 14),
        cells(262, 88, [["$v$"]], 32, VALUE, [[0.45]], 14),
        line((262, 30), (262, 130), colour="faint", dashed=True),
        arrow((380, 58), (298, 58), colour=KEY),
        arrow((380, 104), (298, 104), colour=VALUE),
        label(340, 81, "append", "faint", 13),
        box(384, 42, 92, 78, "new token", "ink", 14),
        arrow((476, 81), (520, 81), colour=QUERY),
        cells(524, 65, [["$q$"]], 32, QUERY, [[0.45]], 14),
        label(540, 116, "used once,\nnot kept", "faint", 13),
        arrow((556, 81), (600, 81), colour=QUERY),
        label(606, 81, "one row of scores,\nover all keys", "faint", 13, "start"),
    ]
    return diagram(744, 140, *parts)
