"""What is known of each of several labels: its AUROC, how sure that is, and a threshold for it.

Example:

    thresholds = youden(val_scores, val_targets)                     # nan where there is none
    rows = label_rows(names, targets, {"model": scores, "int8.tflite": others}, thresholds)
    print(text_table(columns(rows), map(cells, rows)))

A row is a dict that JSON can hold: `label`; `positives`, how many of the examples have it; `auroc`,
from the name of the model and of each file to a number; `low` and `high`, the interval of the
model's; `threshold`; `sensitivity` and `specificity` of the model there. What does not exist is
None.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfpipe.export.scoring.areas import weighted_areas
from tfpipe.export.scoring.resampling import samples

Array = np.ndarray
Row = dict[str, Any]

SEED = 0  # of the resamples


def youden(scores: Array, targets: Array) -> Array:
    """For each label the threshold with the most sensitivity + specificity.

    Source: Youden, "Index for rating diagnostic tests", 1950. Of thresholds that are as good as
    each other it is the lowest, which finds the most positives. It lies in the middle between
    two scores, so that rounding moves few of them across.

    Args:
        scores: (N, L).
        targets: 0 or 1, (N, L); of examples that the model was not trained on, and that it will
            not be scored on with these thresholds.

    Returns:
        float64 (L,). An answer is yes above it. It is nan where no threshold is better than one
        answer for all: there is no positive, no negative, or the scores tell nothing.

    Example:

    >>> youden(np.array([[0.1], [0.2], [0.4], [0.9]]), np.array([[0], [0], [1], [1]]))
    array([0.3])
    """
    pairs = zip(scores.T.astype(np.float64), targets.T == 1, strict=True)
    return np.array([_youden(*pair) for pair in pairs])


def label_rows(
    names: Sequence[str],
    targets: Array,
    scores: Mapping[str, Array],
    thresholds: Array | None = None,
) -> list[Row]:
    """A row for each label, as described above.

    Args:
        names: the labels'.
        targets: 0 or 1, (N, L).
        scores: (N, L) by name, the model's first.
        thresholds: (L,), nan where there is none.

    Example:

    >>> truth, scores = np.array([[0], [1], [1]]), np.array([[0.1], [0.6], [0.9]])
    >>> (row,) = label_rows(["Mass"], truth, {"model": scores}, np.array([0.7]))
    >>> row["auroc"], row["sensitivity"], row["specificity"]
    ({'model': 1.0}, 0.5, 1.0)
    """
    given = np.full(len(names), np.nan) if thresholds is None else thresholds
    model = next(iter(scores.values()))
    rows = []
    for place, name in enumerate(names):
        positive = targets[:, place] == 1
        yes = model[:, place] > given[place]
        has_threshold = not np.isnan(given[place])
        low, high = _interval(model[:, place], positive)
        row = {
            "label": name,
            "positives": int(positive.sum()),
            "auroc": {who: _area(each[:, place], positive) for who, each in scores.items()},
            "low": low,
            "high": high,
            "threshold": float(given[place]) if has_threshold else None,
            "sensitivity": _share(yes[positive]) if has_threshold else None,
            "specificity": _share(~yes[~positive]) if has_threshold else None,
        }
        rows.append(row)
    return rows


def columns(rows: Sequence[Row]) -> list[str]:
    """The heads of `cells`."""
    _, *files = rows[0]["auroc"]
    return [
        *("label", "positives", "AUROC", "95 % interval"),
        *files,
        *("threshold", "sensitivity", "specificity"),
    ]


def cells(row: Row) -> list[str]:
    """A row as text."""
    areas = list(row["auroc"].values())
    missing = "no negatives" if row["positives"] else "no positives"
    interval = missing if areas[0] is None else f"{row['low']:.3f} to {row['high']:.3f}"
    rest = [*areas[1:], row["threshold"], row["sensitivity"], row["specificity"]]
    return [row["label"], f"{row['positives']:,}", _text(areas[0]), interval, *map(_text, rest)]


def how_chosen(about: Mapping[str, Any]) -> str:
    """Where the thresholds come from, in words.

    Args:
        about: `rows`, and `chosen_on`, the split that thresholds were chosen on, or None.
    """
    said = "The intervals are by a bootstrap over the examples."
    if about["chosen_on"] is None:
        return f"{said} No thresholds were chosen: that takes a split 'val' beside this one."
    return (
        f"{said} The thresholds were chosen on the split {about['chosen_on']!r} by Youden's J; "
        "sensitivity and specificity are the model's at them, here."
    )


def _youden(scores: Array, positive: Array) -> float:
    if positive.all() or not positive.any():
        return np.nan
    levels, place = np.unique(scores, return_inverse=True)
    below = (
        np.bincount(place[side], minlength=len(levels)).cumsum()[:-1] / side.sum()
        for side in (positive, ~positive)
    )
    missed, cleared = below
    gains = cleared - missed
    if not (gains > 0).any():
        return np.nan
    best = gains.argmax()
    return float(levels[best] + levels[best + 1]) / 2


def _area(scores: Array, positive: Array) -> float | None:
    (area,) = weighted_areas(scores, positive, np.ones((1, len(scores))))
    return None if np.isnan(area) else float(area)


def _interval(scores: Array, positive: Array) -> tuple[float, float] | tuple[None, None]:
    """The middle 95 % over resamples of the examples; those without a positive say nothing."""
    if positive.all() or not positive.any():
        return None, None
    drawn = [weighted_areas(scores, positive, counts) for counts in samples(len(scores), SEED)]
    low, high = np.nanquantile(np.concatenate(drawn), (0.025, 0.975))
    return float(low), float(high)


def _share(answers: Array) -> float | None:
    return float(answers.mean()) if len(answers) else None


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
