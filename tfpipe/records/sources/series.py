"""Windows of numeric series in a table, as a source.

Example:

    source = series_csv(
        "motion.csv", columns=["x", "y", "z"], label_column="activity", window=128, stride=64,
        group="person",
    )
    source = series_csv("load.csv", columns=["load", "heat"], target="load", window=48, horizon=24)
"""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tfpipe.errors import RequestError, received
from tfpipe.files import Path
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.base import Entry, Example, Feature, Source, from_entries
from tfpipe.records.sources.columns import Table, read_table, table_rule
from tfpipe.records.sources.labels import as_indices
from tfpipe.records.sources.names import dataset_name
from tfpipe.records.sources.rows import Cell
from tfpipe.records.sources.splits import Given, Split, is_given
from tfpipe.records.sources.times import require_time_order
from tfpipe.records.sources.windows import Windows, as_stride, read_numbers, windows


def series_csv(
    csv: Path,
    *,
    columns: Sequence[str],
    window: int,
    label_column: Cell | None = None,
    target: str | Sequence[str] | None = None,
    horizon: int = 0,
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
    begins every `stride` rows of its series; rows at the end that fill none are left out. Rows are
    taken as neighbours in time: where some are missing, let `group` tell the parts before and after
    the gap apart. The numbers are held in memory, as float32.

    What a window should give is a class (`label_column`) or numbers (`target`), taken from the
    row that is `horizon` rows after its last one: 0 describes the window, 1 forecasts the next row.

    Args:
        csv: the table, with commas, tabs or semicolons; its first row is the header.
        columns: the columns of the numbers, C of them; may include those of `target`.
        window: rows in a window.
        label_column: the column of the rows' classes, or a function of the row.
        target: the column of the number to give, or a list of k columns.
        horizon: rows from a window's last row to the one of its label or target.
        stride: rows from one window's beginning to the next one's; `window + horizon` if None, so
            that windows and the rows of their targets do not overlap.
        class_names: the classes in their order; if None, those in the table, sorted.
        split: fractions of train, val and test, or a dict of them; or each window's split, as a
            mapping from its id or a function of it. None: (0.7, 0.2, 0.1). Neighbours in time
            are alike, so chance flatters a forecast; `split=lambda key: "train" if
            int(key.split(":")[1]) < 8000 else "test"` divides the table at its line 8000.
        seed: another seed gives another split and another order on disk.
        group: the column, or a function of the row, that tells the series apart; a series is
            never divided.
        stratify: whether the windows of each class are divided by these fractions; otherwise
            chance does it.
        name: the dataset's name; the table's file name if None.

    Returns:
        A source of `sequence`, float32 (window, C), and `label`, or `target`: float32, a single
        number for a column, (k,) for a list of them. An id is the table's name and the line,
        from 1, of the window's first row: "motion.csv:2".

    Raises:
        RequestError: the file or a column is missing, a length is too small, no series fills a
            window, both or none of `label_column` and `target` are given, `split` or `group` do
            not fit, or windows that overlap would be divided by chance, which lets the test set
            see the train set.
        DataError: a cell is empty or no finite number, a label is unknown, or the dates in the
            table fall (see `tfpipe.records.sources.times`); says where.

    Example:

    >>> import tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "t.csv"
    >>> _ = file.write_text("x,class\\n1,rest\\n2,rest\\n3,rest\\n4,walk\\n")
    >>> source = series_csv(file, columns=["x"], label_column="class", window=2)
    >>> sorted((e["id"], e["sequence"].tolist(), e["label"]) for e in source)
    [('t.csv:2', [[1.0], [2.0]], 0), ('t.csv:4', [[3.0], [4.0]], 1)]
    >>> source = series_csv(file, columns=["x"], target="x", window=2, horizon=1)
    >>> [(e["id"], e["sequence"].tolist(), e["target"]) for e in source]
    [('t.csv:2', [[1.0], [2.0]], 3.0)]
    """
    reach = window + horizon
    stride = as_stride(stride, window, horizon)
    _require_one_answer(label_column, target, class_names, stratify)
    if stride < reach and group is None and not is_given(split):
        raise RequestError(_overlap(window, horizon, stride))
    table = read_table(csv, label_column=label_column, group=group)
    groups = table.cells.get("group", [""] * len(table.lines))
    require_time_order(csv, groups)
    numbers = read_numbers(csv, columns=columns, **_listed(target))
    answers = _answers(csv, table, class_names, numbers.get("target"), isinstance(target, str))
    key = answers.feature.kind
    cut = windows(csv, groups, length=reach, stride=stride)

    def load(start: int) -> Example:
        rows = cut.rows(start)
        sequence = numbers["columns"][rows[:window]]
        return {"sequence": sequence, key: answers.values[rows[-1]]}

    return from_entries(
        dataset_name(name, csv),
        _entries(csv, table, cut, split, seed, labels=answers.values if stratify else None),
        load,
        features={"sequence": Feature("sequence", (window, len(columns))), key: answers.feature},
        class_names=answers.class_names,
        rule=table_rule(split, seed, group=group, stratify=stratify),
        seed=seed,
    )


class _Answers(NamedTuple):
    """What each row has a window give, if it is the row that says so."""

    class_names: tuple[str, ...]
    feature: Feature
    values: Sequence[Any] | np.ndarray


def _answers(
    csv: Path,
    table: Table,
    class_names: Sequence[str] | None,
    targets: np.ndarray | None,
    single: bool,
) -> _Answers:
    if targets is None:
        cells = table.cells["label_column"]
        names, indices = as_indices(csv, table.lines, cells, class_names=class_names)
        return _Answers(names, Feature("label"), [index for (index,) in indices])
    if single:
        return _Answers((), Feature("target"), targets[:, 0].tolist())
    return _Answers((), Feature("target", targets.shape[1:]), targets)


def _entries(
    csv: Path,
    table: Table,
    cut: Windows,
    split: Split | Given | None,
    seed: int,
    *,
    labels: Sequence[int] | np.ndarray | None,
) -> list[Entry]:
    """The windows by id, divided; by their classes too, if the rows' labels are given."""
    firsts, lasts = ([cut.rows(start)[at] for start in cut.starts] for at in (0, -1))
    ids = [f"{pathlib.Path(csv).name}:{table.lines[row]}" for row in firsts]
    groups = table.cells.get("group")
    parts = assign(
        ids,
        split,
        seed,
        groups=[groups[row] for row in firsts] if groups else None,
        labels=None if labels is None else [(labels[row],) for row in lasts],
    )
    return [Entry(*entry) for entry in zip(ids, parts, cut.starts, strict=True)]


def _listed(target: str | Sequence[str] | None) -> dict[str, Sequence[str]]:
    if target is None:
        return {}
    return {"target": [target] if isinstance(target, str) else target}


def _require_one_answer(
    label_column: Cell | None,
    target: str | Sequence[str] | None,
    class_names: Sequence[str] | None,
    stratify: bool,
) -> None:
    if (label_column is None) == (target is None):
        expected = "either `label_column`, for classes, or `target`, for numbers"
        raise RequestError(received(expected, label_column=label_column, target=target))
    if target is not None and (stratify or class_names is not None):
        expected = "`class_names` and `stratify` only with classes, not with a `target`"
        raise RequestError(received(expected, class_names=class_names, stratify=stratify))


def _overlap(window: int, horizon: int, stride: int) -> str:
    return (
        "Expected `group` where windows overlap, each up to the row of its label or target: their "
        "common rows would be in train and in test. Received: "
        f"window={window}, horizon={horizon}, stride={stride}. Pass `group`, a stride of at least "
        f"{window + horizon}, or each window's `split`."
    )
