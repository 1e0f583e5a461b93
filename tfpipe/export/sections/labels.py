"""Several labels per example: the area under the ROC curve of each, and who says otherwise."""

from collections.abc import Sequence

import numpy as np

from tfpipe.export.sections.answers import MOST_SHOWN, Answers, Line, Section, shown
from tfpipe.report import html_table

THRESHOLD = 0.5


def label_sections(answers: Answers, names: Sequence[str]) -> list[Section]:
    """The sections for `labels`: targets multi-hot (N, C), scores (N, C) from 0 to 1."""
    return [
        ("Labels", _areas(answers, names)),
        ("Where a file leaves the model", _disagreements(answers, names)),
    ]


def auroc(scores: np.ndarray, truths: np.ndarray) -> float:
    """The area under the ROC curve; nan without positives or without negatives.

    It is the share of pairs (positive, negative) in the right order, ties as a half: Hanley and
    McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC)
    curve", Radiology 143 (1982).

    Args:
        scores: (N,).
        truths: (N,), 0 or 1.

    >>> auroc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1]))
    0.875
    """
    _, ranks, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2  # of equal scores, from 1
    positive = truths == 1
    num_positive, num_negative = int(positive.sum()), int((~positive).sum())
    if not num_positive or not num_negative:
        return float("nan")
    above = middle[ranks][positive].sum() - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * num_negative))


def _areas(answers: Answers, names: Sequence[str]) -> str:
    rows: list[list[str | float]] = []
    for place, name in enumerate(names):
        truths = answers.targets[:, place]
        areas = [auroc(scores[:, place], truths) for scores in answers.scores.values()]
        rows.append([name, int(truths.sum()), *(f"{area:.4f}" for area in areas)])
    table = html_table(["label", "examples", *answers.scores], rows)
    return f"<p>The area under the ROC curve (AUROC) of each label.</p>\n{table}"


def _disagreements(answers: Answers, names: Sequence[str]) -> str:
    said = {who: scores > THRESHOLD for who, scores in answers.scores.items()}
    model = said[answers.reference]
    differs = {file: (said[file] != model).any(axis=1) for file in answers.files}
    places = np.flatnonzero(np.logical_or.reduce([*differs.values(), np.zeros(len(model), bool)]))
    if not len(places):
        return f"<p>Nowhere, on {len(model):,} examples, at a score of {THRESHOLD}.</p>"

    def lines(place: int) -> list[Line]:
        files = [file for file in answers.files if differs[file][place]]
        rows = [(file, said[file][place]) for file in files] + [("model", model[place])]
        truth = answers.targets[place] == 1
        return [
            *((f"{who}: {_words(row, names)}", bool((row != truth).any())) for who, row in rows),
            (f"labels: {_words(truth, names)}", False),
        ]

    return shown(answers.inputs, places, [lines(place) for place in places[:MOST_SHOWN]])


def _words(row: np.ndarray, names: Sequence[str]) -> str:
    return ", ".join(name for name, is_so in zip(names, row, strict=True) if is_so) or "none"
