"""`records.columns`: what is read of a table, and the splits in it."""

import pytest

from tfpipe.errors import DataError, RequestError
from tfpipe.records.sources.columns import (
    given_parts,
    load_lists,
    read_table,
    require_one_origin,
    require_unique,
    table_rule,
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('file,label,fold\na.png,cat,1\n\n"b\n.png",,2\n')
    return path


def test_the_columns_that_are_wanted_are_read(table):
    read = read_table(table, label_column="label", group=lambda row: int(row["fold"]) + 1, x=None)
    assert read.cells == {"label_column": ["cat", ""], "group": ["2", "3"]}
    assert list(read.lines) == [2, 4]
    data = table.read_bytes()
    assert data[read.starts[1] : read.ends[1]] == b'"b\n.png",,2\n'


@pytest.mark.parametrize(
    ("cell", "words"),
    [("label", "the column 'label'"), (dict.clear, "the function 'dict.clear'")],
)
def test_an_empty_cell_is_an_error(table, cell, words):
    with pytest.raises(DataError) as caught:
        read_table(table, group=cell)
    line = 4 if cell == "label" else 2
    assert str(caught.value) == f"{table}: line {line}: {words} (`group`) is empty"


def test_a_table_without_rows_is_an_error(table):
    table.write_text("a,b\n\n")
    with pytest.raises(RequestError) as caught:
        read_table(table, group="a")
    assert str(caught.value) == f"Expected rows in {str(table)!r}. Found none below the header."


def test_two_rows_of_one_id_are_an_error(table):
    read = read_table(table, image_column="file")
    require_unique(table, read, ["a", "b"])
    with pytest.raises(DataError) as caught:
        require_unique(table, read, ["a", "a"])
    assert str(caught.value) == f"{table}: line 4: 'a' stands in line 2 too"


def test_lists_give_the_splits(table, tmp_path):
    (tmp_path / "train.txt").write_bytes(b"\xef\xbb\xbfa\r\n\r\nb c\r\n")
    (tmp_path / "test.txt").write_text("d")
    lists = {part: tmp_path / f"{part}.txt" for part in ("train", "test")}
    assert load_lists(lists) == {"a": "train", "b c": "train", "d": "test"}
    read = read_table(table, split="fold")
    assert given_parts(read, ["d", "a"], lists) == ["test", "train"]
    assert given_parts(read, ["d", "a"], None) == ["1", "2"]
    with pytest.raises(RequestError) as caught:
        given_parts(read, ["a", "x", "y"], lists)
    assert str(caught.value) == (
        "Expected every row to be in one of `lists`. 2 of 3 rows are in none: 'x', 'y'"
    )
    (tmp_path / "test.txt").write_text("d\na\n")
    with pytest.raises(DataError) as caught:
        load_lists(lists)
    assert str(caught.value) == f"{tmp_path / 'test.txt'}: 'a' is in the list for 'train' too"
    with pytest.raises(RequestError) as caught:
        load_lists({"train": tmp_path / "none.txt"})
    expected = f"Expected a file. There is no file {str(tmp_path / 'none.txt')!r}."
    assert str(caught.value) == expected


def test_a_column_and_lists_do_not_go_together():
    require_one_origin((0.9, 0.1), {"train": "train.txt"})
    with pytest.raises(RequestError) as caught:
        require_one_origin("fold", {"train": "train.txt"})
    assert str(caught.value) == (
        "Expected `split` to be fractions or None, because `lists` gives the splits. "
        "Received: split=the column 'fold'"
    )


def test_the_rule_names_columns():
    assert table_rule("fold", 0, group="patient") == {
        "by": "given", "given_by": "the column 'fold'", "grouped_by": "the column 'patient'",
    }  # fmt: skip
    assert table_rule(str.upper, 0)["given_by"] == "the function 'str.upper'"
    assert table_rule({"a": "train"}, 0)["given_by"] == "a mapping"
    assert table_rule((0.9, 0.1), 0, lists={})["given_by"] == "lists"
    assert table_rule((0.9, 0.1), 0)["given_by"] is None
