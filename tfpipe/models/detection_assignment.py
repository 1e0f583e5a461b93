"""Which anchors are to find which box: Feng et al., "TOOD", 2021, with YOLOv8's constants.

Example:

    wanted, wanted_scores = assign(scores, found, boxes, classes, present, centres)
"""

from typing import Any

from tfpipe.backend import keras

ops = keras.ops

ANCHORS_OF_A_BOX = 10
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
EPSILON = 1e-9


def assign(
    scores: Any, found: Any, boxes: Any, classes: Any, present: Any, centres: Any
) -> tuple[Any, Any]:
    """Each box gets the 10 anchors in it that find it best by now; an anchor has one box at most.

    How well is score ** 0.5 * CIoU ** 6. keras-cv's LabelEncoder does the same, but for boxes
    that lie apart: their CIoU is negative, and its sixth power is not, so that there the worst
    anchors may take the places of good ones. Here no overlap is less than 0.

    Args:
        scores: (B, anchors, num_classes) from 0 to 1, the model's.
        found: (B, anchors, 4), its boxes: x1, y1, x2, y2 in pixels.
        boxes: (B, N, 4), those to be found, N at least 1.
        classes: (B, N), theirs; -1 where there is none.
        present: bool (B, N, 1): whether there is a box.
        centres: (anchors, 2), x, y in pixels.

    Returns:
        The box of each anchor (B, anchors, 4), and the scores that it ought to give
        (B, anchors, num_classes): of the box' class how strongly it is asked for, the best anchor
        of a box as much as they overlap; 0 elsewhere. Both without gradient.
    """
    overlaps = ops.where(_inside(boxes, centres) & present, _overlaps(boxes, found), 0.0)
    by_class = ops.one_hot(ops.cast(classes, "int32"), scores.shape[-1], dtype=scores.dtype)
    of_class = ops.matmul(by_class, ops.transpose(scores, (0, 2, 1)))  # (B, N, anchors)
    fits = of_class**SCORE_POWER * overlaps**OVERLAP_POWER
    least = ops.top_k(fits, ANCHORS_OF_A_BOX)[0][..., -1:]
    overlaps = ops.where((fits >= least) & (fits > 0), overlaps, 0.0)
    owner = ops.argmax(overlaps, axis=1)  # (B, anchors)
    owned = ops.transpose(ops.one_hot(owner, ops.shape(boxes)[1], dtype="bool"), (0, 2, 1))
    overlaps = ops.where(owned, overlaps, 0.0)
    fits = ops.where(overlaps > 0, fits, 0.0)
    best_fit, best_overlap = (ops.max(x, axis=-1, keepdims=True) for x in (fits, overlaps))
    strengths = ops.max(fits * best_overlap / (best_fit + EPSILON), axis=1)
    wanted, its_class = (
        ops.take_along_axis(values, owner[..., None], axis=1) for values in (boxes, by_class)
    )
    return ops.stop_gradient(wanted), ops.stop_gradient(its_class * strengths[..., None])


def _inside(boxes: Any, centres: Any) -> Any:
    """Whether each anchor's centre is in each box, (B, N, anchors)."""
    after, before = boxes[:, :, None, :2] < centres, centres < boxes[:, :, None, 2:]
    return ops.all(after & before, axis=-1)


def _overlaps(boxes: Any, found: Any) -> Any:
    from keras_cv.bounding_box import compute_ciou

    found = ops.stop_gradient(found)
    return ops.maximum(compute_ciou(boxes[:, :, None], found[:, None], "xyxy"), 0.0)
