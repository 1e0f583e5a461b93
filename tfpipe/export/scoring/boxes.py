"""How well boxes are found: the average precision of COCO, and of samples of the examples.

The boxes are matched by pycocotools, once; the precision of any choice of the examples is found
from that without matching again.

Example:

    rows = box_rows(outputs, targets)                                # a row per image
    ((at_50, *_),) = average_precisions(rows, np.ones((1, len(rows))))   # of each class
"""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.export.scoring.measures import known_mean
from tfpipe.models.detections import MOST, SCORE, detections

Array = np.ndarray

OVERLAPS = np.linspace(0.5, 0.95, 10)  # of intersection and union, at which a box counts as found
RECALLS = np.linspace(0, 1, 101)
LEAST_SCORE = 0.001  # of what is ranked; far below what anybody would show
_COLUMNS = 2 + len(OVERLAPS)  # of a detection: its class, its score, whether it is right


def found(outputs: Array) -> Array:
    """What a detector says: (N, 100, 6) of `models.detections`, with its thresholds."""
    return detections(outputs)


def box_rows(outputs: Array, targets: Array) -> Array:
    """What is kept of each image.

    Args:
        outputs: (N, anchors, 4 + num_classes).
        targets: (N, boxes, 5) of `models.box_targets`: y1, x1, y2, x2, class; -1 fills up.

    Returns:
        float64 (N, 1200 + num_classes): of up to 100 detections the class, the score, and whether
        it is right at each of the ten overlaps; then how many boxes of each class there are.

    Raises:
        RequestError: a target has a class that the outputs do not have.
    """
    num_classes = outputs.shape[-1] - 4
    most = targets[..., 4].max(initial=-1)
    if most >= num_classes:
        raise RequestError(
            f"Expected boxes of the classes 0 to {num_classes - 1}, as the model has {num_classes} "
            f"classes. Received: {most:g}"
        )
    given = detections(outputs, score=LEAST_SCORE)
    ranked = np.concatenate(
        [given[..., 4:], matches(given, targets) >= 0], axis=-1, dtype=np.float64
    )
    truths = (targets[..., 4, None] == np.arange(num_classes)).sum(1)
    return np.concatenate([ranked.reshape(len(given), -1), truths], axis=1)


def average_precisions(rows: Array, counts: Array, *, num_overlaps: int = len(OVERLAPS)) -> Array:
    """The average precision of each sample, overlap and class: COCO's, over 101 recalls.

    Args:
        rows: (N, 1200 + num_classes) of `box_rows`.
        counts: (R, N), how often each image is in each sample.
        num_overlaps: the first of the ten; 1 is mAP@50 alone.

    Returns:
        float64 (R, num_overlaps, num_classes); nan for a class of which a sample has no box.
    """
    ranked, truths = rows[:, : MOST * _COLUMNS], rows[:, MOST * _COLUMNS :]
    ranked = ranked.reshape(len(rows), MOST, _COLUMNS)
    result = np.empty((len(counts), num_overlaps, truths.shape[1]))
    for place in range(truths.shape[1]):
        image, number = np.nonzero(ranked[..., 0] == place)
        order = np.argsort(-ranked[image, number, 1], kind="stable")
        image, number = image[order], number[order]
        times, total = counts[:, image], counts @ truths[:, place]
        seen = np.maximum(times.cumsum(1), 1)
        for overlap in range(num_overlaps):
            right = (times * ranked[image, number, 2 + overlap]).cumsum(1)
            result[:, overlap, place] = _area(right, seen, total)
    return result


def num_boxes(rows: Array) -> Array:
    """How many boxes there are of each class, (num_classes,)."""
    return rows[:, MOST * _COLUMNS :].sum(0).astype(np.int64)


def num_wrong(rows: Array) -> Array:
    """How many false detections and missed boxes an image has, with a score shown, (N,)."""
    ranked = rows[:, : MOST * _COLUMNS].reshape(len(rows), MOST, _COLUMNS)
    given, right = ranked[..., 1] > SCORE, ranked[..., 2] == 1
    truths = rows[:, MOST * _COLUMNS :].sum(1)
    return (given & ~right).sum(1) + truths - (given & right).sum(1)


def mean_precision_50(rows: Array, counts: Array) -> Array:
    """mAP@50: the mean over the classes that a sample has."""
    return known_mean(class_precisions_50(rows, counts))


def class_precisions_50(rows: Array, counts: Array) -> Array:
    """The average precision of each class, (num_classes, R); nan where a sample has no box."""
    return average_precisions(rows, counts, num_overlaps=1)[:, 0].T


def in_words(rows: Array, class_names: Sequence[str] = ()) -> str:
    """The scores beside mAP@50, in a sentence; classes without names are counted from 0."""
    whole = average_precisions(rows, np.ones((1, len(rows))))
    names = class_names or [f"class {place}" for place in range(whole.shape[2])]
    each = ", ".join(f"{name} {ap:.4f}" for name, ap in zip(names, whole[0, 0], strict=True))
    return f"mAP@50-95 {known_mean(whole[0].reshape(-1)):.4f}; AP@50: {each}."


def agreement(outputs: Array, expected: Array) -> Array:
    """How far two detectors say the same, for each image: from 0 to 1.

    Twice the detections that they share, divided by all that either has; 1 where neither has any.
    Shared are two of the same class that overlap by at least a half, one to one.

    Args:
        outputs, expected: (N, anchors, 4 + num_classes).
    """
    ours, theirs = found(outputs), found(expected)
    shared = (matches(ours, theirs[..., :5])[..., 0] >= 0).sum(1)
    either = (ours[..., 4] >= 0).sum(1) + (theirs[..., 4] >= 0).sum(1)
    return np.where(either > 0, 2 * shared / np.maximum(either, 1), 1.0)


def matches(given: Array, targets: Array) -> Array:
    """Which box each detection finds by COCO's rule: one to one, the best score first.

    Args:
        given: (N, M, 6) of `models.detections`.
        targets: (N, boxes, 5).

    Returns:
        int64 (N, M, 10): at each of the ten overlaps, the place of the box among those of its
        image, or -1: a false detection, or none.
    """
    from pycocotools.cocoeval import COCOeval

    found = np.zeros((*given.shape[:2], len(OVERLAPS)), np.int64)  # the numbers of boxes, from 1
    with contextlib.redirect_stdout(io.StringIO()):  # it tells of each of its steps
        evaluation = COCOeval(_as_coco(targets), _as_coco(given), "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [given.shape[1]]
        evaluation.params.iouThrs = OVERLAPS
        evaluation.evaluate()
    for image in filter(None, evaluation.evalImgs):
        places = np.array(image["dtIds"], np.int64) - 1
        found.reshape(-1, len(OVERLAPS))[places] = image["dtMatches"].T
    return np.where(found > 0, (found - 1) % max(1, targets.shape[1]), -1)


def _as_coco(boxes: Array) -> Any:
    """Boxes as pycocotools takes them; the number of each is its place among all, from 1."""
    from pycocotools.coco import COCO

    made = COCO()
    made.dataset = {
        "images": [{"id": place} for place in range(len(boxes))],
        "categories": [{"id": place} for place in range(1 + int(boxes[..., 4].max(initial=-1)))],
        "annotations": list(_annotations(boxes)),
    }
    made.createIndex()
    return made


def _annotations(boxes: Array) -> Iterator[dict[str, Any]]:
    for image, place in np.argwhere(boxes[..., 4] >= 0):
        y1, x1, y2, x2, label, *score = boxes[image, place].tolist()
        yield {
            "id": int(image * boxes.shape[1] + place + 1),
            "image_id": int(image),
            "category_id": int(label),
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1),
            "iscrowd": 0,
            **({"score": score[0]} if score else {}),
        }


def _area(right: Array, seen: Array, total: Array) -> Array:
    """The precision at 101 recalls, each the best at this recall or a higher one; the mean."""
    best = np.maximum.accumulate((right / seen)[:, ::-1], axis=1)[:, ::-1]
    best = np.concatenate([best, np.zeros((len(best), 1))], axis=1)  # at recalls not reached
    areas = np.full(len(right), np.nan)
    for sample in np.flatnonzero(total > 0):
        places = np.searchsorted(right[sample] / total[sample], RECALLS, side="left")
        areas[sample] = best[sample, places].mean()
    return areas
