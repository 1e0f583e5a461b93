"""Encoded images to pixels: one arithmetic, where records are checked and where they are read."""

from typing import Any

import numpy as np
import tensorflow as tf

_OTHER = (b"BM", b"GI")  # what BMP and GIF begin with

# By EXIF's orientation: the order of the axes, and which of them are then turned round.
_AXES = np.array([[0, 1, 2]] * 5 + [[1, 0, 2]] * 4, np.int32)
_FLIPS = np.array([[o in (3, 4, 7, 8), o in (2, 3, 6, 7), False] for o in range(9)])


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
    image = decode_plain(_as_png(encoded), channels)
    if orientation is not None:
        image = upright(image, tf.convert_to_tensor(orientation))
    return tf.ensure_shape(image, (None, None, channels))


def decode_plain(encoded: Any, channels: int, *, shrink: int = 1) -> tf.Tensor:
    """The same for a JPEG or a PNG (anything else is an error), in a single operator.

    A JPEG can be shrunk to an 8th: all that can be damaged in it is decoded, and refused, as ever,
    and left out is the arithmetic that makes pixels, which takes more than half of the time.

    Source: TensorFlow's documentation of `tf.io.decode_jpeg`, "also supports decoding PNGs".

    >>> decode_plain(tf.io.encode_png(tf.zeros((2, 3, 1), tf.uint8)), 3).shape
    TensorShape([2, 3, 3])
    """
    # By itself, TensorFlow takes the fast transform, which is up to 9 grey levels off.
    return tf.io.decode_jpeg(encoded, channels, ratio=shrink, dct_method="INTEGER_ACCURATE")


def _as_png(encoded: tf.Tensor) -> tf.Tensor:
    """BMP and GIF as PNG: their own operators give the channels that they have, and no others.

    A graph of few operators: those that make others of the channels would take 10 ms of the
    beginning of every pass over a dataset.
    """
    first = tf.strings.substr(encoded, 0, 2)

    def as_png() -> tf.Tensor:
        image = tf.io.decode_image(encoded, 0, expand_animations=False)
        return tf.io.encode_png(image, compression=0)

    return tf.cond((first == _OTHER[0]) | (first == _OTHER[1]), as_png, lambda: encoded)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Undoes EXIF's orientation of an image (H, W, C).

    Source: CIPA DC-008 (Exif 2.32), tag 0x0112: 1 is upright, 6 is to be turned right, ...

    >>> upright(tf.zeros((2, 3, 1), tf.uint8), tf.constant(6)).shape
    TensorShape([3, 2, 1])
    """
    return tf.cond(orientation > 1, lambda: _turned(image, orientation), lambda: image)


def _turned(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    place = tf.cast(orientation, tf.int32)
    return tf.raw_ops.Reverse(
        tensor=tf.transpose(image, tf.gather(_AXES, place)), dims=tf.gather(_FLIPS, place)
    )
