"""Boxes move as their image does.

Boxes are float32 (N, 4) or a batch (B, N, 4) padded with -1: y1, x1, y2, x2 in 0..1 of the
image's height and width. A move is a matrix (2, 3), or one per image (B, 2, 3): it maps a
position (x, y, 1) of the old image to (x, y) of the new one, both in 0..1.
"""

from typing import Any

import tensorflow as tf

from tfpipe.ops.base import Example

# A box of which less than this share of its area is left in the image is dropped.
MIN_VISIBLE = 0.01


def move_boxes(example: Example, move: tf.Tensor) -> Example:
    """Moves `boxes`, and drops those that leave the image, with their `classes`.

    The sides stay upright: what is turned gets the smallest box around it. Boxes are clipped to
    the image. In a batch, -1 stands where fewer are left than in the image that has most.

    >>> example = {"boxes": tf.constant([[0.0, 0.0, 0.5, 0.5]]), "classes": tf.constant([7])}
    >>> half = scaling((0, 0), (1, 1), (2, 2))
    >>> move_boxes(example, half)["boxes"].numpy()
    array([[0.  , 0.  , 0.25, 0.25]], dtype=float32)
    """
    if "boxes" not in example:
        return example
    moved = _corners(example["boxes"], move)
    clipped = tf.clip_by_value(moved, 0.0, 1.0)
    visible = _area(clipped)
    keep = (visible > 0) & (visible >= MIN_VISIBLE * _area(moved))
    values = {**{key: example[key] for key in ("classes",) if key in example}, "boxes": clipped}
    kept = _mask if clipped.shape.rank == 2 else _compact
    return {**example, **{key: kept(value, keep) for key, value in values.items()}}


def scaling(start: Any, end: Any, size: Any) -> tf.Tensor:
    """The move of an image that comes to lie from `start` to `end`, (y, x), within `size`.

    Arguments are pairs of numbers, or of scalars or vectors (one number per image).
    """
    (y, x), (y_end, x_end) = (
        [tf.cast(value, tf.float32) / tf.cast(whole, tf.float32) for value, whole in pair]
        for pair in (zip(start, size, strict=True), zip(end, size, strict=True))
    )
    zeros = tf.zeros_like(x)
    rows = [[x_end - x, zeros, x], [zeros, y_end - y, y]]
    return tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)


def _corners(boxes: tf.Tensor, move: tf.Tensor) -> tf.Tensor:
    """The upright boxes around the moved corners."""
    y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
    corners = [(x1, y1), (x2, y1), (x1, y2), (x2, y2)]
    # One matrix per image, against (..., N).
    (a, b, c), (d, e, f) = (
        [value[..., None] for value in tf.unstack(row, axis=-1)]
        for row in tf.unstack(move, axis=-2)
    )
    xs = tf.stack([a * x + b * y + c for x, y in corners])
    ys = tf.stack([d * x + e * y + f for x, y in corners])
    bounds = [
        tf.reduce_min(ys, 0),
        tf.reduce_min(xs, 0),
        tf.reduce_max(ys, 0),
        tf.reduce_max(xs, 0),
    ]
    return tf.stack(bounds, axis=-1)


def _area(boxes: tf.Tensor) -> tf.Tensor:
    y1, x1, y2, x2 = tf.unstack(boxes, axis=-1)
    return (y2 - y1) * (x2 - x1)


def _mask(values: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
    return tf.boolean_mask(values, keep)


def _compact(values: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
    """What is kept comes first in each row; -1 fills up."""
    order = tf.argsort(tf.cast(~keep, tf.int32), axis=1, stable=True)
    most = tf.reduce_max(tf.reduce_sum(tf.cast(keep, tf.int32), axis=1))
    first = tf.gather(values, order, batch_dims=1)[:, :most]
    kept = tf.gather(keep, order, batch_dims=1)[:, :most]
    kept = tf.reshape(
        kept, tf.concat([tf.shape(kept), tf.ones(values.shape.rank - 2, tf.int32)], 0)
    )
    return tf.where(kept, first, tf.constant(-1, values.dtype))
