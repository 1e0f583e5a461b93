"""The numbers of a table, held in memory as float32, and windows over its series.

Example:

    values = read_numbers("motion.csv", columns=["x", "y", "z"])
"""

import array
import math
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tfpipe.errors import DataError, RequestError, received
from tfpipe.files import Path
from tfpipe.records.sources.rows import Row, header, require_columns, rows

MISSING = {"", "nan", "na", "n/a", "null", "none", "?", "-"}
LARGEST = float(np.finfo(np.float32).max)


def read_numbers(path: Path, **wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """The numbers of some columns, by the arguments that list them: float32 (rows, columns) each.

    Args:
        path: the table.
        wanted: for each argument the columns' names.

    Raises:
        RequestError: there is no such file or column, or an argument lists none.
        DataError: a cell is empty or no finite number; says where.
    """
    names = header(path)
    for argument, columns in wanted.items():
        if isinstance(columns, str) or not columns:
            raise RequestError(
                received(f"`{argument}` to list one column or more", **{argument: columns})
            )
        for column in columns:
            require_columns(path, names, **{argument: column})
    found = {argument: array.array("f") for argument in wanted}
    for row in rows(path):
        for argument, columns in wanted.items():
            found[argument].extend(_number(path, row, column) for column in columns)
    return {
        argument: np.frombuffer(numbers, np.float32).reshape(-1, len(wanted[argument]))
        for argument, numbers in found.items()
    }


class Windows(NamedTuple):
    """Windows over series: the rows in the order of their series, and where each window starts."""

    order: np.ndarray
    starts: list[int]
    length: int

    def rows(self, start: int) -> np.ndarray:
        """The rows of the window that starts there."""
        return self.order[start : start + self.length]


def as_stride(stride: int | None, window: int, horizon: int) -> int:
    """Checks the lengths, and gives the stride: that with which nothing overlaps, if None.

    >>> as_stride(None, window=48, horizon=24)
    72

    Raises:
        RequestError: a length is too small.
    """
    stride = window + horizon if stride is None else stride
    if window < 1 or stride < 1 or horizon < 0:
        expected = "`window` and `stride` to be at least 1, and `horizon` at least 0"
        raise RequestError(received(expected, window=window, stride=stride, horizon=horizon))
    return stride


def windows(path: Path, groups: Sequence[str], *, length: int, stride: int) -> Windows:
    """Cuts the series of a table into windows.

    Args:
        path: the table, for errors.
        groups: the series that each row belongs to.
        length: rows in a window; a series' last rows, where they are fewer, are in none.
        stride: rows from one window's beginning to the next one's.

    Raises:
        RequestError: all series are shorter than a window.

    Example:

    >>> found = windows("t.csv", ["a", "b", "a", "b", "a"], length=2, stride=1)
    >>> [found.rows(start).tolist() for start in found.starts]
    [[0, 2], [2, 4], [1, 3]]
    """
    first: dict[str, int] = {}
    series = [first.setdefault(group, len(first)) for group in groups]
    starts: list[int] = []
    begin = 0
    for size in np.bincount(series).tolist():
        starts += range(begin, begin + size - length + 1, stride)
        begin += size
    if not starts:
        raise RequestError(
            f"Expected a series of at least {length} rows (`window` and `horizon`) in "
            f"{os.fspath(path)!r}. All its {len(first)} series are shorter."
        )
    return Windows(np.argsort(series, kind="stable"), starts, length)


def _number(path: Path, row: Row, column: str) -> float:
    try:
        value = float(row.cells[column])
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:
        raise DataError(
            path,
            f"line {row.line}: expected a number in the column {column!r}, found "
            f"{row.cells[column]!r}{_advice(row.cells[column].strip())}",
        )
    return value


def _advice(cell: str) -> str:
    if cell.lower() in MISSING:
        return ". Fill it in, or leave such rows out."
    if re.fullmatch(r"[-+]?\d+,\d+", cell):
        return (
            f". Write it as {cell.replace(',', '.')}, or {cell.replace(',', '')} if that is meant."
        )
    return ""
