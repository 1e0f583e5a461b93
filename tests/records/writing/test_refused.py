"""`refused.csv` says what was left out, in an order of its own, whatever the names hold."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from tfpipe.records.writing.refused import refused_rows, save_refused
from tfpipe.records.writing.shards import Facts

# The csv module of Python 3.11 and 3.12 does not write NUL, and no file name holds one.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def read(path):
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]


def test_rows_are_in_the_order_of_the_ids_and_not_of_the_shards():
    first = Facts("k", refused=[("b", "example", "empty"), ("a", "part", "a box")])
    second = Facts("k", refused=[("a", "example", "empty"), ("c", "example", "empty")])
    expected = [
        ("a", "example", "empty"),
        ("a", "part", "a box"),
        ("b", "example", "empty"),
        ("c", "example", "empty"),
    ]
    assert refused_rows({"train": [first, None], "val": [second]}) == expected
    assert refused_rows({"val": [second], "train": [first]}) == expected


def test_the_file_as_a_person_sees_it(tmp_path):
    rows = [("cat/1.jpg", "example", "the file is empty"), ("a,b", "part", 'says "no"\nand stops')]
    assert save_refused(rows, tmp_path / "refused.csv") == tmp_path / "refused.csv"
    assert (tmp_path / "refused.csv").read_bytes() == (
        b"file,refused,reason\r\n"
        b"cat/1.jpg,example,the file is empty\r\n"
        b'"a,b",part,"says ""no""\nand stops"\r\n'
    )


def test_without_rows_there_is_a_head(tmp_path):
    assert read(save_refused([], tmp_path / "a.csv")) == [("file", "refused", "reason")]


@given(st.lists(st.tuples(TEXT, st.just("example"), TEXT)))
@settings(max_examples=25)  # each is synced to the disk
def test_any_names_and_reasons_come_back_as_they_were(tmp_path_factory, rows):
    path = save_refused(rows, tmp_path_factory.getbasetemp() / "refused.csv")
    assert read(path)[1:] == rows


def test_a_name_of_undecodable_bytes_is_written_as_these_bytes(tmp_path):
    name = b"a\xff\n.jpg"
    row = (name.decode("utf-8", "surrogateescape"), "example", "empty")
    path = save_refused([row], tmp_path / "a.csv")
    assert name in path.read_bytes()
    assert read(path)[1:] == [row]
