"""Whether the images of a batch have one size, where nothing before the batch gives them one.

Example:

    if are_loose(manifest, one.structured_outputs, batch_size):
        require_one_size(examples)
        dataset = of_one_size(dataset, batch_size)
"""

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.records.manifest import Manifest

Example = dict[str, tf.Tensor]

EXPECTED = "Expected images of one size in a batch. Received:"
MEND = "Add `ops.Resize((height, width))` to the chain."


def are_loose(manifest: Manifest, gives: Mapping[str, Any], batch_size: int) -> bool:
    """Whether images of a batch may differ in size, for all that is known beforehand.

    Args:
        manifest: knows the images' sizes, as they are stored: EXIF may turn some of them.
        gives: the shapes of a prepared example.
        batch_size: a batch of one always has one size.
    """
    shape = gives["image"].shape if "image" in gives else tf.TensorShape(())
    stated = manifest.features["image"].shape if "image" in manifest.features else ()
    if batch_size == 1 or shape.rank != 3 or shape.is_fully_defined() or None not in stated:
        return False
    height, width = manifest.image_sizes["largest"]
    return bool(manifest.image_sizes["distinct"] > 1 or height != width)


def require_one_size(examples: Iterable[Example]) -> None:
    """Refuses examples of different sizes, which would meet in a batch sooner or later.

    Raises:
        RequestError: names two of them, and says what to do.
    """
    first = None
    for example in examples:
        first = first or example
        if example["image"].shape != first["image"].shape:
            raise RequestError(f"{EXPECTED} {_words(first)} and {_words(example)}. {MEND}")


def of_one_size(dataset: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    """The dataset, which ends with that sentence where such a batch comes later."""

    def check(state: tuple[tf.Tensor, ...], example: Example) -> tuple[object, Example]:
        number, size, name = state
        found = tf.shape(example["image"])
        begins = number % batch_size == 0
        size, name = tf.where(begins, found, size), tf.where(begins, example["id"], name)
        said = [EXPECTED, size[:2], name, "and", found[:2], example["id"], MEND]
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(size == found), said)]):
            image = tf.identity(example["image"])
        return (number + 1, size, name), {**example, "image": image}

    rank = dataset.element_spec["image"].shape.rank
    return dataset.scan((tf.constant(0, tf.int64), tf.zeros(rank, tf.int32), ""), check)


def _words(example: Example) -> str:
    height, width, *_ = example["image"].shape
    return f"{height}x{width} ({example['id'].numpy().decode(errors='replace')!r})"
