"""Cropping; masks and boxes follow."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.ops.arguments import require_range, require_size
from tfpipe.ops.base import Example, Op, sizes_of
from tfpipe.ops.boxes import move_boxes, scaling
from tfpipe.ops.checks import checked
from tfpipe.ops.draws import RandomOp, between
from tfpipe.ops.resize import Resize


@dataclasses.dataclass(frozen=True)
class CenterCrop(Op):
    """Cuts the middle out of uint8 images.

    Args:
        size: (height, width) in pixels. Where a side cannot be halved evenly, the pixel too many
            goes at the bottom or on the right.

    Raises:
        RequestError: `size` is not two whole numbers from 1; when it runs, an image is smaller.

    Example:

    >>> CenterCrop((4, 6))({"image": tf.zeros((8, 8, 1), tf.uint8)})["image"].shape
    TensorShape([4, 6, 1])
    """

    size: tuple[int, int]
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"
    per_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require_size("size", self.size)

    def run(self, example: Example) -> Example:
        """Crops the image and the mask, and moves the boxes."""
        size = sizes_of(example["image"])
        start = [(whole - part) // 2 for whole, part in zip(size, self.size, strict=True)]
        cropped = {**example, "image": self.apply(example["image"])}
        if "mask" in example:
            cropped["mask"] = self.apply(example["mask"])
        return move_boxes(cropped, _seen_from(start, self.size, size))

    def apply(self, image: tf.Tensor) -> tf.Tensor:
        """(H, W, C) or (B, H, W, C) to the same with `size`; refuses smaller images."""
        image = self._checked(image)
        height, width = sizes_of(image)
        top, left = (height - self.size[0]) // 2, (width - self.size[1]) // 2
        rows = image[..., top : top + self.size[0], :, :]
        cropped = rows[..., left : left + self.size[1], :]
        return tf.ensure_shape(cropped, (*image.shape[:-3], *self.size, image.shape[-1]))

    def _checked(self, image: tf.Tensor) -> tf.Tensor:
        expected = f"{self!r} expected images of at least that size; resize them first. Received:"
        known = image.shape[-3:-1]
        if None in known:
            sizes = tf.shape(image)[-3:-1]
            large = tf.reduce_all(sizes >= self.size)
            return checked(image, large, f"{expected} (height, width)", sizes)
        if known[0] < self.size[0] or known[1] < self.size[1]:
            raise RequestError(f"{expected} (height, width) ({known[0]}, {known[1]})")
        return image


@dataclasses.dataclass(frozen=True)
class RandomResizedCrop(RandomOp):
    """Cuts a random part out of each uint8 image, and resizes it: training only.

    `chain.inference()` leaves it out, so a `Resize` to the same size must come after it. In
    training that finds nothing left to do.

    Args:
        size: (height, width) in pixels of what comes out.
        scale: (smallest, largest) part of the image's area.
        ratio: (smallest, largest) width divided by height of the part, drawn evenly on a
            logarithmic scale. A part that would reach beyond the image is cut to it.

    Source: Szegedy et al., Going deeper with convolutions (2014), section 6.

    Raises:
        RequestError: an argument is outside its range; when it runs, there is no `key`.

    Example:

    >>> example = {"image": tf.zeros((9, 8, 1), tf.uint8), "key": "a"}
    >>> RandomResizedCrop((4, 6))(example)["image"].shape
    TensorShape([4, 6, 1])
    """

    size: tuple[int, int]
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"
    per_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require_size("size", self.size)
        require_range("scale", self.scale, 1e-4, 1)
        require_range("ratio", self.ratio, 0.01, 100)

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """Draws a part of each image, cuts it out and resizes it."""
        image = example["image"]
        size, resizing = sizes_of(image), Resize(self.size)
        start, part = self._draw(key, *size)
        changed = dict(example)
        for name, resize in (("image", resizing.apply), ("mask", resizing.apply_to_mask)):
            if name in example:
                changed[name] = _cut(example[name], (*start, *part), resize)
        return move_boxes(changed, _seen_from(start, part, size))

    def _draw(self, key: tf.Tensor, height: Any, width: Any) -> tuple[Any, Any]:
        """(top, left) and (height, width) of the part, int32, in pixels."""
        area = between(key, 0, *self.scale) * tf.cast(height * width, tf.float64)
        ratio = tf.exp(between(key, 1, *map(math.log, self.ratio)))
        rows = _whole(tf.sqrt(area / ratio), 1, height)
        columns = _whole(tf.sqrt(area * ratio), 1, width)
        top = _spread(between(key, 2, 0, 1), height - rows)
        left = _spread(between(key, 3, 0, 1), width - columns)
        return (top, left), (rows, columns)


def _cut(images: tf.Tensor, parts: tuple[Any, ...], resize: Callable[..., Any]) -> tf.Tensor:
    """The part of an image, resized; or one part of each image of a batch."""

    def cut(image: tf.Tensor, top: Any, left: Any, rows: Any, columns: Any) -> tf.Tensor:
        return resize(image[top : top + rows, left : left + columns])

    if images.shape.rank == 3:
        return cut(images, *parts)
    one = tf.TensorSpec(None, images.dtype)
    return tf.map_fn(lambda values: cut(*values), (images, *parts), fn_output_signature=one)


def _seen_from(start: Any, part: Any, size: Any) -> tf.Tensor:
    """The move of boxes into a part of the image: the image lies around it."""
    ends = [whole - first for whole, first in zip(size, start, strict=True)]
    return scaling([-first for first in start], ends, part)


def _whole(value: tf.Tensor, least: Any, most: Any) -> tf.Tensor:
    return tf.clip_by_value(tf.cast(tf.round(value), tf.int32), least, most)


def _spread(fraction: tf.Tensor, most: tf.Tensor) -> tf.Tensor:
    """A whole number from 0 to `most`, each as likely."""
    return tf.cast(tf.floor(fraction * tf.cast(most + 1, tf.float64)), tf.int32)
