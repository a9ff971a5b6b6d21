"""Encoder and decoder, attention's three uses, teacher forcing, and the recurrent rival, drawn."""

from groundup.diagrams import KEY, QUERY, VALUE, arrow, box, cells, diagram, label, line


def whole() -> str:
    """The paper's figure 1: encoder on the left, decoder on the right; boxes name the functions that compute them."""
    left, right, wide = 70, 430, 210

    def layer(x: float, y: float, name: str, function: str, colour: str) -> str:
        norm = box(x + 26, y - 28, wide - 52, 24, "add_and_norm (5)", "faint", 12, 0.05)
        past = arrow((x + wide / 2, y + 54), (x - 11, y + 54), (x - 11, y - 16), (x + 25, y - 16))
        return past + box(x, y, wide, 46, f"{name}\n{function}", colour, 13) + norm

    middle_left, middle_right = left + wide / 2, right + wide / 2
    return diagram(
        730, 540,
        label(middle_left, 14, "encode: reads all at once", "ink", 14, bold=True),
        label(middle_right, 14, "decode: writes one by one", "ink", 14, bold=True),
        box(left - 22, 186, wide + 44, 204, "", "faint", fill=0.03, dashed=True),
        box(right - 22, 98, wide + 44, 302, "", "faint", fill=0.03, dashed=True),
        label(left - 16, 200, "encoder_layer", "faint", 12, "start"),
        label(right - 16, 112, "decoder_layer", "faint", 12, "start"),
        box(left, 488, wide, 34, "3rd of March 1999", "blue", 14),
        box(right, 488, wide, 34, "<start>1999-0", "blue", 14),
        arrow((middle_left, 488), (middle_left, 470), colour="ink"),
        arrow((middle_right, 488), (middle_right, 470), colour="ink"),
        box(left, 424, wide, 46, "embedding + positions (7)\nembed", "ink", 13),
        box(right, 424, wide, 46, "embedding + positions (7)\nembed", "ink", 13),
        arrow((middle_left, 424), (middle_left, 384), colour="ink"),
        arrow((middle_right, 424), (middle_right, 392), colour="ink"),
        layer(left, 338, "self-attention (3)", "multi_head_attention", QUERY),
        arrow((middle_left, 310), (middle_left, 288), colour="ink"),
        layer(left, 242, "feed-forward (9)", "feed_forward", "ink"),
        layer(right, 346, "causal self-attention (3)", "multi_head_attention", QUERY),
        arrow((middle_right, 318), (middle_right, 292), colour="ink"),
        layer(right, 246, "cross-attention (3)", "multi_head_attention", KEY),
        arrow((middle_right, 218), (middle_right, 198), colour="ink"),
        layer(right, 152, "feed-forward (9)", "feed_forward", "ink"),
        arrow((middle_right, 124), (middle_right, 82), colour="ink"),
        box(right, 36, wide, 46, "logits $B × T × V$\nlinear, with the rows of E", "green", 13),
        line((middle_left, 214), (middle_left, 150), (354, 150), colour=KEY, thick=3),
        arrow((354, 150), (354, 269), (right - 1, 269), colour=KEY, thick=3),
        label(middle_left, 130, "memory $B × S × D$", KEY, 13),
        label(348, 226, "keys,\nvalues", KEY, 12, "end"),
        label(middle_right + 8, 305, "queries", QUERY, 12, "start"),
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


def forcing() -> str:
    """Teacher forcing: the right answer is given, and wanted one place further on."""
    size, x, first, second = 44, 110, 10, 106
    given, wanted = ["", *"1999-03-03"], [*"1999-03-03", ""]
    parts = [
        label(x - 14, first + size / 2, "is given", QUERY, 14, "end"),
        label(x - 14, second + size / 2, "is wanted", VALUE, 14, "end"),
        cells(x, first, [given], size, QUERY, text_size=16),
        cells(x, second, [wanted], size, VALUE, text_size=16),
        label(x + size / 2, first + size / 2, "start", "ink", 13),
        label(x + 10.5 * size, second + size / 2, "end", "ink", 13),
    ]
    for place in range(11):
        middle = x + (place + 0.5) * size
        parts.append(arrow((middle, first + size), (middle, second - 2)))
        if place < 10:
            parts.append(line((middle, second), (middle + size, first + size), dashed=True))
    return diagram(x + 11 * size + 16, 160, *parts)


def rival() -> str:
    """The LSTM with attention: two chains that read, one that writes; every arrow along a chain is a wait."""
    wide, high, gap, left, right = 54, 34, 74, 24, 420
    text, written = ["M", "a", "y", "…"], ["<start>", "1", "9"]
    parts = [
        label(left + 1.5 * gap + wide / 2, 14, "reads, in both directions", "ink", 14, bold=True),
        label(right + gap + wide / 2, 14, "writes", "ink", 14, bold=True),
    ]
    for j, character in enumerate(text):
        x = left + j * gap
        parts += [
            box(x - 4, 34, wide + 8, 2 * high + 22, "", KEY, fill=0.05, dashed=True),
            box(x, 42, wide, high, "LSTM", VALUE, 13),
            box(x, 84, wide, high, "LSTM", VALUE, 13),
            box(x, 172, wide, 30, character, "blue", 15),
            arrow((x + wide / 2, 172), (x + wide / 2, 126)),
        ]
        if j:
            parts += [
                arrow((x - gap + wide, 101), (x - 1, 101), colour="ink"),
                arrow((x, 59), (x - gap + wide + 1, 59), colour="ink"),
            ]
    end, low = left + 4 * gap - 16, 154
    parts += [
        label(end + 8, 66, "memory\n$m_1$ to $m_4$", KEY, 13, "start"),
        line((end, 100), (end + 40, 100), (end + 40, low), (right + 2 * gap + 42, low), colour=KEY),
    ]
    for t, character in enumerate(written):
        x = right + t * gap
        parts += [
            box(x, 42, wide, high, "LSTM", QUERY, 13),
            box(x + 30, 108, 24, 24, "$c$", KEY, 13),
            box(x, 172, wide, 30, character, "blue", 13),
            arrow((x + 14, 172), (x + 14, 77)),
            arrow((x + 42, low), (x + 42, 133), colour=KEY),
            arrow((x + 42, 108), (x + 42, 77), colour=KEY),
            arrow((x + wide / 2, 42), (x + wide / 2, 26)),
        ]
        if t:
            parts += [
                arrow((x - gap + wide, 59), (x - 1, 59), colour="ink"),
                arrow((x - gap + wide, 70), (x + 29, 112), colour=QUERY, dashed=True),
            ]
    parts.append(label(right + 3 * gap - 12, 92, "asks", QUERY, 13, "start"))
    return diagram(right + 3 * gap + 26, 214, *parts)
