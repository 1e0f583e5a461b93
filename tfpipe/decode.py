"""Encoded images to pixels: one arithmetic, where records are checked and where they are read."""

from typing import Any

import tensorflow as tf


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

    def jpeg() -> tf.Tensor:
        # By itself, TensorFlow takes the fast transform, which is up to 9 grey levels off.
        return tf.io.decode_jpeg(encoded, channels, dct_method="INTEGER_ACCURATE")

    def png() -> tf.Tensor:
        return _decode(encoded, channels)

    def other() -> tf.Tensor:
        # TensorFlow decodes BMP and GIF with the channels that they have, and no others.
        return _with_channels(_decode(encoded, 0), channels)

    if isinstance(encoded, bytes):
        image = {b"\xff\xd8": jpeg, b"\x89P": png}.get(encoded[:2], other)()
    else:
        head = tf.strings.substr(encoded, 0, 2)
        image = tf.cond(head == b"\xff\xd8", jpeg, lambda: tf.cond(head == b"\x89P", png, other))
    if orientation is not None:
        image = upright(image, tf.convert_to_tensor(orientation))
    return tf.ensure_shape(image, (None, None, channels))


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Undoes EXIF's orientation of an image (H, W, C).

    Source: CIPA DC-008 (Exif 2.32), tag 0x0112: 1 is upright, 6 is to be turned right, ...
    """
    return tf.cond(orientation > 1, lambda: _turned(image, orientation), lambda: image)


def _turned(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    image = tf.cond(orientation > 4, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    mirrored = tf.reduce_any(orientation == tf.constant([2, 3, 6, 7], orientation.dtype))
    inverted = tf.reduce_any(orientation == tf.constant([3, 4, 7, 8], orientation.dtype))
    image = tf.cond(mirrored, lambda: image[:, ::-1], lambda: image)
    return tf.cond(inverted, lambda: image[::-1], lambda: image)


def _decode(encoded: Any, channels: int) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels, expand_animations=False)


def _with_channels(image: tf.Tensor, channels: int) -> tf.Tensor:
    image = tf.ensure_shape(image, (None, None, None))[..., :3]
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    colour = tf.broadcast_to(image, (height, width, 3))
    if channels == 3:
        return colour
    return tf.cond(
        tf.shape(image)[-1] == 1, lambda: image, lambda: tf.image.rgb_to_grayscale(colour)
    )
