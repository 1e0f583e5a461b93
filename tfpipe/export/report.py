"""What verification found: one row per file, printed as a table, kept as JSON."""

import dataclasses
import json
import math
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
        latency_ms: median time for one example alone, in milliseconds.
        latency_p95_ms: what 95 % of the examples take at most.
        threads: that it could use while it was timed.
        peak_memory_bytes: by how much a process that holds the runtime alone grew at its highest
            to open and run the file (resident memory); None where that cannot be told: of a
            `.keras` file, and where the system is not Linux.
        agreement: the share of examples on which it answers as the reference does; of labels and
            of a mask's pixels, their share; of numbers, the share of examples that differ by at
            most a twentieth of the targets' standard deviation.
        max_abs_diff: the largest difference from the reference's scores.
        mean_abs_diff: the mean difference, all scores of all examples alike.
        score: the task's score, such as accuracy, of which more is better.
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
    """The reference and the files; prints as a table.

    Args:
        reference: `path`, `format`, `score_name`, `score`, `sparsity` and `num_examples`;
            `labels_left_out`, the places of labels that have no area under a ROC curve, where
            there are any; `dense_score`, where a caller adds it.
        files: a row per file.
    """

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

    def notes(self) -> list[str]:
        """What the table does not show: in how many threads, what is left out, what is wrong."""
        said = []
        for number in dict.fromkeys(file.threads for file in self.files):
            names = ", ".join(file.path for file in self.files if file.threads == number)
            said.append(f"Timed in {number} thread{'' if number == 1 else 's'}: {names}.")
        if "labels_left_out" in self.reference:
            labels = ", ".join(map(str, self.reference["labels_left_out"]))
            said.append(f"Labels without a score, as all targets are the same: {labels}.")
        faults = (file for file in self.files if file.fault)
        return said + [f"{file.path} cannot be used: {file.fault}." for file in faults]

    def __str__(self) -> str:
        return "\n".join([text_table(COLUMNS, self.rows()), self.summary(), *self.notes()])

    def to_json(self, path: Path) -> pathlib.Path:
        """Writes the report as JSON and returns the path."""
        return write_json(path, dataclasses.asdict(self))

    def require(
        self,
        *,
        agreement: float = 0.0,
        score_lost: float = math.inf,
        score_lost_high: float = math.inf,
    ) -> None:
        """Refuses files that are not good enough, and those with a `fault` in any case.

        `score_lost` is about the examples that were verified: what was lost on them.
        `score_lost_high` is about the ones to come: with few examples, the upper end of the
        interval is high although little was lost, and only more examples can lower it.

        Args:
            agreement: the least agreement, from 0 to 1.
            score_lost: the most that may be lost of the score.
            score_lost_high: the most that the upper end of its 95 % interval may be.

        Raises:
            RequestError: the first file that misses a bar, with both numbers.
        """
        for file in self.files:
            if file.fault:
                raise RequestError(f"{file.path} cannot be used: {file.fault}.")
            if file.agreement < agreement:
                raise _missed(file, "an agreement of at least", agreement, file.agreement)
            if file.score_lost > score_lost:
                raise _missed(file, "a score lost of at most", score_lost, file.score_lost)
            if file.score_lost_high > score_lost_high:
                expected = "a score lost that is with 95 % confidence at most"
                raise _missed(file, expected, score_lost_high, file.score_lost_high)


def load_report(path: Path) -> Report:
    """Reads what `Report.to_json` wrote.

    Raises:
        DataError: the file does not hold a report, or one of another version of tfpipe.
    """
    file = pathlib.Path(path)
    try:
        value = json.loads(file.read_bytes())
        head, rows = dict(value["reference"]), [dict(row) for row in value["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(file, f"not a report that tfpipe wrote ({error!r})") from None
    names = {field.name for field in dataclasses.fields(FileReport)}
    for row in rows:
        if set(row) != names:
            raise DataError(file, _another_version(names, set(row)))
    return Report(head, tuple(FileReport(**row) for row in rows))


def _another_version(expected: set[str], found: set[str]) -> str:
    lacks, has = (", ".join(sorted(names)) for names in (expected - found, found - expected))
    parts = [f"it lacks {lacks}"] if lacks else []
    parts += [f"it has {has}"] if has else []
    return (
        f"a report of another version of tfpipe ({', '.join(parts)}). Verify the files again, "
        "or remove the report"
    )


def _missed(file: FileReport, expected: str, bar: float, found: float) -> RequestError:
    return RequestError(f"{file.path}: expected {expected} {bar}. Received: {found:.4f}")


def _row(file: FileReport) -> list[str]:
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
        f"{file.score_lost:+.4f}",
        f"{file.score_lost_low:+.4f} to {file.score_lost_high:+.4f}",
        f"{file.sparsity:.3f}",
    ]
