"""What verification found: one row per file, printed as a table, kept as JSON."""

import dataclasses
import json
import math
import pathlib
from collections.abc import Mapping, Set
from typing import Any

from tfpipe.errors import DataError, RequestError
from tfpipe.export.scoring import labels
from tfpipe.export.scoring.file_report import COLUMNS, FileReport, cells
from tfpipe.files import Path, write_json
from tfpipe.report import text_table
from tfpipe.report.tables import terminal_width

__all__ = ["COLUMNS", "FileReport", "Report", "load_report"]

# What every report's `reference` has.
HEAD = {
    *("path", "format", "score_name", "score", "score_low", "score_high"),
    *("sparsity", "num_examples", "timed"),
}


@dataclasses.dataclass(frozen=True)
class Report:
    """The reference and the files; prints as a table, which takes no more than a terminal's width.

    Args:
        reference: `path`, `format`, `score_name`, `score`, and the ends of its 95 % interval,
            `score_low` and `score_high`, bootstrapped over the examples; `sparsity`;
            `num_examples`; `timed`, what was run alone for the time: "example", or "window of a
            text"; `labels_left_out`, the places of labels that have no area under a ROC curve,
            where there are any; `more`, a sentence with scores beside the one, of boxes.
        files: a row per file.

    Example:

    >>> row = FileReport(
    ...     "int8.tflite", "tflite", "int8", bytes=69_000, zipped_bytes=23_456, latency_ms=0.02,
    ...     latency_p95_ms=0.04, threads=1, peak_memory_bytes=None, agreement=0.99,
    ...     max_abs_diff=0.03, mean_abs_diff=0.004, score=0.97, score_lost=0.005,
    ...     score_lost_low=-0.001, score_lost_high=0.011, sparsity=0.8, operators={"CONV_2D": 2},
    ... )
    >>> Report({}, (row,)).require(agreement=0.98, score_lost=0.01)
    >>> Report({}, (row,)).require(score_lost=0.001)
    Traceback (most recent call last):
    tfpipe.errors.RequestError: int8.tflite: expected a score lost of at most 0.001. ...
    """

    reference: Mapping[str, Any]
    files: tuple[FileReport, ...]

    def telling(self, **facts: Any) -> "Report":
        """The same report, whose reference has these values, too."""
        return dataclasses.replace(self, reference={**self.reference, **facts})

    def rows(self) -> list[list[str]]:
        """The cells of the table, a row per file; `COLUMNS` are their heads."""
        return [cells(file) for file in self.files]

    def summary(self) -> str:
        """One sentence about the reference."""
        head = self.reference
        return (
            f"The reference is {head['path']}: {head['score_name']} {head['score']:.4f} "
            f"({self.interval()}) on {head['num_examples']:,} examples, "
            f"sparsity {head['sparsity']:.3f}."
        )

    def interval(self) -> str:
        """How sure the reference's score is, as in "95 %: 0.986 to 1.000"."""
        low, high = (self.reference[name] for name in ("score_low", "score_high"))
        return f"95 %: {low:.3f} to {high:.3f}"

    def notes(self) -> list[str]:
        """What the table does not show: in how many threads, what is left out, what is wrong."""
        said = []
        for number in dict.fromkeys(file.threads for file in self.files):
            names = ", ".join(file.path for file in self.files if file.threads == number)
            alone = "" if self.reference["timed"] == "example" else ", by the window"
            said.append(f"Timed in {number} thread{'' if number == 1 else 's'}{alone}: {names}.")
        if "labels_left_out" in self.reference and "labels" not in self.reference:
            places = ", ".join(map(str, self.reference["labels_left_out"]))
            said.append(f"Labels without a score, as all targets are the same: {places}.")
        if "more" in self.reference:
            said.append(f"The reference's {self.reference['more']}")
        faults = (file for file in self.files if file.fault)
        return said + [f"{file.path} cannot be used: {file.fault}." for file in faults]

    def __str__(self) -> str:
        table = text_table(COLUMNS, self.rows(), width=terminal_width())
        return "\n".join([table, self.summary(), *self.notes(), *self._labels()])

    def _labels(self) -> list[str]:
        """The table of the labels, where a bundle's report has one."""
        if "labels" not in self.reference:
            return []
        rows = self.reference["labels"]["rows"]
        lines = [labels.cells(row) for row in rows]
        table = text_table(labels.columns(rows), lines, width=terminal_width())
        return [table, labels.how_chosen(self.reference["labels"])]

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

    Example:

    >>> load_report(made.report.to_json(folder / "report.json")) == made.report
    True
    """
    file = pathlib.Path(path)
    try:
        value = json.loads(file.read_bytes())
        head, rows = dict(value["reference"]), [dict(row) for row in value["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(file, f"not a report that tfpipe wrote ({error!r})") from None
    if not head.keys() >= HEAD:
        raise DataError(file, _another_version(HEAD, HEAD & head.keys()))
    names = {field.name for field in dataclasses.fields(FileReport)}
    for row in rows:
        if set(row) != names:
            raise DataError(file, _another_version(names, set(row)))
    return Report(head, tuple(FileReport(**row) for row in rows))


def _another_version(expected: Set[str], found: Set[str]) -> str:
    lacks, has = (", ".join(sorted(names)) for names in (expected - found, found - expected))
    parts = [f"it lacks {lacks}"] if lacks else []
    parts += [f"it has {has}"] if has else []
    return (
        f"a report of another version of tfpipe ({', '.join(parts)}). Verify the files again, "
        "or remove the report"
    )


def _missed(file: FileReport, expected: str, bar: float, found: float) -> RequestError:
    return RequestError(f"{file.path}: expected {expected} {bar}. Received: {found:.4f}")
