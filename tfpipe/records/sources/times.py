"""Whether the rows of each series are in the order of time, by the dates that stand in the table.

Example:

    require_time_order("load.csv", groups)
"""

import re
from collections.abc import Sequence

from tfpipe.errors import DataError
from tfpipe.files import Path
from tfpipe.records.sources.rows import rows

_DATE = re.compile(r"\s*(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?!\d|\2)")

Day = tuple[int, int, int]  # year, month, day


def require_time_order(path: Path, groups: Sequence[str]) -> None:
    """Refuses a table with dates by none of which the rows of its series are in order.

    A date is a cell that begins like 2026-11-23, 23.11.2026 or 11/23/2026; where a column may be
    read with the day or with the month first, one that is in order is enough. The time of day does
    not count, so that the hour that clocks are put back does not, either.

    Args:
        path: the table.
        groups: the series that each row belongs to.

    Raises:
        DataError: no column of dates is in order; says where one is not.
    """
    faults: dict[tuple[str, bool], str] | None = None  # of what may be a column of dates
    before: dict[tuple[str, bool, str], tuple[Day, str]] = {}
    for row, group in zip(rows(path), groups, strict=True):
        if faults is None:
            faults = {(name, first): "" for name in row.cells for first in (True, False)}
        for name, day_first in list(faults):
            cell = row.cells[name]
            day = as_day(cell, day_first=day_first)
            if day is None:
                del faults[name, day_first]
                continue
            last, last_cell = before.get((name, day_first, group), (day, cell))
            if day < last and not faults[name, day_first]:
                faults[name, day_first] = _fault(row.line, name, cell, last_cell)
            before[name, day_first, group] = day, cell
        if not faults:
            return
    if faults and all(faults.values()):
        raise DataError(path, next(iter(faults.values())))


def as_day(cell: str, *, day_first: bool) -> Day | None:
    """The year, the month and the day that a cell begins with; None if it is no date.

    >>> as_day("2026-11-23 18:00", day_first=True), as_day("1/2/2026", day_first=False)
    ((2026, 11, 23), (2026, 1, 2))
    >>> as_day("23/11/2026", day_first=False) is None
    True
    """
    found = _DATE.match(cell)
    if not found:
        return None
    first, _, second, third = found.groups()
    if len(first) == 4:
        parts = first, second, third
    else:
        parts = (third, second, first) if day_first else (third, first, second)
    year, month, day = map(int, parts)
    good = len(parts[0]) == 4 and 1 <= month <= 12 and 1 <= day <= 31
    return (year, month, day) if good else None


def _fault(line: int, name: str, cell: str, before: str) -> str:
    return (
        f"line {line}: expected rows in the order of time, found {cell!r} below {before!r} in the "
        f"column {name!r}. Sort the rows by it; if there are several series, pass `group`; if it "
        "is no time of theirs, leave that column out."
    )
