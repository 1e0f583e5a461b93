"""How well scores fit their targets: one score for each kind of task, and its resamples.

A task keeps a row of numbers per example, from which its score on any choice of the examples is
found without running anything again: that is what a bootstrap needs.

Example:

    task = choose("auto", expected, targets)                   # of the first batch
    rows = np.concatenate([task.rows(scores, targets) for scores, targets in batches])
    task.score(rows, np.ones((1, len(rows))))                  # of all examples
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tfpipe.errors import RequestError, received
from tfpipe.export.areas import weighted_areas

Array = np.ndarray
Score = Callable[[Array, Array], float]


class Task(NamedTuple):
    """What is asked of a model.

    Args:
        name: of the score, of which more is better.
        answers: from scores (N, ...) to what the model says, or None if the scores are it.
        rows: from scores and targets to float64 (N, K).
        score: from rows (N, K) and counts (R, N), how often each example is in each of R
            samples, to (R,) scores; nan where a sample has none.
    """

    name: str
    answers: Callable[[Array], Array] | None
    rows: Callable[[Array, Array], Array]
    score: Callable[[Array, Array], Array]


def choose(score: str | Score, scores: Array, targets: Array) -> Task:
    """The task, by the reference's scores and the targets of a first batch.

    | targets | scores | the score |
    | --- | --- | --- |
    | whole numbers (N,) | (N, classes) | accuracy |
    | 0 or 1, (N,) or (N, 1) | (N, 1) | binary accuracy, at 0.5 |
    | 0 or 1, (N, labels) | (N, labels) | the mean area under the ROC curve over the labels |
    | whole numbers (N, H, W) or (N, H, W, 1) | (N, H, W, classes) | mean IoU; of 1 class, at 0.5 |
    | fractions, as many as scores | (N, ...) | R2, the mean over the last axis |

    A mean leaves out what has no score: a label without both answers, a class that is neither
    there nor predicted.

    Args:
        score: "auto", or a function from (scores, targets) to a number of which more is better.
        scores: the reference's.
        targets: of the same examples.

    Raises:
        RequestError: the targets do not fit the scores in any of these ways.
    """
    task = _auto(scores, targets)
    if task is LABELS or (task.answers is _classes and scores.shape[-1] == 1):
        _require_probabilities(scores)
    if score == "auto":
        return task
    if not callable(score):
        expected = "`score` to be 'auto' or a function of (scores, targets)"
        raise RequestError(received(expected, score=score))
    return _own(score, task, scores.shape[1:], targets.shape[1:])


def left_out(rows: Array) -> list[int]:
    """The labels that have no area under a ROC curve: all their targets are the same.

    Args:
        rows: what the multi-label task keeps.
    """
    _, targets = np.split(rows, 2, axis=1)
    return np.flatnonzero(targets.min(0) == targets.max(0)).tolist()


def _auto(scores: Array, targets: Array) -> Task:
    whole, last = targets.dtype.kind in "iub", scores.shape[-1]
    shape = targets.shape[:-1] if targets.shape[1:] and targets.shape[-1] == 1 else targets.shape
    one = shape == scores.shape[:-1]  # one class for each place that has scores
    if whole and one and scores.ndim == 4:
        return _mask(max(last, 2))
    if whole and one and scores.ndim == 2:
        return BINARY if last == 1 else ACCURACY
    if whole and scores.ndim == 2 and targets.shape == scores.shape:
        return LABELS
    if not whole and targets.size == scores.size and len(targets) == len(scores):
        return _numbers(float(targets.mean(dtype=np.float64)))
    raise RequestError(
        "Expected targets that fit the scores: whole numbers (N,) or (N, H, W) for classes, "
        "(N, labels) for labels, or as many fractions as there are scores. "
        f"Received: {targets.dtype} of shape {targets.shape} for scores of shape {scores.shape}"
    )


def _require_probabilities(scores: Array) -> None:
    if scores.min() < 0 or scores.max() > 1:
        raise RequestError(
            "Expected a reference that gives probabilities, as each of its scores is held against "
            "0.5: one that ends in a sigmoid. "
            f"Received: scores from {scores.min():.4g} to {scores.max():.4g}"
        )


def _classes(scores: Array) -> Array:
    """The class of the largest score; of a single score, whether it is over 0.5."""
    return scores[..., 0] > 0.5 if scores.shape[-1] == 1 else scores.argmax(-1)


def _whole(scores: Array, targets: Array, num_classes: int) -> Array:
    """The targets as classes, in the shape of the answers."""
    classes = targets.reshape(scores.shape[:-1]).astype(np.int64)
    if classes.min() < 0 or classes.max() >= num_classes:
        found = classes.max() if classes.max() >= num_classes else classes.min()
        raise RequestError(
            f"Expected targets from 0 to {num_classes - 1}, as the model has {num_classes} "
            f"classes. Received: {found}"
        )
    return classes


def _hits(scores: Array, targets: Array) -> Array:
    classes = _whole(scores, targets, max(2, scores.shape[-1]))
    return (_classes(scores) == classes).astype(np.float64)[:, None]


def _share(rows: Array, counts: Array) -> Array:
    return (counts @ rows)[:, 0] / counts.sum(1)


def _labels(scores: Array, targets: Array) -> Array:
    return np.concatenate([scores, _whole(scores[..., None], targets, 2)], 1, dtype=np.float64)


def _area(rows: Array, counts: Array) -> Array:
    scores, targets = np.split(rows, 2, axis=1)
    pairs = zip(scores.T, targets.T == 1, strict=True)
    return _mean([weighted_areas(values, positive, counts) for values, positive in pairs])


def _overlaps(scores: Array, targets: Array, num_classes: int) -> Array:
    """Per example and class: the pixels in both masks, then those in either."""
    classes, given = _whole(scores, targets, num_classes), _classes(scores)
    both, either = [], []
    for place in range(num_classes):
        there, said = classes == place, given == place
        both.append((there & said).sum((1, 2)))
        either.append((there | said).sum((1, 2)))
    return np.stack(both + either, 1).astype(np.float64)


def _iou(rows: Array, counts: Array) -> Array:
    both, either = np.split(counts @ rows, 2, axis=1)
    return _mean(np.divide(both, either, out=np.full_like(both, np.nan), where=either > 0).T)


def _mask(num_classes: int) -> Task:
    return Task("mean IoU", _classes, lambda s, t: _overlaps(s, t, num_classes), _iou)


def _numbers(centre: float) -> Task:
    """R2; the targets' squares are taken about a number in their midst, to lose no digits."""
    return Task("R2", None, lambda scores, targets: _errors(scores, targets, centre), _r2)


def _errors(scores: Array, targets: Array, centre: float) -> Array:
    """Per example and output: the squared error, the target, its square, how many they are."""
    columns = (len(scores), -1, scores.shape[-1])
    moved = (values.reshape(columns).astype(np.float64) - centre for values in (scores, targets))
    given, wanted = moved
    parts = ((given - wanted) ** 2, wanted, wanted**2, np.ones_like(wanted))
    return np.concatenate([part.sum(1) for part in parts], 1)


def _r2(rows: Array, counts: Array) -> Array:
    errors, sums, squares, numbers = np.split(counts @ rows, 4, axis=1)
    spread = squares - sums**2 / numbers
    # What rounding leaves of targets that are all the same is no spread.
    known = spread > 1e-12 * squares
    return _mean(1 - np.divide(errors, spread, out=np.full_like(errors, np.nan), where=known).T)


def _mean(parts: list[Array] | Array) -> Array:
    """The mean over the first axis of what is not nan."""
    values = np.asarray(parts)
    known = ~np.isnan(values)
    total, number = np.where(known, values, 0).sum(0), known.sum(0)
    return np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)


def _own(score: Score, task: Task, shape: tuple[int, ...], wanted: tuple[int, ...]) -> Task:
    """The caller's function: the rows are the scores and targets themselves."""
    size = int(np.prod(shape))

    def rows(scores: Array, targets: Array) -> Array:
        parts = [values.reshape(len(scores), -1) for values in (scores, targets)]
        return np.concatenate(parts, 1, dtype=np.float64)

    def on_samples(rows: Array, counts: Array) -> Array:
        found = []
        for count in counts:
            chosen = rows[np.repeat(np.arange(len(rows)), count.astype(np.int64))]
            scores, targets = chosen[:, :size], chosen[:, size:]
            found.append(score(scores.reshape(-1, *shape), targets.reshape(-1, *wanted)))
        return np.array(found, np.float64)

    return Task(getattr(score, "__name__", "score"), task.answers, rows, on_samples)


ACCURACY = Task("accuracy", _classes, _hits, _share)
BINARY = Task("binary accuracy", _classes, _hits, _share)
LABELS = Task("mean AUROC", lambda scores: scores > 0.5, _labels, _area)
