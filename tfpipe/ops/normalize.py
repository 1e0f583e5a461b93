"""From pixels to the numbers that a pretrained model was trained on."""

import dataclasses
from typing import ClassVar

import tensorflow as tf

from tfpipe.errors import RequestError, one_of, received
from tfpipe.ops.arguments import is_number
from tfpipe.ops.base import Op
from tfpipe.ops.checks import checked_channels
from tfpipe.ops.pixels import ToFloat

# Mean and standard deviation of ImageNet's training images in 0..1, R, G, B, as torchvision and
# keras.applications' "torch" style have them.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# The means that Caffe's models subtract from 0..255: B, G, R.
CAFFE_MEAN = (103.939, 116.779, 123.68)

STYLES = ("caffe", "tf", "torch", "none")


@dataclasses.dataclass(frozen=True)
class Normalize(Op):
    """Subtracts a mean and divides by a standard deviation: float32 in, float32 out.

    It comes after `ToFloat`, so mean and deviation are those of images in 0..1.

    Args:
        mean: one number for all channels, as `(0.5,)`, or one per channel; or "imagenet".
        std: as many numbers; or "imagenet".

    Raises:
        RequestError: `mean` and `std` do not fit each other, or a deviation is not positive; when
            it runs, an image has another number of channels.

    Example:

    >>> image = ToFloat()({"image": tf.zeros((1, 1, 3), tf.uint8)})
    >>> Normalize("imagenet")(image)["image"].numpy().ravel()
    array([-2.117904 , -2.0357144, -1.8044444], dtype=float32)
    """

    mean: str | tuple[float, ...] = "imagenet"
    std: str | tuple[float, ...] = "imagenet"
    takes: ClassVar[str] = "float32"
    gives: ClassVar[str] = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mean == self.std == "imagenet":
            return
        for name, values in (("mean", self.mean), ("std", self.std)):
            if isinstance(values, str):
                expected = "`mean` and `std` both as numbers, or both as 'imagenet'"
                raise RequestError(received(expected, mean=self.mean, std=self.std))
            if not isinstance(values, tuple) or not values or not all(map(is_number, values)):
                expected = f"`{name}` to hold a number per channel, or one for all, as (0.5,)"
                raise RequestError(received(expected, **{name: values}))
        if len(self.mean) != len(self.std):
            expected = "`mean` and `std` to hold as many numbers as each other"
            raise RequestError(received(expected, mean=self.mean, std=self.std))
        # Its reciprocal must be a float32, too: 1e-39 is as bad as 0.
        if any(not 1e-30 <= float(value) <= 1e30 for value in self.std):
            raise RequestError(received("`std` to be positive", std=self.std))

    def apply(self, image: tf.Tensor) -> tf.Tensor:
        """Multiplies by 1/std, as `ToFloat` does by 1/255 and for the same reason."""
        mean = IMAGENET_MEAN if isinstance(self.mean, str) else self.mean
        std = IMAGENET_STD if isinstance(self.std, str) else self.std
        if len(mean) > 1:
            image = checked_channels(self, image, len(mean))
        return (image - tf.constant(mean, tf.float32)) * tf.constant([1.0 / s for s in std])


@dataclasses.dataclass(frozen=True)
class PreprocessInput(Op):
    """What the `preprocess_input` of a `keras.applications` model does: uint8 in, float32 out.

    It takes the place of `ToFloat`.

    Args:
        style: what the model was trained with.
            "caffe": BGR, Caffe's means subtracted (ResNet50, 101 and 152, VGG16 and 19).
            "tf": -1 to 1 (MobileNet, MobileNetV2, ResNet50V2, InceptionV3, InceptionResNetV2,
            Xception, NASNet).
            "torch": 0 to 1, then ImageNet's mean and standard deviation (DenseNet).
            "none": 0 to 255, because the model scales by itself (EfficientNet, EfficientNetV2,
            ConvNeXt, MobileNetV3).

    Raises:
        RequestError: there is no such style; when it runs, an image for "caffe" or "torch" has not
            3 channels.

    Example:

    >>> white = tf.fill((1, 1, 3), tf.constant(255, tf.uint8))
    >>> PreprocessInput("tf")({"image": white})["image"].numpy().ravel()
    array([1., 1., 1.], dtype=float32)
    """

    style: str
    takes: ClassVar[str] = "uint8"
    gives: ClassVar[str] = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.style not in STYLES:
            raise RequestError(one_of("style", self.style, STYLES))

    def apply(self, image: tf.Tensor) -> tf.Tensor:
        """The same as Keras' within the last bit of a float32."""
        if self.style == "none":
            return tf.cast(image, tf.float32)
        if self.style == "tf":
            return tf.cast(image, tf.float32) * (1.0 / 127.5) - 1.0
        image = checked_channels(self, image, 3)
        if self.style == "torch":
            return Normalize("imagenet").apply(ToFloat().apply(image))
        return tf.cast(tf.reverse(image, [-1]), tf.float32) - tf.constant(CAFFE_MEAN)
