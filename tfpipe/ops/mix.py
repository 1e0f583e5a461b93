"""Ops that mix the images of a batch and their labels, for training only.

Every example keeps its place and gets a partner: the examples of a batch stand in a circle, in an
order that their keys decide, and the next one is the partner. So what an example becomes depends
on which examples are in its batch, but not on their order; with `records.read` a batch is a
function of the seed and the epoch.
"""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError, received
from tfpipe.ops.arguments import is_number, is_whole
from tfpipe.ops.base import Example, sizes_of
from tfpipe.ops.checks import checked
from tfpipe.ops.draws import RandomOp, between, per_image


class _Mix(RandomOp):
    """What MixUp and CutMix share: a partner for each example, and the labels' mixture."""

    per_batch: ClassVar[bool] = True
    num_classes: int | None
    alpha: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_classes is not None and not is_whole(self.num_classes, 2):
            expected = "`num_classes` to be a whole number from 2, or None for `labels`"
            raise RequestError(received(expected, num_classes=self.num_classes))
        if not is_number(self.alpha) or not 0.05 <= self.alpha <= 100:
            raise RequestError(received("`alpha` to be from 0.05 to 100", alpha=self.alpha))

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """Mixes each image with its partner's, and the labels in the same proportion."""
        labels = self._labels(example)
        partner = _partners(key)
        image = example["image"]
        mixed, share = self.mix(image, tf.gather(image, partner), key)
        share = tf.cast(share, tf.float32)[:, None]
        labels = share * labels + (1 - share) * tf.gather(labels, partner)
        rest = {name: value for name, value in example.items() if name != "label"}
        return {**rest, "image": mixed, "labels": labels}

    def mix(
        self, images: tf.Tensor, others: tf.Tensor, key: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The mixed images, and the share (B,) that each has in its own."""
        raise NotImplementedError

    def _labels(self, example: Example) -> tf.Tensor:
        """float32 (B, num_classes)."""
        unfit = {"mask", "boxes"} & set(example)
        if unfit or not {"label", "labels"} & set(example):
            found = sorted(unfit) or [name for name in example if name not in ("image", "key")]
            raise RequestError(
                f"{self!r} mixes `label` or `labels`. "
                f"Received: {', '.join(map(repr, found)) or 'neither'}"
            )
        if "labels" in example:
            return tf.cast(example["labels"], tf.float32)
        if self.num_classes is None:
            raise RequestError(
                f"{self!r} makes one number per class of each integer label. Say how many classes "
                "there are: `num_classes=manifest.num_classes`."
            )
        label = tf.convert_to_tensor(example["label"])
        known = tf.reduce_all((label >= 0) & (label < self.num_classes))
        sentence = f"{self!r} expected labels from 0 to {self.num_classes - 1}. Received:"
        return tf.one_hot(checked(label, known, sentence, label), self.num_classes)


@dataclasses.dataclass(frozen=True)
class MixUp(_Mix):
    """Blends each float32 image of a batch with another, and the labels in the same proportion.

    An integer `label` (B,) is replaced by `labels`, float32 (B, num_classes), of sum 1: train with
    `keras.losses.CategoricalCrossentropy`. Where `labels` (B, num_classes), multi-hot, stand
    already, they become float32: train with `keras.losses.BinaryCrossentropy`. Validation data
    is not mixed, and needs labels of the same kind.

    Args:
        num_classes: needed for integer labels.
        alpha: of the Beta distribution that each proportion is drawn from, 0.05 to 100: the
            larger, the nearer to one half.

    Source: Zhang et al., mixup: beyond empirical risk minimization (2017).

    Raises:
        RequestError: an argument is outside its range; when it runs, there is no `key`, no `label`
            and no `labels`, a label without `num_classes` or outside them, or a mask or boxes,
            which cannot be mixed.

    Example:

    >>> batch = {"image": tf.zeros((2, 8, 8, 1)), "label": [0, 2], "key": ["a", "b"]}
    >>> MixUp(num_classes=3)(batch)["labels"].shape
    TensorShape([2, 3])
    """

    num_classes: int | None = None
    alpha: float = 0.2
    takes: ClassVar[str] = "float32"
    gives: ClassVar[str] = "float32"

    def mix(
        self, images: tf.Tensor, others: tf.Tensor, key: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A weighted mean."""
        share = _beta(key, 1, self.alpha)
        weight = per_image(tf.cast(share, tf.float32))
        return weight * images + (1 - weight) * others, share


@dataclasses.dataclass(frozen=True)
class CutMix(_Mix):
    """Puts a rectangle of another uint8 image of the batch into each, and mixes the labels by area.

    What becomes of the labels, and which loss fits them, is as with `MixUp`.

    Args:
        num_classes: needed for integer labels.
        alpha: of the Beta distribution that each image's own share of the area is drawn from,
            0.05 to 100. The rectangle's middle is anywhere in the image; what reaches beyond is
            cut off, and the labels go by what is left.

    Source: Yun et al., CutMix (2019), section 3 and appendix.

    Raises:
        RequestError: as with `MixUp`.

    Example:

    >>> images = tf.zeros((2, 8, 8, 1), tf.uint8)
    >>> batch = {"image": images, "label": [0, 2], "key": ["a", "b"]}
    >>> CutMix(num_classes=3)(batch)["labels"].shape
    TensorShape([2, 3])
    """

    num_classes: int | None = None
    alpha: float = 1.0
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"

    def mix(
        self, images: tf.Tensor, others: tf.Tensor, key: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Copies a rectangle."""
        side = tf.sqrt(1 - _beta(key, 1, self.alpha))
        height, width = sizes_of(images)
        rows = _stretch(between(key, 2, 0, 1), side, height)
        columns = _stretch(between(key, 3, 0, 1), side, width)
        inside = rows[:, :, None, None] & columns[:, None, :, None]
        share = 1 - tf.reduce_mean(tf.cast(inside, tf.float64), axis=(1, 2, 3))
        return tf.where(inside, others, images), share


def _partners(key: tf.Tensor) -> tf.Tensor:
    """The place of each example's partner, int32 (B,); in a batch of one, its own."""
    order = tf.argsort(tf.strings.to_hash_bucket_strong(key, 2**62, key=[0, 0]), stable=True)
    return tf.gather(tf.roll(order, -1, axis=0), tf.argsort(order))


def _stretch(middle: tf.Tensor, side: tf.Tensor, length: int | tf.Tensor) -> tf.Tensor:
    """Which of `length` pixels lie within `side / 2` of `middle`: bool (B, length)."""
    pixels = (tf.cast(tf.range(length), tf.float64) + 0.5) / tf.cast(length, tf.float64)
    return tf.abs(pixels - middle[:, None]) < side[:, None] / 2


def _beta(key: tf.Tensor, draw: int, alpha: float) -> tf.Tensor:
    """Draws from Beta(alpha, alpha), float64: where its distribution function reaches a draw."""
    wanted, parameter = between(key, draw, 0, 1), tf.constant(alpha, tf.float64)
    least, most = tf.zeros_like(wanted), tf.ones_like(wanted)
    for _ in range(30):
        middle = (least + most) / 2
        below = tf.math.betainc(parameter, parameter, middle) < wanted
        least, most = tf.where(below, middle, least), tf.where(below, most, middle)
    return (least + most) / 2
