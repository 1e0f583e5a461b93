"""Labels as rows of zeros with a one, for losses and metrics that want them so.

Example:

    val = read(manifest, "val", prepare, batch_size=64).map(one_hot(manifest.num_classes))
"""

from collections.abc import Callable

import tensorflow as tf

from tfpipe.errors import RequestError, received


def one_hot(num_classes: int) -> Callable[..., tuple[tf.Tensor, ...]]:
    """A function for `Dataset.map`: batches with labels (B,) become ones with (B, num_classes).

    So want it `keras.losses.CategoricalCrossentropy`, which can smooth labels, and batches beside
    those of `ops.MixUp`.

    Args:
        num_classes: how many there are; a label is a whole number below it.

    Returns:
        A function of (inputs, labels), or of those and sample weights, that returns the same with
        the labels as float32 (B, num_classes).

    Raises:
        RequestError: there are fewer than two classes.

    Example:

    >>> inputs, rows = one_hot(3)(tf.zeros((2, 8)), tf.constant([2, 0]))
    >>> rows.numpy().tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    if num_classes < 2:
        raise RequestError(received("`num_classes` to be at least 2", num_classes=num_classes))

    def convert(inputs: tf.Tensor, labels: tf.Tensor, *weights: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return inputs, tf.one_hot(labels, num_classes), *weights

    return convert
