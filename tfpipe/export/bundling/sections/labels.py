"""Several labels per example: the area under the ROC curve of each, and who says otherwise."""

from collections.abc import Sequence

import numpy as np

from tfpipe.export.bundling.sections.results import MOST_SHOWN, Line, Results, Section, shown
from tfpipe.export.scoring.areas import weighted_areas
from tfpipe.report import html_table

THRESHOLD = 0.5


def label_sections(results: Results, names: Sequence[str]) -> list[Section]:
    """The sections for `labels`: targets multi-hot (N, C), scores (N, C) from 0 to 1."""
    return [
        ("Labels", _areas(results, names)),
        ("Where a file leaves the model", _disagreements(results, names)),
    ]


def _areas(results: Results, names: Sequence[str]) -> str:
    rows: list[list[str | float]] = []
    each = np.ones((1, len(results.targets)))  # counts once
    for place, name in enumerate(names):
        truths = results.targets[:, place] == 1
        areas = [
            weighted_areas(scores[:, place], truths, each)[0] for scores in results.scores.values()
        ]
        rows.append([name, int(truths.sum()), *(f"{area:.4f}" for area in areas)])
    table = html_table(["label", "examples", *results.scores], rows)
    return f"<p>The area under the ROC curve (AUROC) of each label.</p>\n{table}"


def _disagreements(results: Results, names: Sequence[str]) -> str:
    said = {who: scores > THRESHOLD for who, scores in results.scores.items()}
    model = said[results.reference]
    differs = {file: (said[file] != model).any(axis=1) for file in results.files}
    places = np.flatnonzero(np.logical_or.reduce([*differs.values(), np.zeros(len(model), bool)]))
    if not len(places):
        return f"<p>Nowhere, on {len(model):,} examples, at a score of {THRESHOLD}.</p>"

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
