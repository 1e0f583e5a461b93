"""Dates that fall from row to row, in the ways that tables write them."""

import datetime

import pytest

from tfpipe.errors import DataError
from tfpipe.records.sources.times import as_day, require_time_order

DAYS = [datetime.date(2024, 12, 20) + datetime.timedelta(days=2 * n) for n in range(12)]


def table(tmp_path, *columns, names="abc"):
    """A file with these columns."""
    path = tmp_path / "t.csv"
    lines = [";".join(cells) for cells in zip(*columns, strict=True)]
    path.write_text("\n".join([";".join(names[: len(columns)]), *lines]))
    return path


@pytest.mark.parametrize(
    "written", ["%Y-%m-%d", "%Y/%m/%d 18:00", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y 7:30", "%d-%m-%Y"]
)
def test_dates_may_rise_and_not_fall(tmp_path, written):
    cells = [day.strftime(written) for day in DAYS]
    require_time_order(table(tmp_path, cells), [""] * 12)
    with pytest.raises(DataError) as caught:
        require_time_order(table(tmp_path, cells[::-1]), [""] * 12)
    assert str(caught.value) == (
        f"{tmp_path / 't.csv'}: line 3: expected rows in the order of time, found {cells[-2]!r} "
        f"below {cells[-1]!r} in the column 'a'. Sort the rows by it; if there are several series, "
        "pass `group`; if it is no time of theirs, leave that column out."
    )


def test_each_series_has_its_own_time(tmp_path):
    path = table(tmp_path, [f"{day}" for day in DAYS[:3] * 2])
    require_time_order(path, ["x"] * 3 + ["y"] * 3)
    require_time_order(path, ["x", "y", "z", "w", "x", "z"])
    with pytest.raises(DataError, match=r"line 5: .* found '2024-12-20' below '2024-12-24'"):
        require_time_order(path, ["x"] * 6)


def test_one_column_in_order_is_enough(tmp_path):
    ordered = [f"{day} 00:00:00" for day in DAYS]
    path = table(tmp_path, [f"{day}" for day in DAYS[::-1]], ordered)
    require_time_order(path, [""] * 12)


def test_a_column_whose_cells_are_not_all_dates_is_none(tmp_path):
    cells = [f"{day}" for day in DAYS[::-1]]
    require_time_order(table(tmp_path, [*cells[:-1], "?"]), [""] * 12)
    require_time_order(table(tmp_path, [f"{n}.5" for n in range(12, 0, -1)]), [""] * 12)


def test_the_hour_that_clocks_are_put_back_is_no_fault(tmp_path):
    hours = ["2024-10-27 02:30", "2024-10-27 02:00", "2024-10-27 03:00"]
    require_time_order(table(tmp_path, hours), [""] * 3)


@pytest.mark.parametrize(
    "cell", ["", "1.2.3", "1-2-2024-1", "20241231", "2024-13-01", "01.00.2024", "12024-01-01"]
)
def test_what_is_no_date(cell):
    assert as_day(cell, day_first=True) is as_day(cell, day_first=False) is None
