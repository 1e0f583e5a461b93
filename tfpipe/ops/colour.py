"""Random colours, for training only."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError, received
from tfpipe.ops.arguments import require_fraction
from tfpipe.ops.base import Example, sizes_of
from tfpipe.ops.checks import checked_channels
from tfpipe.ops.draws import RandomOp, between, per_image

FIELDS = ("brightness", "contrast", "saturation", "hue")


@dataclasses.dataclass(frozen=True)
class ColorJitter(RandomOp):
    """Changes brightness, contrast, saturation and hue of uint8 images by random amounts.

    Contrast and brightness first, then saturation and hue; the result is clipped to 0..255 and
    rounded once. Each channel keeps its mean when the contrast changes.

    Args:
        brightness: up to this fraction of white is added or taken away.
        contrast: the distance from the mean is multiplied by 1 - contrast to 1 + contrast.
        saturation: the same of the saturation; needs RGB.
        hue: the largest turn of the hue, either way, as a fraction of the colour circle, up to
            0.5; needs RGB.

    Raises:
        RequestError: an amount is no fraction, or `hue` above 0.5; when it runs, there is no `key`,
            or an image is not RGB where saturation or hue are to change.

    Example:

    >>> example = {"image": tf.fill((2, 2, 3), tf.constant(100, tf.uint8)), "key": "a"}
    >>> ColorJitter(brightness=0.2)(example)["image"].numpy()[0, 0]
    array([108, 108, 108], dtype=uint8)
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "uint8"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in FIELDS:
            require_fraction(name, getattr(self, name))
        if self.hue > 0.5:
            raise RequestError(received("`hue` to be at most 0.5, half the circle", hue=self.hue))

    def augment(self, example: Example, key: tf.Tensor) -> Example:
        """Draws the four amounts for each image, and applies them."""
        image, colours = example["image"], bool(self.saturation or self.hue)
        if colours:
            image = checked_channels(self, image, 3)
        changed = tf.clip_by_value(self._scale(image, key), 0.0, 255.0)
        changed = self._recolour(changed, key) if colours else changed
        return {**example, "image": tf.cast(tf.round(changed), tf.uint8)}

    def _scale(self, image: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        added = between(key, 0, -self.brightness, self.brightness) * 255
        factor = between(key, 1, 1 - self.contrast, 1 + self.contrast)
        # Whole numbers: their sum does not depend on the order in which threads add them up.
        total = tf.reduce_sum(tf.cast(image, tf.int64), axis=(-3, -2), keepdims=True)
        height, width = sizes_of(image)
        mean = tf.cast(total, tf.float64) / tf.cast(height * width, tf.float64)
        factor = per_image(factor)
        shift = (1 - factor) * mean + per_image(added)
        return tf.cast(image, tf.float32) * tf.cast(factor, tf.float32) + tf.cast(shift, tf.float32)

    def _recolour(self, image: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        factor = between(key, 2, 1 - self.saturation, 1 + self.saturation)
        turn = between(key, 3, -self.hue, self.hue)
        hue, saturation, value = tf.unstack(tf.image.rgb_to_hsv(image * (1.0 / 255.0)), axis=-1)
        hue = tf.math.floormod(hue + tf.cast(turn, tf.float32)[..., None, None], 1.0)
        saturation = saturation * tf.cast(factor, tf.float32)[..., None, None]
        changed = tf.stack([hue, tf.minimum(saturation, 1.0), value], axis=-1)
        return tf.image.hsv_to_rgb(changed) * 255
