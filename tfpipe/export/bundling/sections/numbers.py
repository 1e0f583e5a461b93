"""Numbers as targets: how far off each file is, and where it is farthest from the model."""

from collections.abc import Sequence

import numpy as np

from tfpipe.export.bundling.sections.results import MOST_SHOWN, Line, Results, Section, shown
from tfpipe.report import html_table
from tfpipe.report.words import human_number


def number_sections(results: Results, names: Sequence[str]) -> list[Section]:
    """The sections for `target`, all in the units of the data."""
    targets = results.targets.reshape(results.total, -1)
    truths = results.restored(targets)
    given = {who: results.restored(a.reshape(targets.shape)) for who, a in results.given.items()}
    errors = {who: np.abs(numbers - truths) for who, numbers in given.items()}
    rows: list[list[str | float]] = [
        [who, float(error.mean()), float(np.sqrt((error**2).mean())), float(error.max())]
        for who, error in errors.items()
    ]
    table = html_table(["file", "mean absolute error", "root mean square", "largest"], rows)
    order = np.argsort(-errors[results.reference].max(axis=1), kind="stable")[:MOST_SHOWN]

    def of_all(place: int) -> list[Line]:
        said = [(who, numbers[place]) for who, numbers in given.items()]
        return [(f"{who}: {_words(row)}", False) for who, row in (*said, ("target", truths[place]))]

    examples = shown(results, results.examples(order), order, of_all)
    return [("Errors", table), ("The largest errors", examples)]


def _words(row: np.ndarray) -> str:
    return ", ".join(human_number(float(number)) for number in row)
