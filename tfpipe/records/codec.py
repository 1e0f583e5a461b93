"""One example between its dict and its bytes on disk: a `tf.train.Example`, as TFDS stores it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.decode import decode_image
from tfpipe.records.sources.base import Example, Feature


def to_record(
    example_id: str,
    values: Example,
    features: Mapping[str, Feature],
    *,
    orientation: int | None = None,
) -> bytes:
    """A serialised `tf.train.Example`: always the same bytes for the same values.

    Args:
        example_id: file names keep bytes that are no text.
        values: of the features, as `values.stored` gives them.
        features: what they are.
        orientation: EXIF's, where there is an image.

    >>> record = to_record("a", {"label": 3}, {"label": Feature("label")})
    >>> int(parse(record, {"label": Feature("label")})["label"])
    3
    """
    message = tf.train.Example()
    slots = message.features.feature
    _put_bytes(slots["id"], example_id.encode("utf-8", "surrogateescape"))
    for key, value in values.items():
        _PUTS[features[key].kind](slots[key], value)
    if orientation is not None:
        _put_ints(slots["orientation"], orientation)
    return message.SerializeToString(deterministic=True)


def parse(record: tf.Tensor, features: Mapping[str, Feature]) -> dict[str, tf.Tensor]:
    """The inverse, as graph operators: a record (a scalar string) gives a dict of tensors.

    Images and masks stay encoded; `orientation` is EXIF's, where there is an image.
    """
    spec = {"id": tf.io.FixedLenFeature([], tf.string)}
    spec |= {key: _SPECS[feature.kind](feature) for key, feature in features.items()}
    if "image" in features:
        spec["orientation"] = tf.io.FixedLenFeature([], tf.int64)
    example = tf.io.parse_single_example(record, spec)
    for key, feature in features.items():
        if feature.kind == "boxes":
            example[key] = tf.reshape(example[key], (-1, 4))
    return example


def decoder(features: Mapping[str, Feature]) -> Callable[[Example], Example]:
    """A function from a parsed example to its pixels: images uint8, masks int32 classes."""
    image, mask = features.get("image"), features.get("mask")

    def decode(example: Example) -> Example:
        """The images upright, the masks as classes; all else as it is."""
        example = dict(example)
        if image is not None:
            turned = example.pop("orientation")
            example["image"] = decode_image(example["image"], image.channels, turned)
        if mask is not None:
            greys = tf.cast(decode_image(example["mask"], 1), tf.int32)
            example["mask"] = tf.gather(tf.constant(mask.table, tf.int32), greys)
        return example

    return decode


def _put_bytes(slot: tf.train.Feature, value: bytes) -> None:
    slot.bytes_list.value.append(value)


def _put_ints(slot: tf.train.Feature, values: Any) -> None:
    slot.int64_list.value.extend(np.ravel(values).tolist())


def _put_floats(slot: tf.train.Feature, values: Any) -> None:
    slot.float_list.value.extend(np.ravel(values).tolist())


_PUTS: dict[str, Callable[[tf.train.Feature, Any], None]] = {
    "text": _put_bytes,
    "image": _put_bytes,
    "mask": _put_bytes,
    "label": _put_ints,
    "labels": _put_ints,
    "classes": _put_ints,
    "boxes": _put_floats,
    "sequence": _put_floats,
    "target": _put_floats,
}


def _all_values(dtype: tf.DType) -> tf.io.FixedLenSequenceFeature:
    return tf.io.FixedLenSequenceFeature([], dtype, allow_missing=True)


_SPECS: dict[str, Callable[[Feature], Any]] = {
    "text": lambda feature: tf.io.FixedLenFeature([], tf.string),
    "image": lambda feature: tf.io.FixedLenFeature([], tf.string),
    "mask": lambda feature: tf.io.FixedLenFeature([], tf.string),
    "label": lambda feature: tf.io.FixedLenFeature([], tf.int64),
    "labels": lambda feature: tf.io.FixedLenFeature(feature.shape, tf.int64),
    "classes": lambda feature: _all_values(tf.int64),
    "boxes": lambda feature: _all_values(tf.float32),
    "sequence": lambda feature: tf.io.FixedLenFeature(feature.shape, tf.float32),
    "target": lambda feature: tf.io.FixedLenFeature(feature.shape, tf.float32),
}
