"""One table, twice: aligned text for the terminal and the log, HTML for the page.

print(text_table(["file", "bytes"], [["float32.tflite", "61.2 kB"]]))
page("Files", [("Files", html_table(["file", "bytes"], [["float32.tflite", "61.2 kB"]]))])
"""

import html
import numbers
import re
import shutil
import sys
from collections.abc import Sequence

from tfpipe.errors import RequestError, received
from tfpipe.report.words import human_number, printable

Cell = str | float

_ONE = r"[+\-−]?(?:\d[\d,]*(?:\.\d+)?(?:e[+\-]?\d+)?|inf|nan)"
_UNIT = r" ?[^\W\d_][^\W\d]*(?:/[^\W\d]+)?| ?[%×°]"
_FIGURES = re.compile(rf"{_ONE}(?:{_UNIT})?(?: {_ONE}(?:{_UNIT}))*")
_ABSENT = ("", "-", "–", "—")  # dashes are what people write for "no value"


def text_table(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, width: int | None = None
) -> str:
    """A plain-text table: columns of numbers to the right, all others to the left.

    No cell is wrapped, cut or coloured. A column counts as numbers if each of its cells is a
    number, a string such as "61.2 kB", or empty ("" or a dash).

    Args:
        columns: the headings.
        rows: one cell per heading; strings stand as they are, numbers as `human_number` has them.
        width: the places of a line; the columns beyond it stand in a table of their own below,
            after the first column again.

    Returns:
        The lines, without a line break at the end.

    Raises:
        RequestError: no columns, a row of another length, or a cell that is no string or number.

    Example:

    >>> print(text_table(["file", "size", "accuracy"], [["int8.tflite", "61.2 kB", 0.98]]))
    file            size  accuracy
    -----------  -------  --------
    int8.tflite  61.2 kB      0.98
    """
    from rich.cells import cell_len  # counts the two places of a Chinese character

    headings, lines = _shown(columns, rows)
    rights = _are_figures(len(headings), lines)
    widths = [max(map(cell_len, column)) for column in zip(headings, *lines, strict=True)]

    def line(cells: Sequence[str], part: Sequence[int]) -> str:
        pads = [" " * (widths[place] - cell_len(cells[place])) for place in part]
        placed = zip(part, pads, strict=True)
        return "  ".join(p + cells[n] if rights[n] else cells[n] + p for n, p in placed).rstrip()

    under = ["-" * width for width in widths]
    return "\n\n".join(
        "\n".join(line(cells, part) for cells in (headings, under, *lines))
        for part in _parts(widths, width)
    )


def terminal_width() -> int | None:
    """The places of a line, where a terminal shows what is printed; None of a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _parts(widths: Sequence[int], width: int | None) -> list[list[int]]:
    """The columns of each table: the first, and as many as fit beside it; one at the least."""
    parts = [[0]]
    for place in range(1, len(widths)):
        taken = sum(widths[each] + 2 for each in parts[-1]) + widths[place]
        if width is not None and taken > width and len(parts[-1]) > 1:
            parts.append([0])
        parts[-1].append(place)
    return parts


def is_table(text: str) -> bool:
    """Whether a text is such a table, to be shown in letters of one width.

    >>> is_table(text_table(["file"], [["a.tflite"]])), is_table("file ----")
    (True, False)
    """
    lines = text.split("\n")
    return len(lines) > 1 and bool(lines[1]) and not lines[1].strip("- ")


def html_table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The same table as an HTML fragment for a section of `page`; everything is escaped.

    Columns of numbers carry the class "number" (to the right, figures of equal width).

    Args:
        columns: the headings.
        rows: one cell per heading, as for `text_table`.

    Returns:
        HTML, without a line break at the end.

    Raises:
        RequestError: as `text_table` does.

    Example:

    >>> print(html_table(["class", "images"], [["<5 mm", 1200]]))
    <div class="scroll"><table>
    <thead><tr><th>class</th><th class="number">images</th></tr></thead>
    <tbody>
    <tr><td>&lt;5 mm</td><td class="number">1,200</td></tr>
    </tbody>
    </table></div>
    """
    headings, lines = _shown(columns, rows)
    rights = _are_figures(len(headings), lines)

    def line(tag: str, cells: Sequence[str]) -> str:
        opened = [f'<{tag} class="number">' if right else f"<{tag}>" for right in rights]
        placed = zip(opened, cells, strict=True)
        return f"<tr>{''.join(f'{o}{html.escape(cell)}</{tag}>' for o, cell in placed)}</tr>"

    body = "".join(f"{line('td', cells)}\n" for cells in lines)
    head = f"<thead>{line('th', headings)}</thead>"
    return f'<div class="scroll"><table>\n{head}\n<tbody>\n{body}</tbody>\n</table></div>'


def _shown(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> tuple[list[str], list[list[str]]]:
    if not len(columns):
        raise RequestError(received("`columns` to name at least one column", columns=columns))
    for index, row in enumerate(rows):
        if len(row) != len(columns):
            expected = f"`rows[{index}]` to have one cell per column, {len(columns)}"
            raise RequestError(received(expected, row=row))
    return [printable(name) for name in columns], [[_cell(cell) for cell in row] for row in rows]


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return printable(cell)
    if isinstance(cell, bool) or not isinstance(cell, numbers.Real):
        raise RequestError(received("every cell of `rows` to be a string or a number", cell=cell))
    return human_number(int(cell) if isinstance(cell, numbers.Integral) else float(cell))


def _are_figures(num_columns: int, lines: Sequence[Sequence[str]]) -> list[bool]:
    columns = [[row[index] for row in lines] for index in range(num_columns)]
    present = [[cell for cell in column if cell not in _ABSENT] for column in columns]
    return [bool(cells) and all(map(_FIGURES.fullmatch, cells)) for cells in present]
