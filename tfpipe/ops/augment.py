"""The random ops of geometry that keep an image's size; they move masks and boxes along."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError, one_of
from tfpipe.ops.affine import Motion, move
from tfpipe.ops.arguments import require_fraction, require_range, require_whole
from tfpipe.ops.base import Example
from tfpipe.ops.boxes import move_boxes, scaling
from tfpipe.ops.draws import RandomOp, between, per_image, uniform

FLIPS = ("horizontal", "vertical", "horizontal_and_vertical")


@dataclasses.dataclass(frozen=True)
class RandomAffine(RandomOp):
    """Turns, zooms and shifts uint8 images by random amounts, in one interpolation.

    What comes in from outside the image is black (0).

    Args:
        rotation: the largest turn, either way, as a fraction of a full turn (0.05 is 18 degrees).
        translation: the largest shift, either way, as a fraction of the height and of the width.
        zoom: (smallest, largest) magnification: at 0.8 things get smaller and a border comes in,
            at 1.2 they get larger. Drawn evenly between the two.
        mask_fill: the class of a mask outside the image: 0, or what the loss ignores.

    Raises:
        RequestError: an argument is outside its range; when it runs, there is no `key`.

    Example:

    >>> images = tf.zeros((2, 8, 8, 1), tf.uint8)
    >>> RandomAffine()({"image": images, "key": tf.constant(["a", "b"])})["image"].shape
    TensorShape([2, 8, 8, 1])
    """

    rotation: float = 0.03
    translation: float = 0.08
    zoom: tuple[float, float] = (1.0, 1.0)
    mask_fill: int = 0
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_fraction("rotation", self.rotation)
        require_fraction("translation", self.translation)
        require_range("zoom", self.zoom, 0.01, 100)
        require_whole("mask_fill", self.mask_fill, -1)

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """Draws a turn, a shift and a zoom for each image, and applies them."""
        motion = Motion(
            turns=between(key, 0, -self.rotation, self.rotation),
            right=between(key, 1, -self.translation, self.translation),
            down=between(key, 2, -self.translation, self.translation),
            zoom=between(key, 3, *self.zoom),
        )
        return move(example, motion, self.mask_fill)


class _Affine(RandomOp):
    """A `RandomAffine` with fewer arguments."""

    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._affine()  # refuses what does not fit

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """Draws for each image, and moves it."""
        return self._affine().augment(example, key)

    def _affine(self) -> RandomAffine:
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class RandomRotation(_Affine):
    """Turns uint8 images by a random angle; see `RandomAffine` for turns with shifts and zooms.

    Args:
        rotation: the largest turn, either way, as a fraction of a full turn (0.05 is 18 degrees).
        mask_fill: the class of a mask outside the image: 0, or what the loss ignores.

    Raises:
        RequestError: an argument is outside its range; when it runs, there is no `key`.

    Example:

    >>> example = {"image": tf.zeros((8, 8, 1), tf.uint8), "key": "a"}
    >>> RandomRotation(0.5)(example)["image"].shape
    TensorShape([8, 8, 1])
    """

    rotation: float = 0.03
    mask_fill: int = 0

    def _affine(self) -> RandomAffine:
        return RandomAffine(self.rotation, 0.0, mask_fill=self.mask_fill)


@dataclasses.dataclass(frozen=True)
class RandomZoom(_Affine):
    """Makes what is on uint8 images smaller or larger, about their centres.

    Small things are what models miss: seeing everything smaller in training helps to find them.

    Args:
        zoom: (smallest, largest) magnification: at 0.8 a black border comes in.
        mask_fill: the class of a mask outside the image: 0, or what the loss ignores.

    Raises:
        RequestError: an argument is outside its range; when it runs, there is no `key`.

    Example:

    >>> example = {"image": tf.zeros((8, 8, 1), tf.uint8), "key": "a"}
    >>> RandomZoom((0.8, 1.2))(example)["image"].shape
    TensorShape([8, 8, 1])
    """

    zoom: tuple[float, float] = (0.8, 1.2)
    mask_fill: int = 0

    def _affine(self) -> RandomAffine:
        return RandomAffine(0.0, 0.0, self.zoom, self.mask_fill)


@dataclasses.dataclass(frozen=True)
class RandomFlip(RandomOp):
    """Flips every second uint8 image, at random; pixels, masks and boxes stay exact.

    Args:
        mode: "horizontal" (left and right change places), "vertical", or
            "horizontal_and_vertical": each of the two for every second image, by itself.

    Raises:
        RequestError: there is no such mode; when it runs, there is no `key`.

    Example:

    >>> example = {"image": tf.constant([[[1], [2]]], tf.uint8), "key": "c"}
    >>> RandomFlip()(example)["image"].numpy().ravel()
    array([2, 1], dtype=uint8)
    """

    mode: str = "horizontal"
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in FLIPS:
            raise RequestError(one_of("mode", self.mode, FLIPS))

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """Draws whether to flip each image, along each axis of `mode`."""
        vertical, horizontal = ("vertical" in self.mode, "horizontal" in self.mode)
        across = uniform(key, 0) < (0.5 if horizontal else 0.0)
        down = uniform(key, 1) < (0.5 if vertical else 0.0)
        flipped = dict(example)
        for name in ("image", "mask"):
            if name in example:
                flipped[name] = _flip(example[name], across, down)
        x, y = tf.cast(across, tf.float32), tf.cast(down, tf.float32)
        return move_boxes(flipped, scaling((y, x), (1 - y, 1 - x), (1, 1)))


def _flip(images: tf.Tensor, across: tf.Tensor, down: tf.Tensor) -> tf.Tensor:
    images = tf.where(per_image(across), images[..., ::-1, :], images)
    return tf.where(per_image(down), images[..., ::-1, :, :], images)
