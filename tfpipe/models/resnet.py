"""ResNet50 of keras.applications, with ImageNet's weights: He, Zhang, Ren and Sun, "Deep Residual
Learning for Image Recognition", CVPR, 2016.

Example:

    model = resnet50((256, 256, 3), 2)       # the head is trained, the rest stays
    unfreeze(model, "conv5_block1_1_conv")   # then the last stage, too
"""

import functools
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received
from tfpipe.files import Path
from tfpipe.models.arguments import BATCH_NORM_MOMENTUM, dense_head, require_image
from tfpipe.models.pretrained import checked_file, downloading, load_whole
from tfpipe.ops.normalize import CAFFE_MEAN

layers = keras.layers


def resnet50(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 2,
    *,
    activation: str = "softmax",
    weights: Path | None = "imagenet",
) -> keras.Model:
    """ResNet50 with global average pooling and one dense layer, in one graph of layers.

    With weights, all layers but the last are frozen, and BatchNormalization keeps ImageNet's
    statistics; `models.unfreeze` says what trains after that. Without weights all of it trains.

    Args:
        input_shape: (height, width, 3) in pixels, or (height, width, 1) for grey images; from
            32x32. ImageNet's weights saw 224x224.
        num_classes: units of the last layer: classes, labels, or numbers to predict.
        activation: "softmax" for classes, "sigmoid" for labels or two classes by one unit,
            "linear" for numbers.
        weights: "imagenet", downloaded once; the path of a file with the weights of
            `keras.applications.ResNet50(include_top=False)`; or None, random numbers.

    Input shape: (B, height, width, 3), float32, as `ops.PreprocessInput("caffe")` gives it: BGR
        from 0 to 255, Caffe's means subtracted. Or (B, height, width, 1), float32 greys from 0 to
        255, as `ops.PreprocessInput("none")` gives them: the model makes of them what "caffe"
        makes of an image with three equal channels.
    Output shape: (B, num_classes), float32.

    Raises:
        RequestError: the weights cannot be downloaded, or there is no such file; another number
            of channels, an image below 32x32, a size that is no whole number from 1, another
            activation, or a softmax of one class.
        DataError: the file holds other weights.

    Example:

    >>> resnet50((64, 64, 3), 2, weights=None).count_params()
    23591810
    """
    require_image(input_shape, least_px=32)
    if input_shape[-1] not in (1, 3):
        expected = "`input_shape` with 3 channels, or 1 for grey images"
        raise RequestError(received(expected, input_shape=input_shape))
    images = keras.Input(input_shape, name="images")
    base = _base(images if input_shape[-1] == 3 else _coloured(images), weights)
    for layer in base.layers:
        layer.trainable = weights is None
    x = layers.GlobalAveragePooling2D(name="pool")(base.output)
    return keras.Model(images, dense_head(x, num_classes, activation), name="resnet50")


def _coloured(greys: Any) -> Any:
    """What `PreprocessInput("caffe")` makes of an image whose three channels are equal."""
    x = layers.Concatenate(name="three_channels")([greys] * 3)
    return layers.Rescaling(1.0, [-mean for mean in CAFFE_MEAN], name="caffe")(x)


def _base(x: Any, weights: Path | None) -> keras.Model:
    """The layers up to the last convolutions' sum."""
    build = functools.partial(keras.applications.ResNet50, include_top=False, input_tensor=x)
    if weights == "imagenet":
        how = (
            "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5, which "
            "keras.applications.ResNet50(include_top=False) leaves in ~/.keras/models on a "
            "machine with a network"
        )
        with downloading("The ImageNet weights of ResNet50", how):
            return build(weights="imagenet")
    path = None if weights is None else checked_file(weights, "'imagenet'")
    base = build(weights=None)
    if path is None:
        for layer in base.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.momentum = BATCH_NORM_MOMENTUM
    if path is not None:
        what = "the weights of keras.applications.ResNet50(include_top=False)"
        load_whole(base, path, what)
    return base
