"""One example between its dict and its bytes on disk: a `tf.train.Example`, as TFDS stores it."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from tfpipe.records.sources import Example, Feature


def encode(example: Example, features: Mapping[str, Feature]) -> bytes:
    """The record of one example: `id` and every feature, always the same bytes.

    An image may be encoded bytes, stored as they are, or uint8 pixels (H, W, C), stored as PNG.

    >>> record = encode({"id": "a", "label": 3}, {"label": Feature("label")})
    >>> tf.train.Example.FromString(record).features.feature["label"].int64_list.value[0]
    3
    """
    values = {"id": _bytes(example["id"].encode())}
    for key, feature in features.items():
        values[key] = _value(example[key], feature)
    message = tf.train.Example(features=tf.train.Features(feature=values))
    return message.SerializeToString(deterministic=True)


def parse(record: tf.Tensor, features: Mapping[str, Feature]) -> dict[str, tf.Tensor]:
    """The inverse, as graph operators: a record gives a dict of scalars.

    Images stay encoded (string), labels are int64, `id` is a string.
    """
    spec = {"id": tf.io.FixedLenFeature([], tf.string)}
    for key, feature in features.items():
        dtype = tf.int64 if feature.kind == "label" else tf.string
        spec[key] = tf.io.FixedLenFeature([], dtype)
    return tf.io.parse_single_example(record, spec)


def decode_image(encoded: tf.Tensor, channels: int = 0) -> tf.Tensor:
    """Encoded bytes, JPEG, PNG, BMP or GIF, to uint8 (H, W, C); of an animation, the first frame.

    With `channels` 0 the image keeps the channels that it has.

    >>> decode_image(to_png(np.zeros((2, 3, 1), np.uint8))).shape
    TensorShape([2, 3, 1])
    """
    image = tf.io.decode_image(encoded, channels, expand_animations=False)
    return tf.ensure_shape(image, [None, None, channels or None])


def to_png(image: np.ndarray) -> bytes:
    """Encodes uint8 pixels, (H, W, 1) or RGB (H, W, 3), without loss.

    >>> to_png(np.zeros((2, 2, 1), np.uint8))[1:4]
    b'PNG'
    """
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.shape[-1] == 3 else image
    _, encoded = cv2.imencode(".png", pixels)
    return encoded.tobytes()


def _value(value: Any, feature: Feature) -> tf.train.Feature:
    if feature.kind == "label":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(value)]))
    if isinstance(value, np.ndarray):
        return _bytes(to_png(value))
    return _bytes(value if isinstance(value, bytes) else value.encode())


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
