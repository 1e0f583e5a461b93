"""What pruning and clustering have made of the weights, held while they train on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

_MOST_CLUSTERS = 256


def holding(model: Any) -> Callable[[], None]:
    """What to call after every update, so that zeros stay zeros and shared values are shared.

    Weights share their values where a kernel has at most 256 of them beside 0, each twice on
    average: then all that had one value get their mean.

    Args:
        model: a tf_keras model, with the weights as they came.
    """
    kernels = [v for v in model.trainable_variables if v.name.endswith("kernel:0")]
    held = [(kernel, hold) for kernel in kernels if (hold := _hold(kernel.numpy()))]

    @tf.function
    def after_update() -> None:
        for kernel, hold in held:
            kernel.assign(hold(kernel))

    return after_update


def _hold(weights: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """The change that a kernel needs after an update, or None."""
    values, clusters = np.unique(weights, return_inverse=True)
    kept = weights != 0
    if np.sum(values != 0) <= min(_MOST_CLUSTERS, kept.sum() // 2):
        return _sharing(clusters.reshape(weights.shape), values != 0)
    return None if kept.all() else lambda kernel: kernel * kept.astype(np.float32)


def _sharing(clusters: np.ndarray, free: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    counts = np.bincount(clusters.ravel()).astype(np.float32)

    def share(kernel: tf.Tensor) -> tf.Tensor:
        sums = tf.math.unsorted_segment_sum(kernel, clusters, len(counts))
        return tf.gather(sums / counts * free.astype(np.float32), clusters)

    return share
