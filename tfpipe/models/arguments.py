"""What the models' functions check and share: shapes, counts, and the last layer.

Example:

    require_image(input_shape, least_px=16)
    outputs = dense_head(features, num_classes, activation)
"""

from collections.abc import Sequence
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of, received

ACTIVATIONS = ("softmax", "sigmoid", "linear")
# Of the averages that BatchNormalization keeps while random weights train. With Keras' 0.99 they
# are still a third what they began as after a hundred steps; a small data set has few more.
BATCH_NORM_MOMENTUM = 0.9


def dense_head(x: Any, num_outputs: int, activation: str) -> Any:
    """The last layer: `probabilities`, or `numbers` of a linear one.

    In float32 under every dtype policy: a float16 softmax loses small probabilities.
    """
    name = require_head(num_outputs, activation)
    return keras.layers.Dense(num_outputs, activation, dtype="float32", name=name)(x)


def require_head(num_outputs: int, activation: str) -> str:
    """Refuses a head that cannot learn, and returns the name of its layer.

    Raises:
        RequestError: no such activation, no outputs, or a softmax of one class.
    """
    if activation not in ACTIVATIONS:
        raise RequestError(one_of("activation", activation, ACTIVATIONS))
    require_counts(num_classes=num_outputs)
    if activation == "softmax" and num_outputs == 1:
        raise RequestError(
            "Expected `num_classes` to be at least 2 for a softmax, as that of one class is always "
            "1. Received: num_classes=1. activation='sigmoid' tells two classes by one output."
        )
    return "numbers" if activation == "linear" else "probabilities"


def require_counts(**counts: int) -> None:
    """Refuses what is no whole number from 1.

    >>> require_counts(units=128, depth=0)
    Traceback (most recent call last):
    tfpipe.errors.RequestError: Expected `depth` to be a whole number from 1. Received: depth=0
    """
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise RequestError(received(f"`{name}` to be a whole number from 1", **{name: count}))


def require_shape(input_shape: Any, form: str) -> None:
    """Refuses what is not one whole number from 1 for each part of `form`, "(time, features)"."""
    parts = input_shape if isinstance(input_shape, Sequence) else ()
    fine = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in parts)
    if not fine or len(parts) != form.count(",") + (not form.endswith(",)")):
        expected = f"`input_shape` to be {form} in whole numbers from 1"
        raise RequestError(received(expected, input_shape=input_shape))


def require_image(input_shape: Any, *, least_px: int = 1, multiple_px: int = 1) -> None:
    """Refuses what is no (height, width, channels), or a size that the layers cannot take.

    Args:
        input_shape: what was asked for.
        least_px: the smallest height and width.
        multiple_px: height and width are halved until they are divided by this.
    """
    require_shape(input_shape, "(height, width, channels)")
    height, width, _ = input_shape
    if min(height, width) < least_px:
        expected = f"`input_shape` of at least {least_px}x{least_px} pixels"
        raise RequestError(received(expected, input_shape=input_shape))
    if height % multiple_px or width % multiple_px:
        near = tuple(max(1, round(size / multiple_px)) * multiple_px for size in (height, width))
        raise RequestError(
            received(
                f"`input_shape` with height and width divisible by {multiple_px}, such as {near}",
                input_shape=input_shape,
            )
        )
