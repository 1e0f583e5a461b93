"""What verification found of one file, and its row in the table."""

import dataclasses
from collections.abc import Mapping

from tfpipe.report import human_bytes

COLUMNS = (
    "file",
    "bytes",
    "zipped",
    "ms",
    "memory",
    "agreement",
    "max diff",
    "score",
    "lost",
    "95 % interval",
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
        latency_ms: median time for one example alone, of a text for one window, in milliseconds.
        latency_p95_ms: what 95 % of the examples take at most.
        threads: that it could use while it was timed.
        peak_memory_bytes: by how much a process that holds the runtime alone grew at its highest
            to open and run the file (resident memory); None where that cannot be told: of a
            `.keras` file, and where the system is not Linux.
        agreement: the share of examples on which it answers as the reference does; of labels and
            of a mask's pixels, their share; of boxes, twice those that both have, divided by all
            of both, in the mean over the images (see `scoring.boxes.agreement`); of numbers, the
            share of examples that differ by at most a twentieth of the targets' standard
            deviation.
        max_abs_diff: the largest difference from the reference's scores.
        mean_abs_diff: the mean difference, all scores of all examples alike.
        score: the task's score, such as accuracy, of which more is better.
        score_lost: the reference's score less this one; negative if the file is better.
        score_lost_low: the lower end of its 95 % interval, bootstrapped over the examples.
        score_lost_high: the upper end.
        sparsity: the share of zeros in its weights.
        operators: how often it has each of its runtime's operators, by name.
        fault: why it cannot be used, whatever its score; "" if it can.

    Example:

    >>> row = FileReport(
    ...     "int8.tflite", "tflite", "int8", bytes=69_000, zipped_bytes=23_456, latency_ms=0.02,
    ...     latency_p95_ms=0.04, threads=1, peak_memory_bytes=None, agreement=0.99,
    ...     max_abs_diff=0.03, mean_abs_diff=0.004, score=0.97, score_lost=0.005,
    ...     score_lost_low=-0.001, score_lost_high=0.011, sparsity=0.8, operators={"CONV_2D": 2},
    ... )
    >>> cells(row)[:3]
    ['int8.tflite', '69.0 kB', '23.5 kB']
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


def cells(file: FileReport) -> list[str]:
    """The row of the table; `COLUMNS` are its heads."""
    memory = file.peak_memory_bytes
    return [
        file.path,
        human_bytes(file.bytes),
        human_bytes(file.zipped_bytes),
        f"{file.latency_ms:.3f}",
        "-" if memory is None else human_bytes(memory),
        f"{file.agreement:.4f}",
        f"{file.max_abs_diff:.1e}",
        f"{file.score:.4f}",
        f"{file.score_lost:+z.4f}",
        f"{file.score_lost_low:+z.4f} to {file.score_lost_high:+z.4f}",
        f"{file.sparsity:.3f}",
    ]
