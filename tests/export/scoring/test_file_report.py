"""A file's row: every number in its column, as a person reads it."""

from tfpipe.export.scoring.file_report import COLUMNS, FileReport, cells


def test_the_cells_stand_under_their_heads():
    row = FileReport(
        path="int8.tflite",
        format="tflite",
        mode="int8",
        bytes=69_000,
        zipped_bytes=23_456,
        latency_ms=12.3456,
        latency_p95_ms=13.9,
        threads=1,
        peak_memory_bytes=1_234_567,
        agreement=0.98765,
        max_abs_diff=0.031,
        mean_abs_diff=0.0042,
        score=0.97,
        score_lost=-0.005,
        score_lost_low=-0.01,
        score_lost_high=0.001,
        sparsity=0.8,
        operators={"CONV_2D": 2},
    )
    assert dict(zip(COLUMNS, cells(row), strict=True)) == {
        "file": "int8.tflite",
        "bytes": "69.0 kB",
        "zipped": "23.5 kB",
        "ms": "12.346",
        "memory": "1.2 MB",
        "agreement": "0.9877",
        "max diff": "3.1e-02",
        "score": "0.9700",
        "lost": "-0.0050",
        "95 % interval": "-0.0100 to +0.0010",
        "sparsity": "0.800",
    }
