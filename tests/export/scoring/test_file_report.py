"""A file's row: every number in its column, as a person reads it."""

import dataclasses

from tests.reports import ROW
from tfpipe.export.scoring.file_report import COLUMNS, cells


def test_the_cells_stand_under_their_heads():
    row = dataclasses.replace(ROW, latency_ms=12.3456, agreement=0.98765, score_lost=-0.005)
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
        "95 % interval": "-0.0010 to +0.0110",
        "sparsity": "0.800",
    }


def test_nothing_has_no_sign_of_a_loss():
    row = dataclasses.replace(ROW, score_lost=-1e-9, score_lost_low=-4e-5, score_lost_high=0.0)
    of = dict(zip(COLUMNS, cells(row), strict=True))
    assert (of["lost"], of["95 % interval"]) == ("+0.0000", "+0.0000 to +0.0000")
