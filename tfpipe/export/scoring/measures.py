"""What is kept of an example to score it, and the score of samples of the examples.

Example:

    rows = hit_rows(scores, labels)                     # (N, 1): 1 where the answer is right
    mean_hits(rows, np.ones((1, len(rows))))            # the accuracy

`*_rows` make of scores (N, ...) and targets the rows (N, K) of a task, float64. The others make
of rows and counts (R, N), how often each example is in each of R samples, the scores (R,).
"""

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.export.scoring.areas import weighted_areas

Array = np.ndarray
IGNORED = -1  # of a mask's pixels: they belong to no class


def class_of(scores: Array) -> Array:
    """The class of the largest score; of a single score, whether it is over 0.5."""
    return scores[..., 0] > 0.5 if scores.shape[-1] == 1 else scores.argmax(-1)


def hit_rows(scores: Array, targets: Array) -> Array:
    """1 where the answer is right, else 0."""
    classes = _classes(scores, targets, max(2, scores.shape[-1]))
    return (class_of(scores) == classes).astype(np.float64)[:, None]


def mean_hits(rows: Array, counts: Array) -> Array:
    """The accuracy."""
    return (counts @ rows)[:, 0] / counts.sum(1)


def label_rows(scores: Array, targets: Array) -> Array:
    """The scores of all labels, then their targets."""
    return np.concatenate([scores, _classes(scores[..., None], targets, 2)], 1, dtype=np.float64)


def mean_area(rows: Array, counts: Array) -> Array:
    """The area under the ROC curve of each label, and of those the mean."""
    return known_mean(label_areas(rows, counts))


def label_areas(rows: Array, counts: Array) -> Array:
    """The area of each label, (labels, R); nan without a positive or without a negative."""
    scores, targets = np.split(rows, 2, axis=1)
    pairs = zip(scores.T, targets.T == 1, strict=True)
    return np.stack([weighted_areas(*pair, counts) for pair in pairs])


def overlap_rows(scores: Array, targets: Array, num_classes: int) -> Array:
    """The pixels of each class that are in both masks, then those that are in either.

    Pixels of the class -1 count nowhere: they are what a loss ignores.
    """
    classes = _classes(scores, targets, num_classes, least=IGNORED)
    number, cells = len(scores), num_classes**2
    places = cells * np.arange(number)[:, None, None] + num_classes * classes + class_of(scores)
    counts = np.bincount(places[classes != IGNORED], minlength=number * cells)
    confusion = counts.reshape(number, num_classes, num_classes).astype(np.float64)
    both = np.diagonal(confusion, axis1=1, axis2=2)
    return np.concatenate([both, confusion.sum(1) + confusion.sum(2) - both], 1)


def mean_iou(rows: Array, counts: Array) -> Array:
    """Intersection over union of each class, and of those the mean."""
    return known_mean(class_ious(rows, counts))


def class_ious(rows: Array, counts: Array) -> Array:
    """Intersection over union of each class, (classes, R); nan where it has no pixels."""
    both, either = np.split(counts @ rows, 2, axis=1)
    return np.divide(both, either, out=np.full_like(both, np.nan), where=either > 0).T


def error_rows(scores: Array, targets: Array, centre: float) -> Array:
    """For each output the squared error, the target, its square, and how many they are."""
    columns = (len(scores), -1, scores.shape[-1])
    moved = (values.reshape(columns).astype(np.float64) - centre for values in (scores, targets))
    given, wanted = moved
    parts = ((given - wanted) ** 2, wanted, wanted**2, np.ones_like(wanted))
    return np.concatenate([part.sum(1) for part in parts], 1)


def r2(rows: Array, counts: Array) -> Array:
    """The coefficient of determination of each output, and of those the mean."""
    errors, sums, squares, numbers = np.split(counts @ rows, 4, axis=1)
    spread = squares - sums**2 / numbers
    # What rounding leaves of targets that are all the same is no spread.
    known = spread > 1e-12 * squares
    return known_mean(
        1 - np.divide(errors, spread, out=np.full_like(errors, np.nan), where=known).T
    )


def _classes(scores: Array, targets: Array, num_classes: int, *, least: int = 0) -> Array:
    """The targets as classes, in the shape of the answers."""
    classes = targets.reshape(scores.shape[:-1]).astype(np.int64)
    if classes.min() < least or classes.max() >= num_classes:
        found = classes.max() if classes.max() >= num_classes else classes.min()
        ignored = "" if least == 0 else f", or {least} for pixels that do not count"
        raise RequestError(
            f"Expected targets from 0 to {num_classes - 1}, as the model has {num_classes} "
            f"classes{ignored}. Received: {found}"
        )
    return classes


def known_mean(values: Array) -> Array:
    """The mean over the first axis of what is not nan; nan where nothing is known."""
    known = ~np.isnan(values)
    total, number = np.where(known, values, 0).sum(0), known.sum(0)
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
