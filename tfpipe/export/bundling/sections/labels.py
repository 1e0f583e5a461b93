"""Several labels per example: the area under the ROC curve of each, and who says otherwise."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfpipe.export.bundling.sections.results import (
    MOST_SHOWN,
    Line,
    Results,
    Section,
    shown,
    where_any,
)
from tfpipe.export.scoring.labels import cells, columns, how_chosen
from tfpipe.report import html_table

MIDDLE = 0.5  # where a label has no threshold


def label_sections(
    results: Results, names: Sequence[str], about: Mapping[str, Any]
) -> list[Section]:
    """The sections for `labels`.

    Args:
        results: see there.
        names: the labels'.
        about: what the report says of them: `rows` and `chosen_on`.
    """
    return [
        ("Labels", _table(about)),
        ("Where a file leaves the model", _disagreements(results, names, about["rows"])),
    ]


def _table(about: Mapping[str, Any]) -> str:
    rows = about["rows"]
    table = html_table(columns(rows), [cells(row) for row in rows])
    return f"{table}\n<p>{html.escape(how_chosen(about))}</p>"


def _disagreements(
    results: Results, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> str:
    given = np.array([MIDDLE if r["threshold"] is None else r["threshold"] for r in rows])
    said = {who: scores > given for who, scores in results.label_scores.items()}
    model, truths = said[results.reference], results.targets == 1
    differs = {file: (said[file] != model).any(axis=1) for file in results.files}
    places = where_any(differs.values(), results.total)

    def of_all(place: int) -> list[Line]:
        files = [file for file in results.files if differs[file][place]]
        rows = [(file, said[file][place]) for file in files] + [("model", model[place])]
        truth = truths[place]
        lines = [(f"{who}: {_words(row, names)}", bool((row != truth).any())) for who, row in rows]
        return [*lines, (f"labels: {_words(truth, names)}", False)]

    examples = results.examples(places[:MOST_SHOWN])
    at = "<p>At these thresholds, or at 0.5 where there is none.</p>\n"
    return at + shown(results, examples, places, of_all)


def _words(row: np.ndarray, names: Sequence[str]) -> str:
    return ", ".join(name for name, is_so in zip(names, row, strict=True) if is_so) or "none"
