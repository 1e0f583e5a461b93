"""The deterministic ops that keep an image's size: from encoded bytes to floats."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfpipe.decode import decode_image
from tfpipe.errors import RequestError, received
from tfpipe.ops.base import Example, Op
from tfpipe.ops.checks import checked_channels


@dataclasses.dataclass(frozen=True)
class Decode(Op):
    """Encoded bytes (JPEG, PNG, BMP, GIF) to uint8 (H, W, channels).

    Of an animation, the first frame. Grey becomes RGB, and RGB grey, as TensorFlow does it.

    Args:
        channels: 1 (grey) or 3 (RGB).

    Raises:
        RequestError: `channels` is neither 1 nor 3; when it runs, more than one image comes at
            once. Bytes that are no image are TensorFlow's InvalidArgumentError.

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
        super().__post_init__()
        if type(self.channels) is not int or self.channels not in (1, 3):
            raise RequestError(received("`channels` to be 1 or 3", channels=self.channels))

    def run(self, example: Example) -> Example:
        """Decodes a scalar string, and turns the image upright by the `orientation` beside it."""
        image = decode_image(example["image"], self.channels, example.get("orientation"))
        rest = {key: value for key, value in example.items() if key != "orientation"}
        return {**rest, "image": image}


@dataclasses.dataclass(frozen=True)
class Grayscale(Op):
    """RGB to grey, (H, W, 3) to (H, W, 1), uint8: equal to `cv2.cvtColor` to the bit.

    The weights are those of ITU-R BT.601 (0.299, 0.587, 0.114), in units of 2**-15.

    Raises:
        RequestError: when it runs, an image has not 3 channels.

    Example:

    >>> Grayscale()({"image": tf.constant([[[255, 0, 0]]], tf.uint8)})["image"].numpy().item()
    76
    """

    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"

    def apply(self, image: tf.Tensor) -> tf.Tensor:
        """Whole numbers below 2**24, which float32 holds exactly, in whatever order."""
        image = checked_channels(self, image, 3)
        weighted = tf.cast(image, tf.float32) * tf.constant([9798.0, 19235.0, 3735.0])
        total = tf.reduce_sum(weighted, axis=-1, keepdims=True)
        return tf.cast(tf.floor((total + 2.0**14) * 2.0**-15), tf.uint8)


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
