"""One example between its dict and its bytes on disk: a `tf.train.Example`, as TFDS stores it."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfpipe.decode import decode_image
from tfpipe.records.images import MAX_PIXELS, Facts, look, look_at_mask
from tfpipe.records.sources.base import Example, Feature, Refused
from tfpipe.records.values import stored


class Encoded(NamedTuple):
    """What became of one example: its record, or the reason why there is none."""

    record: bytes = b""
    refused: str = ""
    notes: tuple[str, ...] = ()
    classes: tuple[int, ...] = ()
    size_px: tuple[int, int] = (0, 0)
    digest: int = 0


def encode(
    example: Example, features: Mapping[str, Feature], *, max_pixels: int = MAX_PIXELS
) -> Encoded:
    """Checks one example and makes its record: always the same bytes for the same example.

    >>> done = encode({"id": "a", "label": 3}, {"label": Feature("label")})
    >>> tf.train.Example.FromString(done.record).features.feature["label"].int64_list.value[0]
    3
    """
    try:
        return _encode(example, features, max_pixels)
    except Refused as reason:
        return Encoded(refused=str(reason))


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
        example = dict(example)
        if image is not None:
            turned = example.pop("orientation")
            example["image"] = decode_image(example["image"], image.shape[-1] or 3, turned)
        if mask is not None:
            greys = tf.cast(decode_image(example["mask"], 1), tf.int32)
            example["mask"] = tf.gather(tf.constant(mask.table, tf.int32), greys)
        return example

    return decode


def _encode(example: Example, features: Mapping[str, Feature], max_pixels: int) -> Encoded:
    if "refused" in example:
        raise Refused(example["refused"])
    values = stored(example, features)
    facts = _look(values, features, max_pixels)
    _refuse_misfits(example, facts)
    protos = {key: _PROTOS[features[key].kind](value) for key, value in values.items()}
    protos["id"] = _strings(example["id"].encode("utf-8", "surrogateescape"))
    if facts is not None:
        protos["orientation"] = _ints([facts.orientation])
    message = tf.train.Example(features=tf.train.Features(feature=protos))
    return Encoded(
        record=message.SerializeToString(deterministic=True),
        notes=tuple(example.get("notes", ())),
        classes=_classes(values, features),
        size_px=(facts.height, facts.width) if facts else (0, 0),
        digest=_digest_of(values, facts),
    )


def _look(values: Example, features: Mapping[str, Feature], max_pixels: int) -> Facts | None:
    if "image" not in features:
        return None
    feature = features["image"]
    facts = look(values["image"], feature.shape[-1] or 3, max_pixels=max_pixels)
    size = (facts.height, facts.width)
    fixed = tuple(feature.shape[:2])
    upright = size[::-1] if facts.orientation > 4 else size
    if any(want not in (None, found) for want, found in zip(fixed, upright, strict=True)):
        raise Refused(
            f"expected an image of {fixed[0]}x{fixed[1]} pixels, found {upright[0]}x{upright[1]}"
        )
    if "mask" in features:
        mask = look_at_mask(values["mask"], features["mask"].table, max_pixels=max_pixels)
        if (mask.height, mask.width) != size:
            raise Refused(
                f"the image has {size[0]}x{size[1]} pixels, the mask {mask.height}x{mask.width}"
            )
    return facts


def _refuse_misfits(example: Example, facts: Facts | None) -> None:
    if facts is None:
        return
    size = (facts.height, facts.width)
    claimed = example.get("size_px", size)
    if tuple(claimed) != size:
        raise Refused(
            f"the annotation is for {claimed[0]}x{claimed[1]} pixels, the image has "
            f"{size[0]}x{size[1]}"
        )
    if facts.orientation > 1 and ("boxes" in example or "mask" in example):
        raise Refused(
            f"its EXIF orientation is {facts.orientation}, and nothing says whether the boxes or "
            "the mask are for the turned image; save the image upright"
        )


def _classes(values: Example, features: Mapping[str, Feature]) -> tuple[int, ...]:
    """The classes that occur, once for each label or box."""
    if "label" in features:
        return (int(values["label"]),)
    if "labels" in features:
        return tuple(int(index) for index in np.flatnonzero(values["labels"]))
    return tuple(map(int, values["classes"])) if "classes" in features else ()


def _digest_of(values: Example, facts: Facts | None) -> int:
    if facts is not None:
        return facts.digest
    content = values["text"] if "text" in values else _floats(values.get("sequence", ()))
    data = content if isinstance(content, bytes) else content.SerializeToString()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _strings(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _ints(values: Any) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(values).tolist()))


def _floats(values: Any) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(values).tolist()))


_PROTOS: dict[str, Callable[[Any], tf.train.Feature]] = {
    "text": _strings,
    "image": _strings,
    "mask": _strings,
    "label": _ints,
    "labels": _ints,
    "classes": _ints,
    "boxes": _floats,
    "sequence": _floats,
    "target": _floats,
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
