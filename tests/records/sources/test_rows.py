"""`records.rows`: tables as the csv module reads them, with the place of each row."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe import records
from tfpipe.errors import DataError, RequestError
from tfpipe.records.sources.rows import header, parse_row, require_columns, rows

cells = st.text(st.sampled_from('aé",\n\t \u2028;'), max_size=6)


@given(st.lists(st.tuples(cells, cells), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_rows_are_what_was_written_and_stand_where_they_say(tmp_path_factory, table, end):
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([("one", "two"), *table])
    path.write_bytes(text.getvalue().encode())
    found = list(rows(path))
    assert [tuple(row.cells.values()) for row in found] == table
    data = path.read_bytes()
    for row, wanted in zip(found, table, strict=True):
        assert tuple(parse_row(data[row.start : row.end], "utf-8", ",")) == wanted
        assert row.line == data[: row.start].count(b"\n") + 1


def test_a_byte_order_mark_and_empty_lines_do_not_count(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbf"a",b\n\n1,2\n\n')
    assert [(row.line, row.cells) for row in rows(path)] == [(3, {"a": "1", "b": "2"})]


@pytest.mark.parametrize(
    ("name", "text", "cells"),
    [
        ("t.TSV", "a,x\tb\n1,5\t2\n", {"a,x": "1,5", "b": "2"}),
        ("t.csv", "a\tb\n1,5\t2\n", {"a": "1,5", "b": "2"}),
        ("t.csv", '\ufeffa;b\r\n1,5;"2;3"\r\n', {"a": "1,5", "b": "2;3"}),
        ("t.csv", "a;x,b\n1;5,2\n", {"a;x": "1;5", "b": "2"}),
        ("t.csv", "a\n1;5\n", {"a": "1;5"}),
    ],
)
def test_the_first_row_says_what_separates_cells(tmp_path, name, text, cells):
    path = tmp_path / name
    path.write_bytes(text.encode())
    assert header(path) == list(cells)
    assert [row.cells for row in rows(path)] == [cells]


def test_a_cell_may_be_long(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"a,b\n{'word ' * 40_000},2\n")
    assert [len(row.cells["a"]) for row in rows(path)] == [200_000]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n1,2\n3\n", "line 3: expected 2 cells, as in the header, found 1"),
        ("a,b\n1,2,3\n", "line 2: expected 2 cells, as in the header, found 3"),
        ('a,b\n"1"x,2\n', "line 2: expected a cell to end with its closing quote; a quote in a "
         "cell is written twice"),
        ('a,b\n1,2\n"3,4\n', "line 3: expected a closing quote, found the end of the file"),
        ("a,b\r1,2\r", "line 1: found a carriage return without a line feed; save the table "
         "with a line feed at the end of each line"),
        ("a,b\n1,\xff", "line 2, byte 3: 0xff is not utf-8. Save it as UTF-8."),
    ],
)  # fmt: skip
def test_a_broken_row_is_named(tmp_path, text, problem):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError) as caught:
        list(rows(path))
    assert str(caught.value) == f"{path}: {problem}"


def test_columns_must_be_there_once(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,a,a\n")
    require_columns(path, header(path), one="name", two=str.upper, three=None)
    with pytest.raises(RequestError) as caught:
        require_columns(path, header(path), image_column="names")
    assert str(caught.value) == (
        f"{path}: Expected `image_column` to be one of 'name', 'a', 'a'. "
        "Received: image_column='names'. Did you mean 'name'?"
    )
    with pytest.raises(RequestError) as caught:
        require_columns(path, header(path), group=["name", "a"])
    assert str(caught.value) == (
        "Expected `group` to be a column's name, or a function of the row. Received: "
        "group=['name', 'a']"
    )
    with pytest.raises(RequestError) as caught:
        require_columns(path, header(path), label_column=["a", "b"])
    assert str(caught.value) == (
        "Expected `label_column` to be a column's name, or a function of the row. Received: "
        "label_column=['a', 'b']. Where each class has a column of 0 and 1, pass lambda row: "
        '"|".join(name for name in NAMES if float(row[name] or 0) == 1), with separator="|" and '
        'empty="". All that is not 1, such as CheXpert\'s -1 for what is uncertain, then stands '
        "for 0."
    )
    with pytest.raises(RequestError) as caught:
        require_columns(path, header(path), group="a")
    assert str(caught.value) == f"{path}: Expected one column of the name 'a' (`group`). Found: 2"


def test_two_columns_make_a_mapping(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y,z\n1,2,3\n4,5,6\n")
    assert records.csv_column(path, "x", "z") == {"1": "3", "4": "6"}
    path.write_text("x,y\n1,2\n\n1,3\n")
    with pytest.raises(DataError) as caught:
        records.csv_column(path, "x", "y")
    assert str(caught.value) == f"{path}: line 4: '1' stands in an earlier row too"
    with pytest.raises(RequestError) as caught:
        records.csv_column(path, "x", "w")
    assert str(caught.value) == (
        f"{path}: Expected `value` to be one of 'x', 'y'. Received: value='w'"
    )


def test_a_quote_that_swallows_rows_between_tabs_is_told(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('text\tlabel\nfine\t1\n" oh ,\t0\nhe said "\t1\n')
    with pytest.raises(DataError) as caught:
        list(rows(path))
    assert str(caught.value) == (
        f"{path}: line 3: a quote opens a cell that holds the next rows, too. Where quotes belong "
        "to the text, write such a cell in quotes, and each quote in it twice."
    )
    path.write_text('text\tlabel\n"two\nlines"\t0\n"a\ttab"\t1\n')
    assert [row.cells["text"] for row in rows(path)] == ["two\nlines", "a\ttab"]
