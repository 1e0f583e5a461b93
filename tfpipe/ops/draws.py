"""What random ops draw: each number is a function of the example's `key` and of nothing else.

`records.read(..., shuffle_seed=...)` puts `key` into every example; it is made from the seed,
the epoch and the example's id, so the same example gets the same augmentation whatever the
number of workers, its batch, and interruptions. Keras' random layers draw once per batch, from a
state that moves on with every call.
"""

from typing import Any, ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.ops.base import Example, Op


class RandomOp(Op):
    """An op for training only: a new one overrides `augment`, and draws with `uniform`.

    Example:

    >>> import dataclasses
    >>> @dataclasses.dataclass(frozen=True)
    ... class Darken(RandomOp):
    ...     takes = gives = "float32"
    ...     def augment(self, example, key):
    ...         share = uniform(key, 0)[..., None, None, None]
    ...         return {**example, "image": share * example["image"]}
    >>> Darken()({"image": tf.ones((1, 1, 1)), "key": "a"})["image"].numpy().item() < 1
    True
    """

    random: ClassVar[bool] = True

    def run(self, example: Example) -> Example:
        """Changes the example, and its key, so that a second random op draws anew."""
        key = _key(example, self)
        return {**self.augment(example, key), "key": tf.strings.join([key, "+"])}

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """What the op does with the draws of `key`: a scalar string, or (B,) for a batch."""
        raise NotImplementedError


def uniform(key: tf.Tensor, draw: int) -> tf.Tensor:
    """Uniform float32 in [0, 1), of the shape of `key`: the same key and draw, the same number.

    Args:
        key: a scalar string, or (B,), as `augment` gets it.
        draw: which of the numbers that an op needs of a key, from 0.

    >>> bool(uniform(tf.constant("0/1/cat"), 0) == uniform(tf.constant("0/1/cat"), 0))
    True
    """
    # 24 bits are what a float32 holds exactly.
    bits = tf.strings.to_hash_bucket_strong(key, 2**24, key=[draw, 0])
    return tf.cast(bits, tf.float32) / 2**24


def between(key: tf.Tensor, draw: int, least: float, most: float) -> tf.Tensor:
    """Uniform float64 from `least` to `most`.

    What is computed from draws is computed in float64 and rounded to float32 at the end: vector
    instructions and single ones differ in the last bit, and an example's place in its batch
    decides which of them it gets.
    """
    return least + tf.cast(uniform(key, draw), tf.float64) * (most - least)


def per_image(values: tf.Tensor) -> tf.Tensor:
    """Numbers, one per image, in a shape to be multiplied with images.

    >>> per_image(tf.constant([1.0, 2.0])).shape
    TensorShape([2, 1, 1, 1])
    """
    return values[..., None, None, None]


def _key(example: Example, op: Any) -> tf.Tensor:
    if "key" not in example:
        raise RequestError(
            f"{op!r} draws from the example's `key`, and there is none. Give `records.read` a "
            "`shuffle_seed`, or use `chain.inference()`, which leaves random ops out."
        )
    key = tf.convert_to_tensor(example["key"])
    if key.shape.rank is None:  # strings that were joined, in a batch
        return tf.ensure_shape(key, example[op.on].shape[: op.num_axes(example)])
    if key.shape.rank != op.num_axes(example):
        raise RequestError(
            f"{op!r} expected a `key` for each {op.on}. Received: keys of shape {key.shape} for "
            f"{op.on}s of shape {example[op.on].shape}"
        )
    return key
