"""From a detector's output to the boxes that it has found.

Example:

    found = detections(model.predict(images), score=0.25)
    for y1, x1, y2, x2, place, score in found[0]:   # of the first image; -1 where there is no more
        ...
"""

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError, received

SCORE = 0.25
IOU = 0.6
MOST = 100


def detections(
    outputs: np.ndarray, *, score: float = SCORE, iou: float = IOU, most: int = MOST
) -> np.ndarray:
    """Boxes without those that lie over a better one of their class.

    Of all boxes of a class, the one with the highest score stays, and takes with it those that
    overlap it by more than `iou`; then the next one that is left (greedy non-maximum suppression,
    TensorFlow's `combined_non_max_suppression`). Classes do not touch each other.

    Args:
        outputs: (B, anchors, 4 + num_classes) of `yolov8` or of a file made of it: y1, x1, y2,
            x2 and the scores.
        score: boxes with less than that, or just that, are no detections; from 0 to 1.
        iou: the intersection over union, from 0 to 1, above which two are one and the same.
        most: how many of an image are kept, of all classes together, the best ones.

    Returns:
        float32 (B, most, 6): y1, x1, y2, x2, the class and the score, the best first; -1 fills up.
        Its first five columns are as `box_targets` has them.

    Raises:
        RequestError: the outputs have another shape, or an argument does not fit.

    Example:

    >>> outputs = np.array([[[0.1, 0.1, 0.5, 0.5, 0.9], [0.1, 0.1, 0.5, 0.6, 0.7],
    ...                      [0.6, 0.6, 0.9, 0.9, 0.3]]], np.float32)
    >>> detections(outputs, most=3)[0].round(2).tolist()[:2]
    [[0.1, 0.1, 0.5, 0.5, 0.0, 0.9], [0.6, 0.6, 0.9, 0.9, 0.0, 0.3]]
    """
    if outputs.ndim != 3 or outputs.shape[-1] < 5:
        expected = "`outputs` of shape (B, anchors, 4 + num_classes)"
        raise RequestError(received(expected, shape=tuple(outputs.shape)))
    for name, value in {"score": score, "iou": iou}.items():
        if not 0 <= value <= 1:
            raise RequestError(received(f"`{name}` to be from 0 to 1", **{name: value}))
    if most < 1:
        raise RequestError(received("`most` to be at least 1", most=most))
    boxes, scores, classes, number = (
        tensor.numpy()
        for tensor in tf.image.combined_non_max_suppression(
            outputs[:, :, None, :4].astype(np.float32),
            outputs[..., 4:].astype(np.float32),
            max_output_size_per_class=most,
            max_total_size=most,
            iou_threshold=iou,
            score_threshold=score,
            clip_boxes=False,
        )
    )
    rows = np.concatenate([boxes, classes[..., None], scores[..., None]], axis=-1)
    there = np.arange(most) < number[:, None]
    return np.where(there[..., None], rows, np.float32(-1))
