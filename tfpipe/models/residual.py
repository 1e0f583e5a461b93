"""Small residual networks: He, Zhang, Ren and Sun, "Deep Residual Learning for Image
Recognition", CVPR, 2016, section 4.2.

Example:

    residual((32, 32, 3), 10, depth=20)             # the paper's ResNet-20 for CIFAR-10
    residual((128, 128, 1), 2, depth=8, stride=4)   # for larger images
"""

from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received
from tfpipe.models.arguments import (
    BATCH_NORM_MOMENTUM,
    dense_head,
    require_counts,
    require_image,
)

layers = keras.layers


def residual(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int = 10,
    *,
    activation: str = "softmax",
    depth: int = 20,
    width: int = 16,
    stride: int = 1,
) -> keras.Model:
    """The residual network that the paper trains on CIFAR-10.

    A 3x3 convolution, then three stages of (depth - 2) / 6 blocks on maps of full, half and
    quarter size, with `width`, twice and four times as many maps; global average pooling and one
    dense layer. Each block adds its input to two 3x3 convolutions with BatchNormalization.
    Where the size halves, the shortcut has no weights (the paper's option A): every second pixel,
    and zeros for the new maps.

    Args:
        input_shape: (height, width, channels) in pixels, from 4x4; 32x32 is the paper's.
        num_classes: units of the last layer: classes, labels, or numbers to predict.
        activation: "softmax" for classes, "sigmoid" for labels or two classes by one unit,
            "linear" for numbers.
        depth: layers with weights, 6n + 2: 20, 32, 44, 56 and 110 are the paper's.
        width: maps of the first stage; 16 is the paper's.
        stride: pixels of the image for one of the first stage. 4 is for larger images: they begin
            as in the paper's networks for ImageNet, with a 7x7 convolution and 3x3 max pooling
            that halve the size each.

    Input shape: (B, height, width, channels), float32; the paper subtracts the mean.
    Output shape: (B, num_classes), float32.

    Raises:
        RequestError: a depth that is not 6n + 2, an image below 4x4 (16x16 with a stride of 4), a
            size that is no whole number from 1, another stride or activation, or a softmax of
            one class.

    Example:

    >>> model = residual(depth=20)
    >>> sum(weight.size for weight in map(keras.ops.convert_to_numpy, model.trainable_weights))
    269722
    """
    if stride not in (1, 4):
        raise RequestError(received("`stride` to be 1 or 4", stride=stride))
    require_image(input_shape, least_px=4 * stride)
    require_counts(depth=depth, width=width)
    if depth < 8 or depth % 6 != 2:
        below = max(8, (depth - 2) // 6 * 6 + 2)
        expected = f"`depth` to be 6n + 2, such as {below} or {below + 6}"
        raise RequestError(received(expected, depth=depth))
    images = keras.Input(input_shape, name="images")
    x = _stem(images, width, stride)
    for stage in (1, 2, 3):
        for block in range(1, (depth - 2) // 6 + 1):
            halve = stage > 1 and block == 1
            x = _block(x, width * 2 ** (stage - 1), 2 if halve else 1, f"stage{stage}_{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(images, dense_head(x, num_classes, activation), name="residual")


def _stem(images: Any, maps: int, stride: int) -> Any:
    if stride == 1:
        return layers.ReLU(name="stem_relu")(_conv(images, maps, "stem"))
    x = layers.ReLU(name="stem_relu")(_conv(images, maps, "stem", 2, size=7))
    return layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)


def _block(x: Any, maps: int, strides: int, name: str) -> Any:
    shortcut = x if strides == 1 else _shortcut(x, maps, name)
    x = layers.ReLU(name=f"{name}_relu1")(_conv(x, maps, f"{name}_conv1", strides))
    x = layers.Add(name=f"{name}_add")([_conv(x, maps, f"{name}_conv2"), shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _conv(x: Any, maps: int, name: str, strides: int = 1, *, size: int = 3) -> Any:
    x = layers.Conv2D(
        maps,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    return layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{name}_bn")(x)


def _shortcut(x: Any, maps: int, name: str) -> Any:
    """Every second pixel, with zeros on both sides of the maps."""
    x = layers.MaxPooling2D(1, strides=2, padding="same", name=f"{name}_every_second")(x)
    new = maps - x.shape[-1]
    # As if maps stood first and width last: so the layer that pads pixels pads maps.
    return layers.ZeroPadding2D(
        ((0, 0), (new // 2, new - new // 2)), data_format="channels_first", name=f"{name}_zeros"
    )(x)
