"""Resizing, in the input pipeline and inside files: one arithmetic, two ways to write it."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError, one_of
from tfpipe.ops.arguments import require_bool, require_size, require_whole
from tfpipe.ops.base import Example, Op, sizes_of
from tfpipe.ops.boxes import move_boxes, scaling

METHODS = ("bilinear", "area")


@dataclasses.dataclass(frozen=True)
class Resize(Op):
    """Resizes uint8 images, and the `mask` and the `boxes` beside them.

    An image that has the size already is left as it is. A mask takes the nearest pixel's class.

    Args:
        size: (height, width) in pixels.
        method: "bilinear", or "area": the mean of the covered pixels.
        antialias: with "bilinear", widens the filter where the image gets smaller; without it,
            pixels in between are skipped. "area" never skips any.
        letterbox: keeps the aspect ratio: the image is made as large as fits, and centred on
            black. Otherwise it is stretched to the size.
        mask_fill: the class of a mask outside the letterboxed image: 0, or what the loss ignores.

    Raises:
        RequestError: an argument is outside its range or set.

    Example:

    >>> Resize((4, 6))({"image": tf.zeros((8, 8, 1), tf.uint8)})["image"].shape
    TensorShape([4, 6, 1])
    """

    size: tuple[int, int]
    method: str = "bilinear"
    antialias: bool = True
    letterbox: bool = False
    mask_fill: int = 0
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"
    per_image: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require_size("size", self.size)
        if self.method not in METHODS:
            raise RequestError(one_of("method", self.method, METHODS))
        require_bool("antialias", self.antialias)
        require_bool("letterbox", self.letterbox)
        require_whole("mask_fill", self.mask_fill, -1)

    def run(self, example: Example) -> Example:
        """Resizes the image and the mask, and moves the boxes if the image is letterboxed."""
        moved = {**example, "image": self.apply(example["image"])}
        if "mask" in example:
            moved["mask"] = self.apply_to_mask(example["mask"])
        if not self.letterbox:
            return moved
        (top, left), (rows, columns) = self._place(example["image"])
        return move_boxes(moved, scaling((top, left), (top + rows, left + columns), self.size))

    def apply(self, image: Any) -> Any:
        """(H, W, C) or (B, H, W, C) to the same with `size`, rounded to uint8."""
        if tuple(image.shape[-3:-1]) == self.size:
            return image
        start, fitted = self._place(image)
        if self.method == "bilinear" and self.antialias:
            resized = _resize_antialiased(image, fitted)
        else:
            resized = tf.image.resize(image, fitted, self.method)
        padded = self._pad(tf.cast(tf.round(resized), tf.uint8), start, 0)
        return tf.ensure_shape(padded, (*image.shape[:-3], *self.size, image.shape[-1]))

    def apply_to_mask(self, mask: tf.Tensor) -> tf.Tensor:
        """(H, W, 1) or (B, H, W, 1), classes in any dtype, to the same with `size`."""
        start, fitted = self._place(mask)
        padded = self._pad(tf.image.resize(mask, fitted, "nearest"), start, self.mask_fill)
        return tf.ensure_shape(padded, (*mask.shape[:-3], *self.size, mask.shape[-1]))

    def lower(self, images: Any, runtime: str) -> Any:
        """`apply` for a known size, within one grey level: neither TFLite nor ONNX has a resize
        that antialiases. Each new row is a sum of a few weighted rows, then each column."""
        if runtime == "saved_model" or tuple(images.shape[1:3]) == self.size:
            return self.apply(images)
        _, height, width, _ = images.shape
        if height is None or width is None:
            raise RequestError(
                f"{self!r} expected images of a known size for {runtime}. "
                f"Received: shape {tuple(images.shape.as_list())}"
            )
        with tf.init_scope():  # the numbers are needed now, while a graph is being made
            start, fitted = self._place(tf.zeros((1, height, width, 1)))
        resized = _along(tf.cast(images, tf.float32), 1, self._weights(height, int(fitted[0])))
        resized = _along(resized, 2, self._weights(width, int(fitted[1])))
        padded = self._pad(tf.round(resized), [int(first) for first in start], 0)
        return tf.cast(padded, tf.uint8)

    def _place(self, image: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """Where the resized image starts within `size`, and its own size."""
        if not self.letterbox:
            return (0, 0), self.size
        height, width = sizes_of(image)
        # Whole numbers throughout: a file that knows its sizes comes to the same.
        rows = tf.clip_by_value((2 * height * self.size[1] + width) // (2 * width), 1, self.size[0])
        columns = tf.clip_by_value(
            (2 * width * self.size[0] + height) // (2 * height), 1, self.size[1]
        )
        return ((self.size[0] - rows) // 2, (self.size[1] - columns) // 2), (rows, columns)

    def _pad(self, image: Any, start: Any, fill: int) -> Any:
        if not self.letterbox:
            return image
        height, width = sizes_of(image)
        sides = [
            [start[0], self.size[0] - start[0] - height],
            [start[1], self.size[1] - start[1] - width],
            [0, 0],
        ]
        sides = sides if image.shape.rank == 3 else [[0, 0], *sides]
        return tf.pad(image, sides, constant_values=tf.cast(fill, image.dtype))

    def _weights(self, old: int, new: int) -> Any:
        """How much of each old row is in each new one, (new, old): an identity, resized."""
        with tf.init_scope():
            identity = tf.eye(old)[..., None]
            resized = tf.image.resize(identity, (new, old), self.method, antialias=self.antialias)
            return resized[..., 0].numpy()


def _resize_antialiased(image: tf.Tensor, size: tuple[Any, Any]) -> tf.Tensor:
    """`tf.image.resize(..., antialias=True)`, one axis at a time: 2 to 3 times as fast.

    TensorFlow's kernel walks over pixels and adds up their channels, of which there are few. Here
    a row's pixels are its channels, and then a column's.
    """
    if image.shape.rank == 3:
        return _resize_antialiased(image[None], size)[0]
    count, height, width, channels = tf.unstack(tf.shape(image))
    rows = _shrink(tf.reshape(image, (count, height, 1, width * channels)), size[0])
    turned = tf.transpose(tf.reshape(rows, (count, size[0], width, channels)), (0, 2, 1, 3))
    columns = _shrink(tf.reshape(turned, (count, width, 1, size[0] * channels)), size[1])
    turned = tf.transpose(tf.reshape(columns, (count, size[1], size[0], channels)), (0, 2, 1, 3))
    return tf.ensure_shape(turned, (None, None, None, image.shape[-1]))


def _shrink(images: tf.Tensor, length: Any) -> tf.Tensor:
    return tf.image.resize(images, (length, 1), antialias=True)


def _along(images: tf.Tensor, axis: int, weights: Any) -> tf.Tensor:
    """Sums of weighted rows (axis 1) or columns (axis 2): `weights @ images`, without the zeros."""
    new, old = weights.shape
    used = weights != 0
    first = used.argmax(axis=1)
    taps = int((old - used[:, ::-1].argmax(axis=1) - first).max())
    places = np.minimum(first, old - taps)[:, None] + np.arange(taps)
    shares = np.take_along_axis(weights, places, axis=1)
    shape = (new, 1, 1) if axis == 1 else (new, 1)
    total = tf.gather(images, places[:, 0], axis=axis) * shares[:, 0].reshape(shape)
    for tap in range(1, taps):
        total += tf.gather(images, places[:, tap], axis=axis) * shares[:, tap].reshape(shape)
    return total
