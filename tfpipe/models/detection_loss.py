"""How YOLOv8 learns: targets as one tensor, and the loss.

Example:

    batches = records.read(manifest, "train", prepare, batch_size=16).map(box_targets)
    train.fit(model, batches, loss=YoloLoss((320, 320)))
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tfpipe.backend import keras
from tfpipe.models.detection import anchors
from tfpipe.models.detection_assignment import assign

ops = keras.ops

# Stands where there is no box. Of one without area keras-cv's CIoU is not a number in a graph, and
# no weight of 0 takes that away again.
WHOLE = np.array((0, 0, 1, 1), "float32")


def box_targets(images: Any, targets: Mapping[str, Any]) -> tuple[Any, Any]:
    """A batch of `records.read` with boxes, as Keras takes it for a model of one output.

    Args:
        images: (B, height, width, 3).
        targets: `boxes` (B, N, 4), y1, x1, y2, x2 from 0 to 1, and `classes` (B, N), both -1
            where there is no box.

    Returns:
        The images, and (B, N, 5) float32, each box followed by its class.

    Example:

    >>> import tensorflow as tf
    >>> targets = {"boxes": tf.zeros((2, 3, 4)), "classes": tf.zeros((2, 3), tf.int64)}
    >>> box_targets(tf.zeros((2, 32, 32, 3)), targets)[1].shape
    TensorShape([2, 3, 5])
    """
    classes = ops.cast(targets["classes"], "float32")[..., None]
    return images, ops.concatenate([ops.cast(targets["boxes"], "float32"), classes], axis=-1)


@keras.saving.register_keras_serializable("tfpipe")
class YoloLoss(keras.losses.Loss):
    """What YOLOv8 minimises, as a loss of one output.

    Each box is given to the (up to 10) anchors that find it best by now (Feng et al., "TOOD",
    2021; `detection_assignment`); there, 1 - CIoU of the boxes (Zheng et al., "Enhancing Geometric
    Factors", 2020), and everywhere, cross-entropy of the scores, added up over the classes, whose
    targets say how well the box was found. Both are divided by the sum of these targets over the
    batch; where a batch is split among replicas, over each part. As in keras-cv's YOLOV8Detector,
    the distances' bins have no part of their own (Ultralytics' "dfl").

    Args:
        image_size: (height, width) in pixels, the model's.
        box_weight: of the boxes' part; 7.5 is Ultralytics' and keras-cv's.
        class_weight: of the scores' part; 0.5 is Ultralytics' (and keras-cv's, of the classes'
            mean).
        name: in the history.

    Input shape: targets (B, N, 5) of `box_targets`; predictions (B, anchors, 4 + num_classes) of
        `yolov8`.

    Example:

    >>> from tfpipe.models import yolov8
    >>> model, images = yolov8((64, 64, 3), 3), np.zeros((1, 64, 64, 3), np.float32)
    >>> target = np.array([[[0.0, 0.0, 0.5, 0.5, 1.0]]])
    >>> float(YoloLoss((64, 64))(target, model(images))) > 1
    True
    """

    def __init__(
        self,
        image_size: tuple[int, int],
        *,
        box_weight: float = 7.5,
        class_weight: float = 0.5,
        name: str = "yolo_loss",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        height, width = image_size
        self.image_size = (height, width)
        self.box_weight, self.class_weight = box_weight, class_weight

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example, (B,)."""
        from keras_cv.bounding_box import compute_ciou

        found, scores = self._pixels(y_pred[..., :4]), y_pred[..., 4:]
        wanted, wanted_scores = self._assigned(y_true, found, scores)
        strength = ops.sum(wanted_scores, -1)  # (B, anchors): 0 where there is nothing to find
        wanted = ops.where(strength[..., None] > 0, wanted, self._pixels(WHOLE))
        apart = 1 - compute_ciou(wanted, found, "xyxy")
        boxes = ops.sum(apart * strength, -1)
        # Keras' function is a mean over the classes; YOLOv8 adds them up.
        crossentropy = scores.shape[-1] * keras.losses.binary_crossentropy(wanted_scores, scores)
        classes = ops.sum(crossentropy, -1)
        # The mean over examples is then the sum over the batch, divided by all its strengths.
        share = ops.cast(ops.shape(y_pred)[0], "float32") / ops.maximum(ops.sum(strength), 1.0)
        return share * (self.box_weight * boxes + self.class_weight * classes)

    def get_config(self) -> dict[str, Any]:
        """What makes it again."""
        weights = {"box_weight": self.box_weight, "class_weight": self.class_weight}
        return {**super().get_config(), "image_size": self.image_size, **weights}

    def _pixels(self, boxes: Any) -> Any:
        """From y1, x1, y2, x2 in 0..1 to x1, y1, x2, y2 in pixels, as keras-cv wants them."""
        height, width = self.image_size
        boxes = boxes * np.array((height, width, height, width), "float32")
        return ops.take(boxes, (1, 0, 3, 2), axis=-1)

    def _assigned(self, y_true: Any, found: Any, scores: Any) -> tuple[Any, Any]:
        """Each anchor's box in pixels (B, anchors, 4), and its scores (B, anchors, num_classes)."""
        y_true = ops.pad(y_true, [(0, 0), (0, 1), (0, 0)], constant_values=-1)  # one at least
        boxes, classes = y_true[..., :4], y_true[..., 4]
        # Padding has no area, and no anchor's centre is in such a box.
        present = ops.all(boxes[..., 2:] > boxes[..., :2], axis=-1, keepdims=True)
        boxes = self._pixels(ops.where(present, boxes, WHOLE))
        centres = anchors(self.image_size)[0][:, ::-1].copy()
        return assign(scores, found, boxes, classes, present, centres)
