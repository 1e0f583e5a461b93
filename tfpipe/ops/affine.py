"""Turn, zoom and shift, in one interpolation: the image, its mask and its boxes move together.

Positions are (x, y) in 0..1 of the image's width and height, as in `tfpipe.ops.boxes`.
"""

import math
from typing import Any, NamedTuple

import tensorflow as tf

from tfpipe.ops.base import Example, sizes_of
from tfpipe.ops.boxes import move_boxes


class Motion(NamedTuple):
    """What happens to an image about its centre; each is a float64 scalar, or (B,) for a batch.

    Attributes:
        turns: counterclockwise, as a fraction of a full turn.
        zoom: how many times larger things get.
        right: the shift, as a fraction of the width.
        down: the shift, as a fraction of the height.
    """

    turns: tf.Tensor
    zoom: tf.Tensor
    right: tf.Tensor
    down: tf.Tensor


def move(example: Example, motion: Motion, mask_fill: int) -> Example:
    """Moves image (bilinear), mask (the nearest pixel) and boxes.

    What comes in from outside is black, and of class `mask_fill` in the mask.
    """
    image = example["image"]
    height, width = (tf.cast(size, tf.float64) for size in sizes_of(image))
    angle, aspect = 2 * math.pi * motion.turns, height / width
    centre, target = (0.5, 0.5), (0.5 + motion.right, 0.5 + motion.down)
    forward = _similarity(angle, motion.zoom, aspect, centre, target)
    backward = _similarity(-angle, 1 / motion.zoom, aspect, target, centre)
    moved = {**example, "image": _read(image, backward, "BILINEAR", 0)}
    if "mask" in example:
        moved["mask"] = _read(example["mask"], backward, "NEAREST", mask_fill)
    return move_boxes(moved, tf.cast(forward, tf.float32))


def _similarity(angle: Any, zoom: Any, aspect: Any, centre: Any, target: Any) -> tf.Tensor:
    """The matrix (..., 2, 3) that turns and zooms about `centre` and takes that to `target`."""
    cos, sin = zoom * tf.cos(angle), zoom * tf.sin(angle)
    a, b, d, e = cos, sin * aspect, -sin / aspect, cos
    (x, y), (new_x, new_y) = centre, target
    rows = [[a, b, new_x - a * x - b * y], [d, e, new_y - d * x - e * y]]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def _read(images: tf.Tensor, backward: tf.Tensor, interpolation: str, fill: int) -> tf.Tensor:
    """An image, or each of a batch, whose pixels are read where `backward` says."""
    if images.shape.rank == 3:
        return _read(images[None], backward[None], interpolation, fill)[0]
    given = images if interpolation == "NEAREST" else tf.cast(images, tf.float32)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=given,
        transforms=_in_pixels(backward, *sizes_of(images)),
        output_shape=tf.shape(images)[1:3],
        interpolation=interpolation,
        fill_mode="CONSTANT",
        fill_value=float(fill),
    )
    moved = moved if interpolation == "NEAREST" else tf.cast(tf.round(moved), images.dtype)
    return tf.ensure_shape(moved, images.shape)


def _in_pixels(backward: tf.Tensor, height: Any, width: Any) -> tf.Tensor:
    """The same, from index to index: pixel 0 has its middle at 0.5 / width. float32 (B, 8)."""
    height, width = (tf.cast(size, tf.float64) for size in (height, width))
    (a, b, c), (d, e, f) = (tf.unstack(row, axis=-1) for row in tf.unstack(backward, axis=-2))
    x = [a, b * width / height, (a / width + b / height - 1 / width) / 2 + c]
    y = [d * height / width, e, (d / width + e / height - 1 / height) / 2 + f]
    numbers = [*x[:2], x[2] * width, *y[:2], y[2] * height, tf.zeros_like(a), tf.zeros_like(a)]
    return tf.cast(tf.stack(numbers, axis=-1), tf.float32)
