"""The report: the shape of its JSON, its bars, its table."""

import dataclasses
import json

import pytest

from tests.reports import HEAD, ROW
from tfpipe import export
from tfpipe.errors import DataError, RequestError

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


def test_on_a_narrow_terminal_no_line_of_the_table_is_broken(monkeypatch):
    monkeypatch.setattr("tfpipe.export.scoring.report.terminal_width", lambda: 80)
    table = str(export.Report(HEAD, (ROW,))).split("\nThe reference is")[0]
    assert max(map(len, table.split("\n"))) <= 80
    assert [part.split()[0] for part in table.split("\n\n")] == ["file", "file"]


def test_it_prints_as_a_table_and_a_sentence():
    text = str(REPORT)
    head, _, _, line, *said = text.splitlines()
    heads = "file bytes zipped ms memory agreement max diff score lost 95 % interval sparsity"
    assert " ".join(head.split()) == heads
    assert " ".join(line.split()) == (
        "int8.tflite 69.0 kB 23.5 kB 0.021 1.2 MB 0.9900 3.1e-02 0.9700 +0.0050 "
        "-0.0010 to +0.0110 0.800"
    )
    assert said == [
        "The reference is the Keras model 'lenet5': accuracy 0.9750 (95 %: 0.967 to 0.982) on "
        "1,797 examples, sparsity 0.800.",
        "Timed in 1 thread: float32.tflite, int8.tflite.",
    ]
    assert max(map(len, text.splitlines())) <= 120


def test_what_the_table_has_no_place_for_is_said_below_it():
    fault = "it gives one answer to every example; the reference does not"
    files = (
        dataclasses.replace(ROW, peak_memory_bytes=None, threads=4, path="a.keras"),
        dataclasses.replace(ROW, fault=fault),
    )
    report = export.Report({**HEAD, "labels_left_out": [3, 7]}, files)
    assert report.rows()[0][4] == "-"
    assert str(report).splitlines()[-4:] == [
        "Timed in 4 threads: a.keras.",
        "Timed in 1 thread: int8.tflite.",
        "Labels without a score, as all targets are the same: 3, 7.",
        f"int8.tflite cannot be used: {fault}.",
    ]


def test_of_texts_a_window_is_timed():
    report = export.Report({**HEAD, "timed": "window of a text"}, REPORT.files)
    assert report.notes() == ["Timed in 1 thread, by the window: float32.tflite, int8.tflite."]


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


def test_the_interval_has_a_bar_of_its_own():
    REPORT.require(score_lost_high=0.011)
    assert refused(score_lost_high=0.01) == (
        "float32.tflite: expected a score lost that is with 95 % confidence at most 0.01. "
        "Received: 0.0110"
    )


def test_a_file_with_a_fault_passes_no_bar():
    report = export.Report(HEAD, (dataclasses.replace(ROW, fault="it is broken"),))
    with pytest.raises(RequestError) as caught:
        report.require()
    assert str(caught.value) == "int8.tflite cannot be used: it is broken."


def test_a_report_of_another_version_says_so(tmp_path):
    value = json.loads(REPORT.to_json(tmp_path / "report.json").read_bytes())
    for row in value["files"]:
        del row["threads"], row["operators"]
        row["ms"] = 1
    path = tmp_path / "report.json"
    path.write_text(json.dumps(value))
    with pytest.raises(DataError) as caught:
        export.load_report(path)
    assert str(caught.value) == (
        f"{path}: a report of another version of tfpipe (it lacks operators, threads, it has ms). "
        "Verify the files again, or remove the report"
    )


def test_a_report_from_before_scores_had_intervals_says_so(tmp_path):
    head = {name: value for name, value in HEAD.items() if name != "score_low"}
    path = export.Report(head, ()).to_json(tmp_path / "report.json")
    with pytest.raises(DataError, match=r"another version of tfpipe \(it lacks score_low\)"):
        export.load_report(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[]",
        "{}",
        '{"reference": {}}',
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
