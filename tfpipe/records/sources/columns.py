"""What the sources that read tables share: columns in memory, and the splits in them."""

import array
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from tfpipe.errors import DataError, RequestError
from tfpipe.files import Path
from tfpipe.records.sources.assignment import Labels, assign
from tfpipe.records.sources.division import Division, rule
from tfpipe.records.sources.lines import SAVE_IT, decoded, opened
from tfpipe.records.sources.names import few
from tfpipe.records.sources.rows import Cell, cell_of, header, require_columns, rows
from tfpipe.records.sources.splits import Split, described


class Table(NamedTuple):
    """Some columns of a table, by the arguments that name them, and where the rows are."""

    lines: "array.array[int]"
    starts: "array.array[int]"
    ends: "array.array[int]"
    cells: dict[str, list[str]]


def read_table(
    path: Path,
    encoding: str = "utf-8",
    advice: str = SAVE_IT,
    **wanted: Cell | None,
) -> Table:
    """Reads the columns that are wanted, and no others, into memory.

    Args:
        path: the table.
        encoding: of its text.
        advice: what to do if it has another encoding.
        wanted: for each argument a column's name, a function of the row, or None.

    Raises:
        RequestError: there is no such file or column, or no row.
        DataError: a cell that is wanted is empty, or the table cannot be read.
    """
    require_columns(path, header(path, encoding, advice), **wanted)
    asked = {argument: cell for argument, cell in wanted.items() if cell is not None}
    table = Table(array.array("q"), array.array("q"), array.array("q"), {key: [] for key in asked})
    for row in rows(path, encoding, advice):
        table.lines.append(row.line)
        table.starts.append(row.start)
        table.ends.append(row.end)
        for argument, cell in asked.items():
            value = cell_of(row, cell)
            # An empty label is for `as_indices` to judge: it may stand for none of the classes.
            if value is None or (value == "" and argument != "label_column"):
                raise DataError(path, f"line {row.line}: {_words(cell)} (`{argument}`) is empty")
            # Interned: a hundred thousand rows share a few labels and splits.
            table.cells[argument].append(sys.intern(str(value)))
    if not table.lines:
        raise RequestError(f"Expected rows in {os.fspath(path)!r}. Found none below the header.")
    return table


def load_lists(lists: Mapping[str, Path]) -> dict[str, str]:
    """From text files with an id on each line, the split of each id; empty lines do not count.

    Raises:
        RequestError: there is no such file.
        DataError: an id is in two lists.
    """
    part_of: dict[str, str] = {}
    for part, path in lists.items():
        with opened(path) as file:
            for line in decoded(file, path):
                key = line.strip()
                if key and part_of.setdefault(key, part) != part:
                    raise DataError(path, f"{key!r} is in the list for {part_of[key]!r} too")
    return part_of


def require_unique(path: Path, table: Table, ids: Sequence[str]) -> None:
    """Checks that no two rows have the same id.

    Raises:
        DataError: two have.
    """
    first: dict[str, int] = {}
    for key, line in zip(ids, table.lines, strict=True):
        if first.setdefault(key, line) != line:
            raise DataError(path, f"line {line}: {key!r} stands in line {first[key]} too")


def given_parts(
    table: Table, ids: Sequence[str], lists: Mapping[str, Path] | None
) -> list[str] | None:
    """The splits that a table has itself, or that are in lists; None if there are none.

    Raises:
        RequestError: a row is in no list.
    """
    if lists is None:
        return table.cells.get("split")
    part_of = load_lists(lists)
    missing = [key for key in ids if key not in part_of]
    if missing:
        raise RequestError(
            f"Expected every row to be in one of `lists`. {len(missing)} of {len(ids)} rows are in "
            f"none: {few(missing)}"
        )
    return [part_of[key] for key in ids]


def of_row(split: object) -> Cell | None:
    """`split` if it is a column's name or a function of the row; None if it is anything else.

    >>> of_row("fold"), of_row((0.9, 0.1))
    ('fold', None)
    """
    return split if isinstance(split, str) or callable(split) else None


def not_of_row(split: object) -> Split | Mapping[str, str] | None:
    """`split` if it is fractions or a mapping from the id; None if it is of the row."""
    return None if of_row(split) else cast(Split | None, split)


def require_one_origin(split: object, lists: object) -> None:
    """Checks that splits are not given twice.

    Raises:
        RequestError: a column and lists both give them.
    """
    if lists is not None and of_row(split):
        raise RequestError(
            "Expected `split` to be fractions or None, because `lists` gives the splits. "
            f"Received: split={_words(split)}"
        )


def divide_rows(
    table: Table,
    ids: Sequence[str],
    split: Split | Mapping[str, str] | Cell | None,
    seed: int,
    *,
    group: Cell | None = None,
    lists: Mapping[str, Path] | None = None,
    labels: Labels | None = None,
) -> Division:
    """The split of every row, and the rule: `divide` for tables, whose columns may give both.

    Args:
        table: read with these `split` and `group`.
        ids: the rows' ids.
        split: fractions, a mapping from the id, or a column or a function of the row.
        seed: as for `assign`.
        group: what the table's `group` is.
        lists: for each split, a text file with an id on each line.
        labels: as for `assign`.

    Raises:
        RequestError: a row is in no list or split, or a group is on two sides.
    """
    parts = assign(
        ids,
        not_of_row(split),
        seed,
        groups=table.cells.get("group"),
        labels=labels,
        given=given_parts(table, ids, lists),
    )
    stratify = labels is not None
    return Division(parts, table_rule(split, seed, lists=lists, group=group, stratify=stratify))


def table_rule(
    split: object,
    seed: int,
    *,
    lists: Mapping[str, Path] | None = None,
    group: Cell | None = None,
    stratify: bool = False,
) -> dict[str, object]:
    """What the manifest keeps of how a table was split."""
    lists_or_none = None if lists is None else "lists"
    return rule(
        not_of_row(split),
        seed,
        given_by=_words(split) if of_row(split) else lists_or_none,
        grouped_by=None if group is None else _words(group),
        stratified=stratify,
    )


def _words(cell: object) -> str:
    return f"the column {cell!r}" if isinstance(cell, str) else described(cell)
