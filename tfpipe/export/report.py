"""What verification found: one row per file, printed as a table, kept as JSON."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from tfpipe.errors import DataError, RequestError
from tfpipe.files import Path, write_json
from tfpipe.report import human_bytes, text_table

COLUMNS = (
    "file",
    "bytes",
    "zipped",
    "ms/image",
    "agreement",
    "max diff",
    "score",
    "lost",
    "sparsity",
)


@dataclasses.dataclass(frozen=True)
class FileReport:
    """One file, run on every example.

    Args:
        path: the file's name, or the folder's.
        format: "tflite", "onnx", "saved_model" or "keras".
        mode: "float32", "float16", "dynamic", "int8" or "int16x8", as the file itself says.
        bytes: its size; a folder's is that of its files together.
        zipped_bytes: its size in a zip archive (deflate, level 9), as an app store ships it.
        latency_ms: median time for one example alone, in milliseconds.
        latency_p95_ms: the time that 95 % of the examples keep.
        threads: in which it was timed.
        peak_memory_bytes: by how much a process of its own grew to open and run it; None where
            that cannot be told.
        agreement: the share of examples on which it answers as the reference does.
        max_abs_diff: the largest difference from the reference's scores.
        mean_abs_diff: the mean difference, all scores of all examples alike.
        score: the task's score, such as accuracy.
        score_lost: the reference's score less this one; negative if the file is better.
        score_lost_low: the lower end of its 95 % interval, bootstrapped over the examples.
        score_lost_high: the upper end.
        sparsity: the share of zeros in its weights.
        operators: how often it has each of its runtime's operators, by name.
        fault: why it cannot be used, whatever its score; "" if it can.
    """

    path: str
    format: str
    mode: str
    bytes: int
    zipped_bytes: int
    latency_ms: float
    latency_p95_ms: float
    threads: int
    peak_memory_bytes: int | None
    agreement: float
    max_abs_diff: float
    mean_abs_diff: float
    score: float
    score_lost: float
    score_lost_low: float
    score_lost_high: float
    sparsity: float
    operators: Mapping[str, int]
    fault: str = ""


@dataclasses.dataclass(frozen=True)
class Report:
    """The reference and the files; prints as a table."""

    reference: Mapping[str, Any]
    files: tuple[FileReport, ...]

    def rows(self) -> list[list[str]]:
        """The cells of the table, a row per file; `COLUMNS` are their heads."""
        return [_row(file) for file in self.files]

    def summary(self) -> str:
        """One sentence about the reference."""
        head = self.reference
        before = f" Before pruning: {head['dense_score']:.4f}." if "dense_score" in head else ""
        return (
            f"The reference is {head['path']}: {head['score_name']} {head['score']:.4f} on "
            f"{head['num_examples']:,} examples, sparsity {head['sparsity']:.3f}.{before}"
        )

    def __str__(self) -> str:
        return f"{text_table(COLUMNS, self.rows())}\n{self.summary()}"

    def to_json(self, path: Path) -> pathlib.Path:
        """Writes the report as JSON and returns the path."""
        return write_json(path, dataclasses.asdict(self))

    def require(self, *, agreement: float = 0.0, score_lost: float = 1.0) -> None:
        """Refuses files that are not good enough.

        Args:
            agreement: the least agreement, from 0 to 1.
            score_lost: the most that may be lost of the score.

        Raises:
            RequestError: the first file that misses a bar, with both numbers.
        """
        for file in self.files:
            if file.agreement < agreement:
                raise RequestError(
                    f"{file.path}: expected an agreement of at least {agreement}. "
                    f"Received: {file.agreement:.4f}"
                )
            if file.score_lost > score_lost:
                raise RequestError(
                    f"{file.path}: expected a score lost of at most {score_lost}. "
                    f"Received: {file.score_lost:.4f}"
                )


def load_report(path: Path) -> Report:
    """Reads what `Report.to_json` wrote.

    Raises:
        DataError: the file does not hold a report.
    """
    file = pathlib.Path(path)
    try:
        value = json.loads(file.read_bytes())
        return Report(value["reference"], tuple(FileReport(**row) for row in value["files"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(file, f"not a report that tfpipe wrote ({error!r})") from None


def _row(file: FileReport) -> list[str]:
    return [
        file.path,
        human_bytes(file.bytes),
        human_bytes(file.zipped_bytes),
        f"{file.latency_ms:.3f}",
        f"{file.agreement:.4f}",
        f"{file.max_abs_diff:.1e}",
        f"{file.score:.4f}",
        f"{file.score_lost:+.4f}",
        f"{file.sparsity:.3f}",
    ]
