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
from tfpipe.export.scoring import boxes, measures

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
        kept: whether answers and targets are small enough to be kept of every example.
        agreement: from scores (N, ...) and the reference's to how far both say the same, (N,);
            None: the share of equal answers.
        more: from all rows to a sentence with what the score leaves out; None: there is none.
        parts: where the score is a mean over labels or classes: from rows and counts, as `score`
            takes them, to what it is the mean of, (P, R) fractions; nan where a sample lacks one.
    """

    name: str
    answers: Callable[[Array], Array] | None
    rows: Callable[[Array, Array], Array]
    score: Callable[[Array, Array], Array]
    kept: bool = True
    agreement: Callable[[Array, Array], Array] | None = None
    more: Callable[[Array], str] | None = None
    parts: Callable[[Array, Array], Array] | None = None


def choose(score: str | Score, scores: Array, targets: Array) -> Task:
    """The task, by the reference's scores and the targets of a first batch.

    | targets | scores | the score |
    | --- | --- | --- |
    | whole numbers (N,) | (N, classes) | accuracy |
    | 0 or 1, (N,) or (N, 1) | (N, 1) | binary accuracy, at 0.5 |
    | 0 or 1, (N, labels) | (N, labels) | the mean area under the ROC curve over the labels |
    | whole numbers (N, H, W) or (N, H, W, 1) | (N, H, W, classes) | mean IoU; of 1 class, at 0.5 |
    | boxes, fractions (N, boxes, 5) | (N, anchors, 4 + classes) | mAP@50, COCO's |
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
    if task is BOXES:
        _require_probabilities(scores[..., 4:])
    if task is LABELS or (task.answers is measures.class_of and scores.shape[-1] == 1):
        _require_probabilities(scores)
    if score == "auto":
        return task
    if not callable(score):
        expected = "`score` to be 'auto' or a function of (scores, targets)"
        raise RequestError(received(expected, score=score))
    if task is BOXES:
        raise RequestError(
            "Expected `score` to be 'auto' for boxes, which are scored by COCO's mAP."
        )
    return _own(score, task, scores[:1], targets[:1])


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
    if not whole and _are_boxes(scores, targets):
        return BOXES
    if not whole and targets.size == scores.size and len(targets) == len(scores):
        return _numbers(float(targets.mean(dtype=np.float64)))
    raise RequestError(
        "Expected targets that fit the scores: whole numbers (N,) or (N, H, W) for classes, "
        "(N, labels) for labels, (N, boxes, 5) for boxes (`models.box_targets`), or as many "
        "fractions as there are scores. "
        f"Received: {targets.dtype} of shape {targets.shape} for scores of shape {scores.shape}"
    )


def _are_boxes(scores: Array, targets: Array) -> bool:
    """Whether boxes with classes are asked for, and boxes with scores given."""
    three_axes = scores.ndim == targets.ndim == 3 and scores.shape != targets.shape
    return three_axes and targets.shape[-1] == 5 and scores.shape[-1] > 4


def _require_probabilities(scores: Array) -> None:
    if scores.min() < 0 or scores.max() > 1:
        raise RequestError(
            "Expected a reference that gives probabilities, as each of its scores is held against "
            "0.5: one that ends in a sigmoid. "
            f"Received: scores from {scores.min():.4g} to {scores.max():.4g}"
        )


def _mask(num_classes: int) -> Task:
    return Task(
        "mean IoU",
        measures.class_of,
        lambda s, t: measures.overlap_rows(s, t, num_classes),
        measures.mean_iou,
        kept=False,
        parts=measures.class_ious,
    )


def _numbers(centre: float) -> Task:
    """R2; the targets' squares are taken about a number in their midst, to lose no digits."""
    return Task(
        "R2",
        None,
        lambda scores, targets: measures.error_rows(scores, targets, centre),
        measures.r2,
    )


def _own(score: Score, task: Task, one: Array, wanted: Array) -> Task:
    """The caller's function, for scores and targets like these: the rows are both themselves."""

    def rows(scores: Array, targets: Array) -> Array:
        parts = [values.reshape(len(scores), -1) for values in (scores, targets)]
        return np.concatenate(parts, 1, dtype=np.float64)

    def on_samples(rows: Array, counts: Array) -> Array:
        scores, targets = (
            part.reshape(-1, *like.shape[1:]).astype(like.dtype)
            for part, like in zip(np.split(rows, [one.size], axis=1), (one, wanted), strict=True)
        )
        drawn = [np.repeat(np.arange(len(rows)), count.astype(np.int64)) for count in counts]
        return np.array([score(scores[places], targets[places]) for places in drawn], np.float64)

    return Task(getattr(score, "__name__", "score"), task.answers, rows, on_samples, task.kept)


ACCURACY = Task("accuracy", measures.class_of, measures.hit_rows, measures.mean_hits)
BINARY = Task("binary accuracy", measures.class_of, measures.hit_rows, measures.mean_hits)
BOXES = Task(
    "mAP@50",
    boxes.found,
    boxes.box_rows,
    boxes.mean_precision_50,
    kept=False,
    agreement=boxes.agreement,
    more=boxes.in_words,
    parts=boxes.class_precisions_50,
)
LABELS = Task(
    "mean AUROC",
    lambda scores: scores > 0.5,
    measures.label_rows,
    measures.mean_area,
    parts=measures.label_areas,
)
