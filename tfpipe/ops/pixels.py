"""The deterministic ops: from encoded bytes to what a model takes."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfpipe.decode import decode_image
from tfpipe.errors import RequestError, received
from tfpipe.ops.base import Example, Op


@dataclasses.dataclass(frozen=True)
class Decode(Op):
    """Encoded bytes (JPEG, PNG, BMP, GIF) to uint8 (H, W, channels).

    Of an animation, the first frame. Grey becomes RGB, and RGB grey, as TensorFlow does it.

    Args:
        channels: 1 (grey) or 3 (RGB).

    Example:

    >>> png = tf.io.encode_png(tf.zeros((2, 3, 1), tf.uint8))
    >>> Decode(channels=1)({"image": png})["image"].shape
    TensorShape([2, 3, 1])
    """

    channels: int = 3
    takes: ClassVar[str] = "encoded"
    gives: ClassVar[str] = "uint8"
    per_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise RequestError(received("`channels` to be 1 or 3", channels=self.channels))

    def run(self, example: Example) -> Example:
        """Decodes a scalar string, and turns the image upright by the `orientation` beside it."""
        image = decode_image(example["image"], self.channels, example.get("orientation"))
        rest = {key: value for key, value in example.items() if key != "orientation"}
        return {**rest, "image": image}


@dataclasses.dataclass(frozen=True)
class Resize(Op):
    """Resizes uint8 images, bilinear, with an antialiasing filter where they get smaller.

    Args:
        size: (height, width) in pixels. The aspect ratio is not kept.

    Example:

    >>> Resize((4, 6))({"image": tf.zeros((8, 8, 1), tf.uint8)})["image"].shape
    TensorShape([4, 6, 1])
    """

    size: tuple[int, int]
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"
    per_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if len(self.size) != 2 or min(self.size) < 1:
            raise RequestError(received("`size` to be (height, width) in pixels", size=self.size))

    def apply(self, image: tf.Tensor) -> tf.Tensor:
        """(H, W, C) or (B, H, W, C) to the same with `size`, rounded to uint8."""
        resized = tf.image.resize(image, self.size, method="bilinear", antialias=True)
        return tf.cast(tf.round(resized), tf.uint8)


@dataclasses.dataclass(frozen=True)
class ToFloat(Op):
    """uint8 0..255 to float32 0..1.

    Example:

    >>> ToFloat()({"image": tf.constant([[[0], [255]]], tf.uint8)})["image"].numpy().ravel()
    array([0., 1.], dtype=float32)
    """

    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "float32"

    def apply(self, image: tf.Tensor) -> tf.Tensor:
        """Multiplies by 1/255: converters turn a division into that, and the bits would differ."""
        return tf.cast(image, tf.float32) * (1.0 / 255.0)
