"""One class per example: confusion matrices, where a file leaves the model, wrong answers."""

import html
from collections.abc import Mapping, Sequence

import numpy as np

from tfpipe.export.bundling.sections.results import (
    MOST_SHOWN,
    Line,
    Results,
    Section,
    shown,
    where_any,
)
from tfpipe.report import confusion, figure, html_table

MOST_CLASSES = 20  # of a confusion matrix whose numbers can be read
MOST_PAIRS = 15


def class_sections(results: Results, names: Sequence[str]) -> list[Section]:
    """The sections for `label`."""
    given = {who: answers.astype(np.int64) for who, answers in results.given.items()}
    labels, model = results.targets.reshape(-1), given[results.reference]
    differs = {file: given[file] != model for file in results.files}
    left, wrong = where_any(differs.values(), results.total), np.flatnonzero(model != labels)
    examples = results.examples([*left[:MOST_SHOWN], *wrong[:MOST_SHOWN]])

    def of_all(place: int) -> list[Line]:
        files = [file for file in results.files if differs[file][place]]
        said = [(file, given[file][place]) for file in files] + [("model", model[place])]
        lines = [(f"{who}: {names[answer]}", bool(answer != labels[place])) for who, answer in said]
        return [*lines, (f"label: {names[labels[place]]}", False)]

    def of_model(place: int) -> list[Line]:
        return [(names[model[place]], True), (f"label: {names[labels[place]]}", False)]

    who = f"<p>Of {html.escape(results.reference)}.</p>\n"
    return [
        ("Confusion matrix", _confusions(labels, given, names)),
        ("Where a file leaves the model", shown(results, examples, left, of_all)),
        ("Wrong answers", who + shown(results, examples, wrong, of_model)),
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
