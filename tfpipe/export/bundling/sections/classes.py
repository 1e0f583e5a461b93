"""One class per example: confusion matrices, where a file leaves the model, wrong answers."""

import html
from collections.abc import Mapping, Sequence

import numpy as np

from tfpipe.export.bundling.sections.results import (
    MOST_SHOWN,
    Line,
    Results,
    Section,
    chosen,
    shown,
)
from tfpipe.report import confusion, figure, html_table

MOST_CLASSES = 20  # of a confusion matrix whose numbers can be read
MOST_PAIRS = 15


def class_sections(results: Results, names: Sequence[str]) -> list[Section]:
    """The sections for `label`: targets (N,), scores (N, C), or (N, 1) of two classes."""
    given = {who: chosen(scores) for who, scores in results.scores.items()}
    return [
        ("Confusion matrix", _confusions(results.targets, given, names)),
        ("Where a file leaves the model", _disagreements(results, given, names)),
        ("Wrong answers", _wrong(results, given[results.reference], names)),
    ]


def _confusions(labels: np.ndarray, given: Mapping[str, np.ndarray], names: Sequence[str]) -> str:
    """One matrix for all that have the same."""
    matrices: list[tuple[np.ndarray, list[str]]] = []
    for who, answer in given.items():
        counts = np.zeros((len(names), len(names)), np.int64)
        np.add.at(counts, (labels, answer), 1)
        same = [owners for matrix, owners in matrices if np.array_equal(matrix, counts)]
        if same:
            same[0].append(who)
        else:
            matrices.append((counts, [who]))
    return "\n".join(
        f"<h3>{html.escape(', '.join(owners))}</h3>\n{_confusion(counts, names)}"
        for counts, owners in matrices
    )


def _confusion(counts: np.ndarray, names: Sequence[str]) -> str:
    alt = "Confusion matrix: true classes by predicted ones."
    if len(names) <= MOST_CLASSES:
        return figure(confusion(counts, names), alt=alt)
    errors = counts - np.diag(np.diag(counts))
    order = np.argsort(-(errors.sum(0) + errors.sum(1)), kind="stable")
    worst = np.sort(order[:MOST_CLASSES])
    inner = np.ix_(worst, worst)
    caption = (
        f"{MOST_CLASSES} of {len(names):,} classes: those with the most errors. "
        f"{int(errors[inner].sum()):,} of {int(errors.sum()):,} errors are between them."
    )
    picture = confusion(counts[inner], [names[place] for place in worst])
    return figure(picture, alt=alt, caption=caption) + _pairs(errors, counts, names)


def _pairs(errors: np.ndarray, counts: np.ndarray, names: Sequence[str]) -> str:
    """The most frequent errors as a table."""
    order = np.argsort(-errors, axis=None, kind="stable")[:MOST_PAIRS]
    pairs = [divmod(int(place), len(names)) for place in order if errors.flat[place]]
    rows: list[list[str | float]] = [
        [names[true], names[answer], int(errors[true, answer]), int(counts[true].sum())]
        for true, answer in pairs
    ]
    columns = ["true", "answered", "times", "of"]
    return f"\n<h3>The most frequent errors</h3>\n{html_table(columns, rows)}" if rows else ""


def _disagreements(results: Results, given: Mapping[str, np.ndarray], names: Sequence[str]) -> str:
    model = given[results.reference]
    differs = {file: given[file] != model for file in results.files}
    places = np.flatnonzero(np.logical_or.reduce([*differs.values(), np.zeros(len(model), bool)]))
    if not len(places):
        return f"<p>Nowhere, on {len(model):,} examples.</p>"

    def lines(place: int) -> list[Line]:
        label = results.targets[place]
        files = [file for file in results.files if differs[file][place]]
        said = [(file, given[file][place]) for file in files] + [("model", model[place])]
        return [
            *((f"{who}: {names[answer]}", bool(answer != label)) for who, answer in said),
            (f"label: {names[label]}", False),
        ]

    return shown(results.inputs, places, [lines(place) for place in places[:MOST_SHOWN]])


def _wrong(results: Results, given: np.ndarray, names: Sequence[str]) -> str:
    places = np.flatnonzero(given != results.targets)
    who = html.escape(results.reference)
    if not len(places):
        return f"<p>{who} answers all {len(given):,} examples as their labels say.</p>"
    lines: list[list[Line]] = [
        [(names[given[place]], True), (f"label: {names[results.targets[place]]}", False)]
        for place in places[:MOST_SHOWN]
    ]
    return f"<p>Of {who}.</p>\n{shown(results.inputs, places, lines)}"
