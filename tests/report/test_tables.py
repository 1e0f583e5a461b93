"""One table twice: aligned text, and escaped HTML."""

import html

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe.errors import RequestError
from tfpipe.report import html_table, text_table
from tfpipe.report.tables import terminal_width
from tfpipe.report.words import printable

TEXT = st.text(st.characters(codec=None), max_size=12)
TABLES = (text_table, html_table)


def test_numbers_stand_to_the_right_and_words_to_the_left():
    rows = [["float32.tflite", "251.0 kB", 0.98333333], ["int8.tflite", "73.2 kB", 1]]
    assert text_table(["file", "size", "accuracy"], rows) == (
        "file                size  accuracy\n"
        "--------------  --------  --------\n"
        "float32.tflite  251.0 kB    0.9833\n"
        "int8.tflite      73.2 kB         1"
    )


def test_an_empty_first_heading_keeps_its_line_and_its_place():
    rows = [["examples", "1,257", "180"], ["size", "61.2 kB", "8.1 kB"]]
    assert text_table(["", "train", "val"], rows) == (
        "            train     val\n"
        "--------  -------  ------\n"
        "examples    1,257     180\n"
        "size      61.2 kB  8.1 kB"
    )


def test_an_empty_first_heading_keeps_its_place_in_html(parse):
    tags, texts = parse(html_table(["", "train"], [["examples", 7]]))
    assert texts("th") == ["", "train"]
    assert texts("td") == ["examples", "7"]
    assert [attributes for tag, attributes in tags if tag == "th"] == [{}, {"class": "number"}]


def test_a_table_without_rows_has_its_head():
    assert text_table(["file", "bytes"], []) == "file  bytes\n----  -----"
    assert "<th>file</th><th>bytes</th>" in html_table(["file", "bytes"], [])


def test_no_line_ends_in_blanks():
    table = text_table(["file", "note"], [["a", ""], ["b", "longer"]])
    assert [line for line in table.splitlines() if line != line.rstrip()] == []


def test_a_chinese_character_takes_two_places():
    assert text_table(["类", "x"], [["肺炎肺", "a"], ["b", "c"]]) == (
        "类      x\n------  -\n肺炎肺  a\nb       c"
    )


@pytest.mark.parametrize(
    "cell",
    [
        *(7, -1.5, np.float32(0.5), np.int64(3), float("nan")),
        *("1,257", "+0.0028", "−3", "1.2e-06", "inf"),
        *("61.2 kB", "97 %", "2×", "3,100 images/s", "2 min 5 s", "1 h 5 min"),
    ],
)
def test_these_are_numbers(cell):
    assert '<td class="number">' in html_table(["a"], [[cell]])
    assert '<td class="number">' in html_table(["a"], [[cell], [""], ["-"], ["–"], ["—"]])


@pytest.mark.parametrize("cell", ["", "-", "a", "v2", "1-2", "int8.tflite", "3 of 4", "1.2.3"])
def test_these_are_none(cell):
    assert "number" not in html_table(["a"], [[cell]])
    assert "number" not in html_table(["a"], [["a"], [7], [cell]])


def test_numbers_are_shown_for_people():
    cells = [60_000, 0.98765, 12_345.6, np.int64(60_000), np.float32(0.25), float("nan")]
    shown = ["60,000", "0.9877", "12,346", "60,000", "0.25", "nan"]
    assert [text_table(["a"], [[cell]]).split()[-1] for cell in cells] == shown


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), st.tuples(TEXT, TEXT))
def test_any_text_comes_through_html_whole_and_harmless(parse, rows, columns):
    tags, texts = parse(html_table(columns, rows))
    assert texts("th") == [printable(name) for name in columns]
    assert texts("td") == [printable(cell) for row in rows for cell in row]
    assert {tag for tag, _ in tags} <= {"div", "table", "thead", "tbody", "tr", "th", "td"}


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), st.tuples(TEXT, TEXT))
def test_any_text_keeps_to_its_line(rows, columns):
    lines = text_table(columns, rows).split("\n")
    assert len(lines) == 2 + len(rows)
    assert all(
        printable(cell).rstrip() in line
        for row, line in zip(rows, lines[2:], strict=True)
        for cell in row
    )


def test_html_is_escaped():
    table = html_table(["<b>"], [["\"&'<script>"]])
    assert f"<th>{html.escape('<b>')}</th>" in table
    assert "<td>&quot;&amp;&#x27;&lt;script&gt;</td>" in table


def test_columns_beyond_the_line_stand_below():
    columns, rows = ["file", "bytes", "score", "lost"], [["int8.tflite", "61.2 kB", "0.98", "-"]]
    assert text_table(columns, rows, width=28).split("\n") == [
        "file           bytes  score",
        "-----------  -------  -----",
        "int8.tflite  61.2 kB   0.98",
        "",
        "file         lost",
        "-----------  ----",
        "int8.tflite  -",
    ]
    assert text_table(columns, rows, width=33) == text_table(columns, rows)


def test_of_a_line_that_is_too_short_for_two_columns_nothing_is_lost():
    told = text_table(["名前", "b", "c"], [["漢字漢字", "1", "2"]], width=5)
    assert [line.split() for line in told.split("\n")] == [
        ["名前", "b"], ["--------", "-"], ["漢字漢字", "1"],
        [],
        ["名前", "c"], ["--------", "-"], ["漢字漢字", "2"],
    ]  # fmt: skip


def test_the_width_is_that_of_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "72")
    assert terminal_width() is None
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert terminal_width() == 72


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("columns", "rows", "sentence"),
    [
        ([], [], "Expected `columns` to name at least one column. Received: columns=[]"),
        (
            ["a", "b"],
            [["1", "2"], ["3"]],
            "Expected `rows[1]` to have one cell per column, 2. Received: row=['3']",
        ),
        (
            ["a"],
            [[None]],
            "Expected every cell of `rows` to be a string or a number. Received: cell=None",
        ),
        (
            ["a"],
            [[True]],
            "Expected every cell of `rows` to be a string or a number. Received: cell=True",
        ),
    ],
)
def test_wrong_requests(table, columns, rows, sentence):
    with pytest.raises(RequestError) as caught:
        table(columns, rows)
    assert str(caught.value) == sentence
