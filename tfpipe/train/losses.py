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

    Dice of a class is (2 |A and B| + smooth) / (|A| + |B| + smooth), of the probabilities
    themselves, in each example by itself; the loss takes its mean over the classes. Without
    `smooth`, a class that is not in the mask has a Dice of 0 whatever its probabilities, and
    nothing to learn from: with it, the fewer of its pixels are predicted, the better.

    Sources: Milletari et al., "V-Net", 2016, for Dice; Isensee et al., "nnU-Net", 2021, for the
    sum of both.

    Args:
        smooth: pixels that are added to both parts of Dice, more than 0.
        ignore_class: pixels of this class count nowhere. -1 is what `ops` and `records` mark
            with; give `keras.metrics.MeanIoU` the same `ignore_class`.
        name: in the history.

    Input shape: masks (B, H, W) or (B, H, W, 1) of classes; probabilities (B, H, W, num_classes).

    Raises:
        RequestError: `smooth` is not more than 0.

    Example:

    >>> import numpy as np
    >>> mask = np.array([[[0, 1, -1]]])
    >>> sure = keras.ops.one_hot([[[0, 1, 1]]], 2)
    >>> round(float(DiceCrossentropy()(mask, sure)), 4)
    0.0
    """

    def __init__(
        self,
        smooth: float = 1.0,
        ignore_class: int = -1,
        name: str = "dice_crossentropy",
        **kwargs: Any,
    ):
        if not smooth > 0:
            raise RequestError(received("`smooth` to be more than 0", smooth=smooth))
        super().__init__(name=name, **kwargs)
        self.smooth, self.ignore_class = smooth, ignore_class

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example, (B,)."""
        if len(y_true.shape) == len(y_pred.shape):
            y_true = ops.squeeze(y_true, -1)
        classes = ops.cast(y_true, "int32")
        counted = ops.cast(classes != self.ignore_class, y_pred.dtype)
        # Keras' own cross-entropy gives 0 for what it ignores, not a mean of the rest.
        pixels = keras.losses.sparse_categorical_crossentropy(
            classes, y_pred, ignore_class=self.ignore_class
        )
        number = ops.maximum(ops.sum(counted, axis=(1, 2)), 1)
        truth = ops.one_hot(classes, y_pred.shape[-1], dtype=y_pred.dtype)
        truth, given = (values * counted[..., None] for values in (truth, y_pred))
        common, sizes = (ops.sum(v, axis=(1, 2)) for v in (truth * given, truth + given))
        dice = (2 * common + self.smooth) / (sizes + self.smooth)
        return ops.sum(pixels, axis=(1, 2)) / number + 1 - ops.mean(dice, -1)

    def get_config(self) -> dict[str, Any]:
        """What makes it again."""
        return {**super().get_config(), "smooth": self.smooth, "ignore_class": self.ignore_class}
