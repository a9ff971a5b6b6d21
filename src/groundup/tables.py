"""Tables that lose nothing on narrow terminals: columns where they fit, and otherwise a few lines for each row.

Cells are broken at spaces alone. Only a word that is longer than a whole line is broken inside.
"""

import re
import textwrap
from collections.abc import Collection, Sequence

from rich.cells import cell_len
from rich.console import Console, Group
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

GAP = 2  # spaces between columns
SHORT = 16  # cells of up to so many characters are never broken: numbers, names, "4 of 4"


def laid_out(
    header: Sequence[str], rows: Sequence[Sequence[str | Text]], width: int, right: Collection[str] = ()
) -> Table | Group:
    """A table for lines of ``width`` characters; the columns named in ``right`` are aligned there.

    A row of fewer cells than the header is a heading for the rows that follow.
    """
    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    widths = column_widths(header, cells, width, names_whole=True) or column_widths(header, cells, width)
    if widths is None:
        return _blocks(header, cells, width)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0), show_header=any(header))
    for name, size in zip(header, widths, strict=True):
        head = "\n".join(textwrap.wrap(name, size, break_on_hyphens=False))
        table.add_column(head, width=size, justify="right" if name in right else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    return table


def column_widths(
    header: Sequence[str], rows: Sequence[Sequence[Text]], width: int, names_whole: bool = False
) -> list[int] | None:
    """How wide each column is when all stand side by side in ``width``; None if words would have to be broken.

    With ``names_whole`` nothing in the first column is broken at all.
    """
    wanted, widths = [], []
    for place, name in enumerate(header):
        cells = [row[place].plain for row in rows if place < len(row)]
        whole = [cell for cell in cells if cell_len(cell) <= SHORT or (names_whole and place == 0)]
        words = [word for text in (name, *cells) for word in re.findall(r"^\s*\S+|\S+", text)]
        wanted.append(max(map(cell_len, [*cells, *words])))
        widths.append(max([1, *map(cell_len, [*whole, *words]), SHORT if len(whole) < len(cells) else 0]))
    spare = width - sum(widths) - GAP * (len(header) - 1)
    if spare < 0:
        return None
    while spare:  # one character more for the column that takes the most lines
        place = max(range(len(widths)), key=lambda place: wanted[place] / widths[place])
        if wanted[place] <= widths[place]:
            break
        widths[place], spare = widths[place] + 1, spare - 1
    for place, name in enumerate(header):  # then for headings
        more = min(max(0, cell_len(name) - widths[place]), spare)
        if widths[place] + more >= cell_len(name):
            widths[place], spare = widths[place] + more, spare - more
    return widths


def _blocks(header: Sequence[str], rows: Sequence[Sequence[Text]], width: int) -> Group:
    """Each row as its first cell on a line, and below it the others, each after the name of its column."""
    lines: list[Text | Padding] = [Text(header[0], "bold")] if header[0] else []
    for row in rows:
        if len(row) < len(header):
            lines.append(Text("  ").join(row))
            continue
        lines.append(row[0])
        indent = len(row[0].plain) - len(row[0].plain.lstrip()) + 2
        named = zip(header[1:], row[1:], strict=True)
        fields = [Text.assemble((f"{name}: " if name else "", "dim"), cell) for name, cell in named if cell.plain]
        lines += [Padding(line, (0, 0, 0, indent), expand=False) for line in _flow(fields, width - indent)]
    return Group(*lines)


def _flow(fields: Sequence[Text], width: int) -> list[Text]:
    """Fields one after the other, on as few lines as hold them whole."""
    lines: list[Text] = []
    for field in fields:
        if lines and lines[-1].cell_len + 3 + field.cell_len <= width:
            lines[-1] = Text.assemble(lines[-1], "; ", field)
        else:
            lines.append(field)
    return lines


def print_markdown(text: str, console: Console) -> None:
    """Markdown on a terminal, its tables laid out as above."""
    for block in re.split(r"((?:^\|.*(?:\n|\Z))+)", text, flags=re.MULTILINE):
        if block.startswith("|"):
            names, rules, *rows = ([cell.strip() for cell in _cells(line)] for line in block.splitlines())
            right = {name for name, rule in zip(names, rules, strict=True) if rule.endswith(":")}
            table = laid_out(names, [[_inline(cell) for cell in row] for row in rows], console.width, right)
            console.print("", table, "", sep="\n")
        elif block.strip():
            console.print(Markdown(block))


def _cells(line: str) -> list[str]:
    """The cells of a Markdown row; a bar after a backslash is the cell's own."""
    return [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def _inline(cell: str) -> Text:
    """A cell with its bold and its slanted pieces so."""
    styles = {"**": "bold", "*": "italic"}
    plain, *rest = re.split(r"(\*\*?)(.+?)\1", cell)
    triples = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    return Text.assemble(plain, *(part for mark, words, after in triples for part in ((words, styles[mark]), after)))
