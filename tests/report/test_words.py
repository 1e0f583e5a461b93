"""Numbers as a person reads them, and text that can do no harm."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfpipe.errors import RequestError
from tfpipe.report import human_bytes, human_seconds
from tfpipe.report.words import human_number, printable

UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@pytest.mark.parametrize(
    ("num_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_960, "1.0 MB"),
        (10**9, "1.0 GB"),
        (25 * 10**11, "2.5 TB"),
        (10**16, "10,000.0 TB"),
    ],
)
def test_sizes(num_bytes, shown):
    assert human_bytes(num_bytes) == shown


@given(st.integers(0, 10**18))
def test_a_size_is_right_to_its_last_digit(num_bytes):
    number, unit = human_bytes(num_bytes).replace(",", "").split(" ")
    assert abs(float(number) - num_bytes / UNITS[unit]) <= 0.0501
    assert float(number) < 1000 or unit == "TB"


def test_a_negative_size_is_refused():
    with pytest.raises(RequestError) as caught:
        human_bytes(-1)
    assert str(caught.value) == "Expected `num_bytes` to be 0 or more. Received: num_bytes=-1"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.6, "1 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (100 * 3600, "100 h 0 min"),
        (5_000_000, "1,388 h 53 min"),
    ],
)
def test_durations(seconds, shown):
    assert human_seconds(seconds) == shown


def test_a_negative_duration_is_refused():
    with pytest.raises(RequestError) as caught:
        human_seconds(-0.5)
    assert str(caught.value) == "Expected `seconds` to be 0 or more. Received: seconds=-0.5"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (-1234, "-1,234"),
        (60_000, "60,000"),
        (0.98765, "0.9877"),
        (0.0000123456, "1.235e-05"),
        (999.94, "999.9"),
        (999.96, "1,000"),
        (-999.96, "-1,000"),
        (12_345.6, "12,346"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_numbers(number, shown):
    assert human_number(number) == shown


@given(st.text(st.characters(codec=None)))
def test_printable_text_holds_nothing_that_moves_the_cursor_or_cannot_be_written(text):
    shown = printable(text)
    assert {unicodedata.category(c) for c in shown}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert shown.splitlines() in ([], [shown])
    shown.encode("utf-8")


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S"])))
def test_letters_stay_as_they_are(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("naïve 图 é", "naïve 图 é"),
        ("می‌خواهم", "می‌خواهم"),  # a joiner of Persian
        ("a\tb\r\n", r"a\tb\r\n"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\u2028b", r"a\u2028b"),
        ("caf\udce9.png", r"caf\udce9.png"),  # how Python gives a file name in Latin-1
    ],
)
def test_printable_text(text, shown):
    assert printable(text) == shown


def test_printable_text_keeps_what_it_is_told_to_keep():
    assert printable("a\n\tb\x00", keep="\n\t") == "a\n\tb\\x00"
