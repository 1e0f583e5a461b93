"""Encoded images to pixels: one arithmetic, where records are checked and where they are read."""

from typing import Any

import tensorflow as tf

_OTHER = (b"BM", b"GI")  # what BMP and GIF begin with


def decode_image(encoded: Any, channels: int, orientation: Any = None) -> tf.Tensor:
    """Encoded bytes (JPEG, PNG, BMP, GIF) to uint8 (H, W, channels), eagerly or in a graph.

    JPEG is decoded with the accurate transform, as OpenCV, Pillow and phones do. Of an
    animation, the first frame. Grey becomes RGB, and RGB grey, as TensorFlow does it; a palette
    is resolved and an alpha channel dropped.

    Args:
        encoded: bytes, or a scalar string.
        channels: 1 or 3.
        orientation: EXIF's, from 1 to 8, to be undone; None or 1 leaves the image as it is.

    Example:

    >>> png = tf.io.encode_png(tf.zeros((2, 3, 1), tf.uint8))
    >>> decode_image(png, channels=1, orientation=6).shape
    TensorShape([3, 2, 1])
    """

    encoded = tf.convert_to_tensor(encoded)
    turned = tf.convert_to_tensor(1 if orientation is None else orientation)
    first = tf.strings.substr(encoded, 0, 2)
    rare = (first == _OTHER[0]) | (first == _OTHER[1]) | (turned > 1)
    image = tf.cond(
        rare,
        lambda: (_rare if tf.executing_eagerly() else _rare_apart)(encoded, channels, turned),
        lambda: decode_plain(encoded, channels),
    )
    return tf.ensure_shape(image, (None, None, channels))


def decode_plain(encoded: Any, channels: int, *, shrink: int = 1) -> tf.Tensor:
    """The same for a JPEG or a PNG (anything else is an error), in a single operator.

    A JPEG can be shrunk to an 8th: all that can be damaged in it is decoded, and refused, as ever,
    and left out is the arithmetic that makes pixels, which takes more than half of the time.

    Source: TensorFlow's documentation of `tf.io.decode_jpeg`, "also supports decoding PNGs".
    """
    # By itself, TensorFlow takes the fast transform, which is up to 9 grey levels off.
    return tf.io.decode_jpeg(encoded, channels, ratio=shrink, dct_method="INTEGER_ACCURATE")


def _rare(encoded: tf.Tensor, channels: int, orientation: tf.Tensor) -> tf.Tensor:
    """The same for every kind of image."""

    def other() -> tf.Tensor:
        # TensorFlow decodes BMP and GIF with the channels that they have, and no others.
        image = tf.io.decode_image(encoded, 0, expand_animations=False)
        return _with_channels(image, channels)

    first = tf.strings.substr(encoded, 0, 2)
    is_other = (first == _OTHER[0]) | (first == _OTHER[1])
    image = tf.cond(is_other, other, lambda: decode_plain(encoded, channels))
    return upright(image, orientation)


# Inlined, its many operators would cost time where they are not needed, too.
_rare_apart = tf.function(_rare, autograph=False, experimental_attributes={"_noinline": True})


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Undoes EXIF's orientation of an image (H, W, C).

    Source: CIPA DC-008 (Exif 2.32), tag 0x0112: 1 is upright, 6 is to be turned right, ...
    """
    return tf.cond(orientation > 1, lambda: _turned(image, orientation), lambda: image)


def _turned(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    mirrored = tf.reduce_any(orientation == tf.constant([2, 3, 6, 7], orientation.dtype))
    inverted = tf.reduce_any(orientation == tf.constant([3, 4, 7, 8], orientation.dtype))
    image = tf.transpose(image, tf.where(orientation > 4, (1, 0, 2), (0, 1, 2)))
    # Not a tf.cond for each: every pass over a dataset would prepare them all anew.
    return tf.raw_ops.Reverse(tensor=image, dims=[inverted, mirrored, False])


def _with_channels(image: tf.Tensor, channels: int) -> tf.Tensor:
    image = tf.ensure_shape(image, (None, None, None))[..., :3]
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    colour = tf.broadcast_to(image, (height, width, 3))
    if channels == 3:
        return colour
    return tf.cond(
        tf.shape(image)[-1] == 1, lambda: image, lambda: tf.image.rgb_to_grayscale(colour)
    )
