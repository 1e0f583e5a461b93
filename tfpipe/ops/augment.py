"""The random ops, for training only: each draw is a function of the example's `key`.

`records.read(..., shuffle_seed=...)` puts `key` into every example; it is made from the seed,
the epoch and the example's id, so the same example gets the same augmentation whatever the
number of workers and interruptions.
"""

import dataclasses
import math
from typing import ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError, received
from tfpipe.ops.base import Example, Op


@dataclasses.dataclass(frozen=True)
class RandomAffine(Op):
    """Turns and shifts uint8 images by random amounts, in one interpolation.

    What comes in from outside the image is black (0).

    Args:
        rotation: the largest turn, either way, as a fraction of a full turn (0.05 is 18 degrees).
        translation: the largest shift, either way, as a fraction of the height and of the width.

    Example:

    >>> images = tf.zeros((2, 8, 8, 1), tf.uint8)
    >>> RandomAffine()({"image": images, "key": tf.constant(["a", "b"])})["image"].shape
    TensorShape([2, 8, 8, 1])
    """

    rotation: float = 0.03
    translation: float = 0.08
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("rotation", "translation"):
            if not 0 <= getattr(self, name) <= 1:
                raise RequestError(
                    received(
                        f"`{name}` to be a fraction from 0 to 1", **{name: getattr(self, name)}
                    )
                )

    def run(self, example: Example) -> Example:
        """Draws a turn and a shift for each image, applies them, and moves the key on."""
        key = _key(example, self)
        angle = (2 * uniform(key, 0) - 1) * 2 * math.pi * self.rotation
        shift_x, shift_y = ((2 * uniform(key, draw) - 1) * self.translation for draw in (1, 2))
        image = example["image"]
        images = image[None] if image.shape.rank == 3 else image
        moved = _affine(images, *(tf.reshape(v, [-1]) for v in (angle, shift_x, shift_y)))
        moved = moved[0] if image.shape.rank == 3 else moved
        return {**example, "image": moved, "key": tf.strings.join([key, "+"])}


def uniform(key: tf.Tensor, draw: int) -> tf.Tensor:
    """Uniform float32 in [0, 1), of the shape of `key`: the same key and draw, the same number.

    >>> bool(uniform(tf.constant("0/1/cat"), 0) == uniform(tf.constant("0/1/cat"), 0))
    True
    """
    # 24 bits are what a float32 holds exactly.
    bits = tf.strings.to_hash_bucket_strong(key, 2**24, key=[draw, 0])
    return tf.cast(bits, tf.float32) / 2**24


def _key(example: Example, op: Op) -> tf.Tensor:
    if "key" not in example:
        raise RequestError(
            f"{op!r} draws from the example's `key`, and there is none. Give `records.read` a "
            "`shuffle_seed`, or use `chain.inference()`, which leaves random ops out."
        )
    return tf.convert_to_tensor(example["key"])


def _affine(
    images: tf.Tensor, angle: tf.Tensor, shift_x: tf.Tensor, shift_y: tf.Tensor
) -> tf.Tensor:
    """Turns uint8 images about their centres, then shifts them; angle and shifts are (B,)."""
    height, width = (tf.cast(tf.shape(images)[axis], tf.float32) for axis in (1, 2))
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    cos, sin = tf.cos(angle), tf.sin(angle)
    x, y = centre_x + shift_x * width, centre_y + shift_y * height
    zeros = tf.zeros_like(angle)
    # Rows map an output position to the input position that it is read from.
    transforms = tf.stack(
        [
            cos,
            -sin,
            centre_x - cos * x + sin * y,
            sin,
            cos,
            centre_y - sin * x - cos * y,
            zeros,
            zeros,
        ],
        axis=1,
    )
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return tf.ensure_shape(tf.cast(tf.round(moved), tf.uint8), images.shape)
