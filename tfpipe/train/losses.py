"""Losses that Keras lacks, as Keras losses.

Keras' own are right where it has them: `BinaryFocalCrossentropy` for several labels per example
that are about as common as each other (`apply_class_balancing=True` turns its alpha on, one number
for all labels), `CategoricalFocalCrossentropy` for one-hot
classes, `Dice(axis=(1, 2, 3))` for masks. Without its `axis`, Dice is one value per batch, which
depends on how a batch is split.
"""

from collections.abc import Sequence
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received

ops = keras.ops


@keras.saving.register_keras_serializable("tfpipe")
class SparseCategoricalFocalCrossentropy(keras.losses.Loss):
    """Focal loss for integer labels: -alpha (1 - p)^gamma log(p), p being the true class'.

    Source: Lin et al., "Focal Loss for Dense Object Detection", 2017, equation 5.

    Args:
        alpha: the weight of all classes.
        gamma: 0 is cross-entropy; the larger, the less an example counts that is right already.
        name: in the history.

    Input shape: labels (B,), probabilities (B, num_classes).

    Raises:
        RequestError: a negative `gamma`.

    Example:

    >>> import numpy as np
    >>> loss = SparseCategoricalFocalCrossentropy(alpha=1.0)
    >>> round(float(loss(np.array([0]), np.array([[0.9, 0.1]]))), 5)
    0.00105
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        name: str = "sparse_categorical_focal_crossentropy",
        **kwargs: Any,
    ):
        if gamma < 0:
            raise RequestError(received("`gamma` to be 0 or more", gamma=gamma))
        super().__init__(name=name, **kwargs)
        self.alpha, self.gamma = alpha, gamma

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example, (B,)."""
        y_true = ops.cast(y_true, "int32")
        cross = keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
        return self.alpha * ops.power(1 - ops.exp(-cross), self.gamma) * cross

    def get_config(self) -> dict[str, Any]:
        """What makes it again."""
        return {**super().get_config(), "alpha": self.alpha, "gamma": self.gamma}


@keras.saving.register_keras_serializable("tfpipe")
class WeightedBinaryFocalCrossentropy(keras.losses.Loss):
    """Keras' binary focal cross-entropy, the positives of each label with a weight of their own.

    Scores that are trained with weights other than 1 are higher than the label's frequency: they
    rank examples, and a threshold has to be chosen for them (`export.bundle` does).

    Args:
        positive_weights: a number for each label, such as `records.positive_weights` finds.
        gamma: 0 is cross-entropy; the larger, the less an answer counts that is right already.
        name: in the history.

    Input shape: multi-hot (B, num_labels), probabilities (B, num_labels).

    Raises:
        RequestError: no weights, a negative one, or a negative `gamma`.

    Example:

    >>> import numpy as np
    >>> loss = WeightedBinaryFocalCrossentropy([1.0, 9.0])
    >>> rare, common = np.array([[0, 1]]), np.array([[1, 0]])
    >>> even = np.array([[0.5, 0.5]])
    >>> round(float(loss(rare, even)) / float(loss(common, even)), 4)
    5.0
    """

    def __init__(
        self,
        positive_weights: Sequence[float],
        gamma: float = 2.0,
        name: str = "weighted_binary_focal_crossentropy",
        **kwargs: Any,
    ):
        if not positive_weights or min(positive_weights) < 0:
            expected = "`positive_weights` to hold a number from 0 for each label"
            raise RequestError(received(expected, positive_weights=positive_weights))
        if gamma < 0:
            raise RequestError(received("`gamma` to be 0 or more", gamma=gamma))
        super().__init__(name=name, **kwargs)
        self.positive_weights, self.gamma = [float(w) for w in positive_weights], gamma

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example, (B,)."""
        y_true = ops.cast(y_true, y_pred.dtype)
        each = keras.losses.binary_focal_crossentropy(  # (B, num_labels)
            y_true[..., None], y_pred[..., None], gamma=self.gamma
        )
        weights = ops.convert_to_tensor(self.positive_weights, y_pred.dtype)
        return ops.mean((1 + y_true * (weights - 1)) * each, -1)

    def get_config(self) -> dict[str, Any]:
        """What makes it again."""
        own = {"positive_weights": self.positive_weights, "gamma": self.gamma}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("tfpipe")
class DiceCrossentropy(keras.losses.Loss):
    """Cross-entropy of the pixels plus 1 - Dice of the classes, for masks of integer classes.

    Dice of a class is 2 sum(p g) / (sum(p^2) + sum(g^2)) over the pixels of an example, with the
    probabilities p and the mask g; the mean is over the classes that are in its mask. Of a class
    that is not, Dice is 0 whatever its probabilities, so that only cross-entropy has something to
    teach. With the squares, small probabilities where a class is not weigh little: a model finds
    what is small and rare in fewer steps.

    Sources: Milletari et al., "V-Net", 2016, section 3, for Dice; Isensee et al., "nnU-Net", 2021,
    for the sum of both.

    Args:
        class_weights: of the classes in the cross-entropy, whose pixels count so often. Where a
            class has few pixels, a model begins by leaving it out, and a weight such as 5 gets it
            over that in fewer steps. None: 1 for all.
        ignore_class: pixels of this class count nowhere. -1 is what `ops` and `records` mark
            with; give `keras.metrics.MeanIoU` the same `ignore_class`.
        name: in the history.

    Input shape: masks (B, H, W) or (B, H, W, 1) of classes; probabilities (B, H, W, num_classes).

    Raises:
        RequestError: a class weight is not above 0.

    Example:

    >>> import numpy as np
    >>> mask = np.array([[[0, 1, -1]]])
    >>> sure = keras.ops.one_hot([[[0, 1, 1]]], 2)
    >>> round(float(DiceCrossentropy()(mask, sure)), 4)
    0.0
    """

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        ignore_class: int = -1,
        name: str = "dice_crossentropy",
        **kwargs: Any,
    ):
        if class_weights is not None and not (len(class_weights) and min(class_weights) > 0):
            expected = "`class_weights` to be a number above 0 for each class"
            raise RequestError(received(expected, class_weights=class_weights))
        super().__init__(name=name, **kwargs)
        self.class_weights = None if class_weights is None else list(class_weights)
        self.ignore_class = ignore_class

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example, (B,); 0 of one without a pixel that counts."""
        if len(y_true.shape) == len(y_pred.shape):
            y_true = ops.squeeze(y_true, -1)
        classes = ops.cast(y_true, "int32")
        counted = ops.cast(classes != self.ignore_class, y_pred.dtype)
        # Keras gives 0 for what it ignores, and leaves it in the mean.
        pixels = keras.losses.sparse_categorical_crossentropy(
            classes, y_pred, ignore_class=self.ignore_class
        )
        truth = ops.one_hot(classes, y_pred.shape[-1], dtype=y_pred.dtype)
        if self.class_weights is not None:
            pixels *= ops.sum(truth * self._weights(y_pred), -1)
        cross = ops.sum(pixels, (1, 2)) / ops.maximum(ops.sum(counted, (1, 2)), 1)
        truth, given = (values * counted[..., None] for values in (truth, y_pred))
        common, true, said = (ops.sum(v, (1, 2)) for v in (truth * given, truth, given**2))
        there = ops.cast(true > 0, y_pred.dtype)
        missed = there * (1 - 2 * common / ops.maximum(true + said, 1))
        return cross + ops.sum(missed, -1) / ops.maximum(ops.sum(there, -1), 1)

    def get_config(self) -> dict[str, Any]:
        """What makes it again."""
        own = {"class_weights": self.class_weights, "ignore_class": self.ignore_class}
        return {**super().get_config(), **own}

    def _weights(self, y_pred: Any) -> Any:
        if len(self.class_weights or ()) != y_pred.shape[-1]:
            raise RequestError(
                f"Expected `class_weights` to have one for each of the {y_pred.shape[-1]} classes. "
                f"Received: class_weights={self.class_weights}"
            )
        return ops.convert_to_tensor(self.class_weights, y_pred.dtype)
