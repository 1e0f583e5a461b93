"""What an image decodes to, in a few numbers: its size, and a digest of its pixels.

Pixels take long to make, and are seldom needed to see that a file decodes. Most files get a sketch
for a digest, that files of their format with the same pixels share, and some others might: of a
JPEG the digest of the picture shrunk to an 8th, of a PNG that of an 8th of the rows.

Example:

    content_of(pixels) == contents_of([png], channels=3)[0]
    kind_of(jpeg_contents([jpeg], channels=3)[0].digest) != EXACT
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import tensorflow as tf

from tfpipe.decode import decode_plain
from tfpipe.records.pngs import Head, head_of
from tfpipe.records.values import to_png

GROUP = 32  # images in one call: enough to make its cost small, and the memory that it takes
EXACT, JPEG_SKETCH, PNG_SKETCH = 0, 1, 3  # kinds of digests, by their lowest bits
_FILLER = to_png(np.zeros((1, 1, 1), np.uint8))
_JPEG_FILLER = cv2.imencode(".jpg", np.zeros((1, 1, 1), np.uint8))[1].tobytes()

_Measure = Callable[[Any, int], tuple[tf.Tensor, tf.Tensor]]


class Content(NamedTuple):
    """A size in pixels, and a digest that is the same where size and pixels are."""

    height: int
    width: int
    digest: int


def kind_of(digest: Any) -> Any:
    """What a digest, or each of an array of them, says: of all pixels, or of some of a file's.

    >>> kind_of(content_of(np.zeros((2, 3, 1), np.uint8)).digest) == EXACT
    True
    """
    return digest % 2 * (digest % 4)  # of exact ones, only the last bit is set apart


def content_of(pixels: Any) -> Content:
    """The content of one decoded image, uint8 (H, W, C).

    >>> content_of(np.zeros((2, 3, 1), np.uint8))[:2]
    (2, 3)
    """
    height, width, _ = pixels.shape
    with tf.device("CPU"):
        return _content(height, width, _fingerprint(pixels).numpy().view(np.uint64)[0, 0])


def contents_of(images: Sequence[bytes], channels: int) -> list[Content]:
    """The contents of up to `GROUP` JPEG and PNG images, decoded in parallel.

    Raises:
        tf.errors.OpError: one of them does not decode; which one is not said.

    >>> contents_of([to_png(np.zeros((2, 3, 1), np.uint8))], channels=1)[0][:2]
    (2, 3)
    """
    padded = [*images, *[_FILLER] * (GROUP - len(images))]
    return [_content(*row) for row in _rows(padded, channels, _measure)][: len(images)]


def jpeg_contents(images: Sequence[bytes], channels: int) -> list[Content]:
    """The same for JPEG images, with sketches for digests.

    >>> jpeg_contents([_JPEG_FILLER], channels=1)[0][:2]
    (1, 1)
    """
    padded = [*images, *[_JPEG_FILLER] * (GROUP - len(images))]
    return [_jpeg_sketch(*row) for row in _rows(padded, channels, _measure_shrunk)][: len(images)]


def jpeg_content(image: bytes, channels: int) -> Content:
    """The same for a single one, whose error says what is wrong."""
    with tf.device("CPU"):
        size, fingerprint = _measure_shrunk(image, channels)
        height, width = size.numpy().tolist()
        return _jpeg_sketch(height, width, fingerprint.numpy().view(np.uint64)[0, 0])


def png_contents(images: Sequence[bytes], channels: int) -> list[Content]:
    """The same for PNG images, with sketches but where there is no head (`records.pngs`).

    >>> png_contents([to_png(np.zeros((128, 130, 1), np.uint8))], channels=1)[0][:2]
    (128, 130)
    """
    heads = [head_of(image) for image in images]
    chosen = [head.png if head else image for head, image in zip(heads, images, strict=True)]
    return [
        _png_sketch(head, content) if head else content
        for head, content in zip(heads, contents_of(chosen, channels), strict=True)
    ]


def png_content(image: bytes, channels: int) -> Content:
    """The same for a single one, whose error says what is wrong."""
    head = head_of(image)
    with tf.device("CPU"):
        content = content_of(decode_plain(head.png if head else image, channels))
    return _png_sketch(head, content) if head else content


def _rows(images: Sequence[bytes], channels: int, measure: _Measure) -> list[tuple[int, int, int]]:
    sizes, fingerprints = _measured(tf.constant(images), channels, measure)
    numbers = fingerprints.numpy().view(np.uint64)[:, 0]
    return [(h, w, number) for (h, w), number in zip(sizes.numpy().tolist(), numbers, strict=True)]


@tf.function(autograph=False)
def _measured(images: tf.Tensor, channels: int, measure: _Measure) -> tuple[tf.Tensor, tf.Tensor]:
    # Unrolled, each image takes a tenth less than in a `tf.data` map; the pixels stay in here.
    with tf.device("CPU"):
        pairs = [measure(image, channels) for image in tf.unstack(images, GROUP)]
        sizes, fingerprints = zip(*pairs, strict=True)
        return tf.stack(sizes), tf.concat(fingerprints, axis=0)


def _measure(image: Any, channels: int) -> tuple[tf.Tensor, tf.Tensor]:
    pixels = decode_plain(image, channels)
    return tf.shape(pixels)[:2], _fingerprint(pixels)


def _measure_shrunk(image: Any, channels: int) -> tuple[tf.Tensor, tf.Tensor]:
    shrunk = decode_plain(image, channels, shrink=8)
    return tf.io.extract_jpeg_shape(image)[:2], _fingerprint(shrunk)


def _fingerprint(pixels: Any) -> tf.Tensor:
    """FarmHash's 64 bits, which never change: chance needs billions of images to repeat them."""
    flat = tf.reshape(pixels, (1, -1))
    return tf.raw_ops.Fingerprint(data=flat, method=tf.constant("farmhash64"))


def _content(height: int, width: int, fingerprint: Any) -> Content:
    return Content(height, width, (int(fingerprint) ^ (height << 32 | width)) & ~1)


def _jpeg_sketch(height: int, width: int, fingerprint: Any) -> Content:
    digest = int(fingerprint) ^ (height << 32 | width)
    return Content(height, width, digest & ~3 | JPEG_SKETCH)


def _png_sketch(head: Head, content: Content) -> Content:
    place = head.height << 34 | head.num_flat_rows << 2
    return Content(head.height, head.width, (content.digest ^ place) & ~3 | PNG_SKETCH)
