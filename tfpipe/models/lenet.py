"""LeNet-5: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE, 1998, section II.B, figure 2.
"""

from typing import Any

from tfpipe.backend import keras
from tfpipe.models.arguments import BATCH_NORM_MOMENTUM, dense_head, require_image

layers = keras.layers


def lenet5(
    input_shape: tuple[int, int, int] = (32, 32, 1),
    num_classes: int = 10,
    *,
    activation: str = "softmax",
    modern: bool = False,
) -> keras.Model:
    """LeNet-5 as Keras users write it.

    Two pairs of 5x5 convolution (tanh) and average pooling, then dense layers of 120 and 84
    units (tanh). Of the paper's details, these are today's: every map of the second convolution
    sees all six maps below, pooling has no weights, and softmax takes the place of the
    radial-basis units.

    Args:
        input_shape: (height, width, channels) in pixels, from 16x16; 32x32 is the paper's.
        num_classes: units of the last layer: classes, labels, or numbers to predict.
        activation: "softmax" for classes, "sigmoid" for labels or two classes by one unit,
            "linear" for numbers.
        modern: BatchNormalization (Ioffe and Szegedy, 2015) and ReLU in place of each tanh.

    Input shape: (B, height, width, channels), float32 from 0 to 1.
    Output shape: (B, num_classes), float32.

    Raises:
        RequestError: an image below 16x16, a size that is no whole number from 1, another
            activation, or a softmax of one class.

    Example:

    >>> lenet5().count_params()
    61706
    >>> lenet5(modern=True).count_params()  # 4 values per map or unit in place of its bias
    62384
    """
    require_image(input_shape, least_px=16)
    images = keras.Input(input_shape, name="images")
    x = _layer(layers.Conv2D, 6, modern, "conv1", kernel_size=5)(images)
    x = layers.AveragePooling2D(2, name="pool1")(x)
    x = _layer(layers.Conv2D, 16, modern, "conv2", kernel_size=5)(x)
    x = layers.AveragePooling2D(2, name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = _layer(layers.Dense, 120, modern, "dense1")(x)
    x = _layer(layers.Dense, 84, modern, "dense2")(x)
    return keras.Model(images, dense_head(x, num_classes, activation), name="lenet5")


def _layer(kind: Any, size: int, modern: bool, name: str, **options: Any) -> Any:
    """A layer with its tanh, or without a bias and with BatchNormalization and ReLU."""
    if not modern:
        return kind(size, activation="tanh", name=name, **options)

    def apply(x: Any) -> Any:
        x = kind(size, use_bias=False, name=name, **options)(x)
        x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_bn")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    return apply
