"""The report: the shape of its JSON, its bars, its table."""

import dataclasses
import json

import pytest

from tfpipe import export
from tfpipe.errors import DataError, RequestError

ROW = export.FileReport(
    path="int8.tflite",
    format="tflite",
    mode="int8",
    bytes=69_000,
    zipped_bytes=23_456,
    latency_ms=0.0214,
    latency_p95_ms=0.0391,
    threads=1,
    peak_memory_bytes=1_234_567,
    agreement=0.99,
    max_abs_diff=0.031,
    mean_abs_diff=0.0042,
    score=0.97,
    score_lost=0.005,
    score_lost_low=-0.001,
    score_lost_high=0.011,
    sparsity=0.8,
    operators={"CONV_2D": 2, "SOFTMAX": 1},
)
HEAD = {
    "path": "the Keras model 'lenet5'",
    "format": "keras",
    "score_name": "accuracy",
    "score": 0.975,
    "sparsity": 0.8,
    "num_examples": 1797,
}
REPORT = export.Report(
    HEAD,
    (
        dataclasses.replace(ROW, path="float32.tflite", agreement=1.0, score_lost=-0.001),
        ROW,
    ),
)


def refused(**bars):
    with pytest.raises(RequestError) as caught:
        REPORT.require(**bars)
    return str(caught.value)


def test_the_json_has_the_shape_that_every_report_keeps(tmp_path):
    path = REPORT.to_json(tmp_path / "report.json")
    value = json.loads(path.read_bytes())
    assert list(value) == ["reference", "files"]
    assert value["reference"] == HEAD
    for file in value["files"]:
        assert list(file) == [
            "path",
            "format",
            "mode",
            "bytes",
            "zipped_bytes",
            "latency_ms",
            "latency_p95_ms",
            "threads",
            "peak_memory_bytes",
            "agreement",
            "max_abs_diff",
            "mean_abs_diff",
            "score",
            "score_lost",
            "score_lost_low",
            "score_lost_high",
            "sparsity",
            "operators",
            "fault",
        ]
    assert value["files"][1]["zipped_bytes"] == 23_456


def test_a_report_comes_back_as_it_was(tmp_path):
    assert export.load_report(REPORT.to_json(tmp_path / "report.json")) == REPORT


def test_it_prints_as_a_table_and_a_sentence():
    text = str(REPORT)
    head, *_, summary = text.splitlines()
    heads = "file bytes zipped ms/image agreement max diff score lost sparsity"
    assert " ".join(head.split()) == heads
    (line,) = [line for line in text.splitlines() if line.startswith("int8.tflite")]
    cells = "int8.tflite 69.0 kB 23.5 kB 0.021 0.9900 3.1e-02 0.9700 +0.0050 0.800"
    assert " ".join(line.split()) == cells
    assert summary == (
        "The reference is the Keras model 'lenet5': accuracy 0.9750 on 1,797 examples, "
        "sparsity 0.800."
    )


def test_the_score_before_pruning_is_told_where_there_is_one():
    report = export.Report({**HEAD, "dense_score": 0.9812}, ())
    assert report.summary().endswith("sparsity 0.800. Before pruning: 0.9812.")


def test_files_that_are_good_enough_pass():
    REPORT.require()
    REPORT.require(agreement=0.99, score_lost=0.005)


def test_too_little_agreement_is_refused():
    assert refused(agreement=0.995) == (
        "int8.tflite: expected an agreement of at least 0.995. Received: 0.9900"
    )


def test_too_much_score_lost_is_refused():
    assert refused(score_lost=0.004) == (
        "int8.tflite: expected a score lost of at most 0.004. Received: 0.0050"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        '{"reference": {}}',
        '{"reference": {}, "files": [{"path": "a"}]}',
        '{"reference": {}, "files": [{"path": "a", "unknown": 1}]}',
        '{"reference": {}, "files": 3}',
    ],
)
def test_a_damaged_report_is_refused(tmp_path, text):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        export.load_report(path)
    assert str(caught.value).startswith(f"{path}: not a report that tfpipe wrote (")


def test_a_report_cut_in_the_middle_is_refused(tmp_path):
    path = REPORT.to_json(tmp_path / "report.json")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="not a report that tfpipe wrote"):
        export.load_report(path)


def test_a_missing_report_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"report\.json"):
        export.load_report(tmp_path / "report.json")
