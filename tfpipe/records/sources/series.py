"""Windows of numeric series in a table, as a source.

Example:

    source = series_csv(
        "motion.csv", columns=["x", "y", "z"], label_column="activity", window=128, stride=64,
        group="person",
    )
"""

import array
import math
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from tfpipe.errors import DataError, RequestError, received
from tfpipe.files import Path
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.base import Entry, Example, Feature, Source, from_entries
from tfpipe.records.sources.columns import read_table, table_rule
from tfpipe.records.sources.labels import as_indices
from tfpipe.records.sources.names import dataset_name
from tfpipe.records.sources.rows import Cell, Row, header, require_columns, rows
from tfpipe.records.sources.splits import Given, Split, is_given

LARGEST = float(np.finfo(np.float32).max)


def series_csv(
    csv: Path,
    *,
    columns: Sequence[str],
    label_column: Cell,
    window: int,
    stride: int | None = None,
    class_names: Sequence[str] | None = None,
    split: Split | Given | None = None,
    seed: int = 0,
    group: Cell | None = None,
    stratify: bool = False,
    name: str | None = None,
) -> Source:
    """Windows of numeric series in a table whose rows are in the order of time.

    The rows of each group are a series of its own; the groups' rows may alternate. A window
    begins every `stride` rows of its series; rows that do not fill a window at the end are left
    out. A window's label is that of its last row. The numbers are held in memory, as float32.

    Args:
        csv: the table, comma- or (.tsv) tab-separated; its first row is the header.
        columns: the columns of the numbers, C of them.
        label_column: the column of the rows' classes, or a function of the row.
        window: rows in a window.
        stride: rows from one window's beginning to the next one's; `window` if None, so that
            windows do not overlap.
        class_names: the classes in their order; if None, those in the table, sorted.
        split: fractions of train, val and test, or a dict of them; or each window's split, as a
            mapping from its id or a function of it. None: (0.7, 0.2, 0.1).
        seed: another seed gives another split and another order on disk.
        group: the column, or a function of the row, that tells the series apart; a series is
            never divided.
        stratify: whether the windows of each class are divided by these fractions; otherwise
            chance does it.
        name: the dataset's name; the table's file name if None.

    Returns:
        A source of `sequence`, float32 (window, C), and `label`. An id is the table's name and
        the line, from 1, of the window's first row: "motion.csv:2".

    Raises:
        RequestError: the file or a column is missing, no series fills a window, or windows that
            overlap would be divided by chance, which lets the test set see the train set.
        DataError: a cell is empty or no finite number, or a label is unknown; says where.

    Example:

    >>> import tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "t.csv"
    >>> _ = file.write_text("x,class\\n1,rest\\n2,rest\\n3,rest\\n4,walk\\n")
    >>> source = series_csv(file, columns=["x"], label_column="class", window=2)
    >>> sorted((e["id"], e["sequence"].tolist(), e["label"]) for e in source)
    [('t.csv:2', [[1.0], [2.0]], 0), ('t.csv:4', [[3.0], [4.0]], 1)]
    """
    stride = window if stride is None else stride
    if window < 1 or stride < 1:
        raise RequestError(
            received("`window` and `stride` to be at least 1", window=window, stride=stride)
        )
    if stride < window and group is None and not is_given(split):
        raise RequestError(
            "Expected `group` where windows overlap: their common rows would be in train and in "
            f"test. Received: window={window}, stride={stride}. Pass `group`, a stride of at least "
            f"{window}, or each window's `split`."
        )
    values = _values(csv, columns)
    table = read_table(csv, label_column=label_column, group=group)
    lines, groups = table.lines, table.cells.get("group")
    names, indices = as_indices(csv, lines, table.cells["label_column"], class_names=class_names)
    order, starts = _windows(groups, len(values), window, stride)
    if not starts:
        raise RequestError(
            f"Expected a series of at least {window} rows (`window`) in {os.fspath(csv)!r}. All "
            f"its {len(set(groups or ['']))} series are shorter."
        )
    ids = [f"{pathlib.Path(csv).name}:{lines[order[start]]}" for start in starts]
    labels = [indices[order[start + window - 1]] for start in starts]
    parts = assign(
        ids,
        split,
        seed,
        groups=[groups[order[start]] for start in starts] if groups else None,
        labels=labels if stratify else None,
    )

    def load(number: int) -> Example:
        start = starts[number]
        return {"sequence": values[order[start : start + window]], "label": labels[number][0]}

    return from_entries(
        dataset_name(name, csv),
        [Entry(key, part, n) for n, (key, part) in enumerate(zip(ids, parts, strict=True))],
        load,
        features={
            "sequence": Feature("sequence", (window, len(columns))),
            "label": Feature("label"),
        },
        class_names=names,
        rule=table_rule(split, seed, group=group, stratify=stratify),
        seed=seed,
    )


def _values(path: Path, columns: Sequence[str]) -> np.ndarray:
    """The numbers of the columns: float32 (rows, C)."""
    if isinstance(columns, str) or not columns:
        raise RequestError(received("`columns` to list one column or more", columns=columns))
    for column in columns:
        require_columns(path, header(path), columns=column)
    numbers = array.array("f")
    for row in rows(path):
        numbers.extend(_number(path, row, column) for column in columns)
    return np.frombuffer(numbers, np.float32).reshape(-1, len(columns))


def _number(path: Path, row: Row, column: str) -> float:
    try:
        value = float(row.cells[column])
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:
        raise DataError(
            path,
            f"line {row.line}: expected a number in the column {column!r}, found "
            f"{row.cells[column]!r}",
        )
    return value


def _windows(
    groups: Sequence[str] | None, num_rows: int, window: int, stride: int
) -> tuple[np.ndarray, list[int]]:
    """The rows in the order of their series, and where in that order each window starts."""
    first: dict[str, int] = {}
    series = [first.setdefault(group, len(first)) for group in groups or [""] * num_rows]
    order = np.argsort(series, kind="stable")
    starts: list[int] = []
    begin = 0
    for size in np.bincount(series).tolist():
        starts += range(begin, begin + size - window + 1, stride)
        begin += size
    return order, starts
