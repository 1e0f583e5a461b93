"""The ladder: which rungs are tried, what is said, and when nothing is good enough."""

import dataclasses

import pytest

from tests.reports import ROW
from tfpipe import export
from tfpipe.errors import DataError, RequestError
from tfpipe.export.bundling import ladder

BARS = {"score_lost": 0.02}


def maker(**lost):
    """Files whose score lost is given by format; a string is why there is no such file."""
    made = []

    def make(format):
        made.append(format)
        if isinstance(lost[format], str):
            raise RequestError(lost[format])
        return dataclasses.replace(ROW, path=f"{format}.tflite", score_lost=lost[format])

    make.made = made
    return make


def test_what_keeps_the_bars_is_not_tried_again(capsys):
    make = maker(int8=0.02)
    attempts = ladder.climb("int8", make, BARS)
    assert [(a.asked, a.tried, a.missed) for a in attempts] == [("int8", "int8", "")]
    assert make.made == ["int8"]
    assert capsys.readouterr() == ("", "")


def test_the_rungs_are_tried_in_order_and_it_is_said(capsys):
    make = maker(int8=0.1, int8_qat=0.05, int16x8=0.001)
    attempts = ladder.climb("int8", make, BARS)
    assert make.made == ["int8", "int8_qat", "int16x8"]
    assert attempts[-1].tried == "int16x8"
    assert attempts[-1].missed == ""
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "int8.tflite: expected a score lost of at most 0.02. Received: 0.1000. Trying int8_qat.",
        "int8_qat.tflite: expected a score lost of at most 0.02. Received: 0.0500. Trying int16x8.",
    ]


def test_a_rung_that_cannot_be_made_is_missed_and_named(capsys):
    make = maker(int8=0.1, int8_qat="No twin for layer 'x'.", int16x8=0.0)
    attempts = ladder.climb("int8", make, BARS)
    assert attempts[1] == ladder.Attempt(
        "int8", "int8_qat", "int8_qat: No twin for layer 'x'", None
    )
    assert "int8_qat: No twin for layer 'x'. Trying int16x8." in capsys.readouterr().err


def test_a_file_that_does_not_run_is_missed_too():
    def make(format):
        if format == "int8":
            raise DataError("a/int8.tflite", "LiteRT cannot run it (why)")
        return maker(int8_qat=0.0)(format)

    attempts = ladder.climb("int8", make, BARS)
    assert [attempt.tried for attempt in attempts] == ["int8", "int8_qat"]
    assert attempts[0].missed == "int8: LiteRT cannot run it (why)"


def test_what_was_asked_for_and_cannot_be_made_is_an_error():
    with pytest.raises(RequestError, match=r"^No integers$"):
        ladder.climb("int8", maker(int8="No integers"), BARS)


def test_when_all_miss_the_error_has_the_numbers_of_each():
    make = maker(int8=0.5, int8_qat="No twin", int16x8=0.4, dynamic=0.3, float16=0.2)
    with pytest.raises(ladder.MissedError) as caught:
        ladder.climb("int8", make, BARS)
    assert str(caught.value) == (
        "No file keeps the bars that stands for 'int8': "
        "int8.tflite: expected a score lost of at most 0.02. Received: 0.5000; "
        "int8_qat: No twin; "
        "int16x8.tflite: expected a score lost of at most 0.02. Received: 0.4000; "
        "dynamic.tflite: expected a score lost of at most 0.02. Received: 0.3000; "
        "float16.tflite: expected a score lost of at most 0.02. Received: 0.2000. "
        "Nothing was written."
    )
    assert [file.score_lost for file in caught.value.files] == [0.5, 0.4, 0.3, 0.2]


@pytest.mark.parametrize(
    ("asked", "rungs"),
    [
        ("int8", ["int8", "int8_qat", "int16x8", "dynamic", "float16"]),
        ("dynamic", ["dynamic", "float16"]),
        ("float32", ["float32"]),
        ("onnx", ["onnx"]),
    ],
)
def test_above_each_format_are_the_more_exact_ones(asked, rungs):
    assert list(ladder.rungs(asked)) == rungs


def test_the_report_has_what_stands_once_and_tells_of_the_rest():
    make = maker(float32=0.0, int8=0.1, int8_qat=0.1, int16x8=0.1, dynamic=0.1, float16=0.0)
    ladders = [ladder.climb(format, make, BARS) for format in ("float32", "int8", "float16")]
    report = ladder.standing(export.Report({"path": "it"}, ()), ladders)
    assert [file.path for file in report.files] == ["float32.tflite", "float16.tflite"]
    missed = [file["path"] for file in report.reference["missed"]]
    assert missed == ["int8.tflite", "int8_qat.tflite", "int16x8.tflite", "dynamic.tflite"]
    (told,) = report.reference["instead"]
    assert told.startswith("Instead of int8 there is float16. What missed the bars: int8.tflite: ")


def test_a_bar_that_no_report_knows_is_refused():
    with pytest.raises(RequestError) as caught:
        ladder.check_bars({"agrement": 0.9})
    assert str(caught.value).startswith("Expected `require` to be one of 'agreement', 'score_lost'")
    assert str(caught.value).endswith("Received: require='agrement'. Did you mean 'agreement'?")
