"""Several labels per example: the area under the ROC curve of each, and who says otherwise."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfpipe.export.bundling.sections.results import MOST_SHOWN, Line, Results, Section, shown
from tfpipe.export.scoring.labels import cells, columns, how_chosen
from tfpipe.report import html_table

MIDDLE = 0.5  # where a label has no threshold


def label_sections(
    results: Results, names: Sequence[str], about: Mapping[str, Any]
) -> list[Section]:
    """The sections for `labels`: targets multi-hot (N, C), scores (N, C) from 0 to 1.

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
    said = {who: scores > given for who, scores in results.scores.items()}
    model = said[results.reference]
    differs = {file: (said[file] != model).any(axis=1) for file in results.files}
    places = np.flatnonzero(np.logical_or.reduce([*differs.values(), np.zeros(len(model), bool)]))
    if not len(places):
        return f"<p>Nowhere, on {len(model):,} examples, at these thresholds.</p>"

    def lines(place: int) -> list[Line]:
        files = [file for file in results.files if differs[file][place]]
        rows = [(file, said[file][place]) for file in files] + [("model", model[place])]
        truth = results.targets[place] == 1
        return [
            *((f"{who}: {_words(row, names)}", bool((row != truth).any())) for who, row in rows),
            (f"labels: {_words(truth, names)}", False),
        ]

    return shown(results.inputs, places, [lines(place) for place in places[:MOST_SHOWN]])


def _words(row: np.ndarray, names: Sequence[str]) -> str:
    return ", ".join(name for name, is_so in zip(names, row, strict=True) if is_so) or "none"
