"""Reads the rows of tables, with their places, without holding them.

The first row is the header (RFC 4180), and says what separates the cells: a comma; tabs or
semicolons if there is no comma in it, or tabs if the name ends in .tsv. Empty lines between rows do
not count.

Example:

    for row in rows("labels.csv"):
        row.line, row.cells["Image Index"]
"""

import csv
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tfpipe.errors import DataError, RequestError, one_of, received
from tfpipe.files import Path
from tfpipe.records.sources.lines import SAVE_IT, decoded, opened

# Python's own limit is 131,072 characters; articles are longer. It is one for the whole process.
csv.field_size_limit(2**31 - 1)

Cell = str | Callable[[Mapping[str, str]], object]  # a column's name, or a function of the row
MANY = (
    '. Where each class has a column of 0 and 1, pass lambda row: "|".join(name for name in NAMES '
    'if float(row[name] or 0) == 1), with separator="|" and empty="". All that is not 1, such as '
    "CheXpert's -1 for what is uncertain, then stands for 0."
)
SWALLOWED = (
    "a quote opens a cell that holds the next rows, too. Where quotes belong to the text, write "
    "such a cell in quotes, and each quote in it twice."
)


class Row(NamedTuple):
    """One row: its first line, from 1, where its bytes start and end, and its cells by column."""

    line: int
    start: int
    end: int
    cells: dict[str, str]


def rows(path: Path, encoding: str = "utf-8", advice: str = SAVE_IT) -> Iterator[Row]:
    """The rows of a table.

    Raises:
        DataError: a row has more or fewer cells than the header, a quote is wrong (also one that
            makes a cell of several rows between tabs), or the bytes are not of this encoding.
    """
    delimiter = separator(path, encoding, advice)
    with opened(path) as file:
        lines = decoded(file, path, encoding, advice)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        header = _next(reader, path) or []
        while True:
            line, start = reader.line_num + 1, file.tell()
            cells = _next(reader, path)
            if cells is None:
                return
            if cells and len(cells) != len(header):
                raise DataError(
                    path,
                    f"line {line}: expected {len(header)} cells, as in the header, found "
                    f"{len(cells)}",
                )
            if delimiter == "\t" and reader.line_num > line and any("\t" in cell for cell in cells):
                raise DataError(path, f"line {line}: {SWALLOWED}")
            if cells:
                yield Row(line, start, file.tell(), dict(zip(header, cells, strict=True)))


def header(path: Path, encoding: str = "utf-8", advice: str = SAVE_IT) -> list[str]:
    """The names of a table's columns."""
    delimiter = separator(path, encoding, advice)
    with opened(path) as file:
        lines = decoded(file, path, encoding, advice)
        return _next(csv.reader(lines, delimiter=delimiter, strict=True), path) or []


def separator(path: Path, encoding: str = "utf-8", advice: str = SAVE_IT) -> str:
    """What stands between the cells of a table, by its name and its first line."""
    if os.fspath(path).lower().endswith(".tsv"):
        return "\t"
    with opened(path) as file:
        first = next(decoded(file, path, encoding, advice), "")
    return next((each for each in ",\t;" if each in first), ",")


def parse_row(data: bytes, encoding: str, delimiter: str) -> list[str]:
    """The cells of the bytes of one row."""
    text = data.decode(encoding)
    # "\n" alone ends a line, as in a file's readline; str.splitlines knows ten more ends.
    lines = io.StringIO(text, newline="\n")
    return next(csv.reader(lines, delimiter=delimiter, strict=True))


def require_columns(path: Path, names: Sequence[str], **cells: Cell | None) -> None:
    """Checks that the columns that are named exist, once.

    Args:
        path: the table.
        names: its header.
        cells: what each argument says: a column's name, a function, or nothing.

    Raises:
        RequestError: there is none, or there are two.
    """
    for argument, cell in cells.items():
        if cell is None or callable(cell):
            continue
        if not isinstance(cell, str):
            expected = f"`{argument}` to be a column's name, or a function of the row"
            advice = MANY if argument == "label_column" else ""
            raise RequestError(f"{received(expected, **{argument: cell})}{advice}")
        if cell not in names:
            raise RequestError(f"{os.fspath(path)}: {one_of(argument, cell, names)}")
        if names.count(cell) > 1:
            raise RequestError(
                f"{os.fspath(path)}: Expected one column of the name {cell!r} (`{argument}`). "
                f"Found: {names.count(cell)}"
            )


def cell_of(row: Row, cell: Cell) -> object:
    """What a column's name, or a function, gives for a row."""
    return row.cells[cell] if isinstance(cell, str) else cell(row.cells)


def csv_column(path: Path, key: str, value: str, *, optional: bool = False) -> dict[str, str]:
    """Two columns of a table as a mapping, such as from an image's stem to its split.

    Args:
        path: the table.
        key: the column of the keys.
        value: the column of their values.
        optional: whether a table without that column of values gives an empty mapping.

    Returns:
        A dict of strings, in the order of the rows.

    Raises:
        RequestError: there is no such file or column, or two columns have its name.
        DataError: a key stands in two rows, or the table cannot be read.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "index.csv"
    >>> _ = file.write_text("stem,split\\na,train\\nb,test\\n")
    >>> csv_column(file, "stem", "split")
    {'a': 'train', 'b': 'test'}
    """
    columns = header(path)
    if optional and value not in columns:
        return {}
    require_columns(path, columns, key=key, value=value)
    found: dict[str, str] = {}
    for row in rows(path):
        if row.cells[key] in found:
            raise DataError(
                path, f"line {row.line}: {row.cells[key]!r} stands in an earlier row too"
            )
        found[row.cells[key]] = row.cells[value]
    return found


def _next(reader: Any, path: Path) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        why = next((why for part, why in _WHY.items() if part in str(error)), f"{error}")
        raise DataError(path, f"line {reader.line_num}: {why}") from None


# By what Python's message holds: it differs from one version to the next.
_WHY = {
    "expected after": (
        "expected a cell to end with its closing quote; a quote in a cell is written twice"
    ),
    "unexpected end": "expected a closing quote, found the end of the file",
    "new-line": (
        "found a carriage return without a line feed; save the table with a line feed at the end "
        "of each line"
    ),
}
