"""Fine-tuning: which layers of a pretrained model train.

Example:

    model = resnet50((256, 256, 3), 2)
    train.fit(model, data, val, epochs=3)                              # the head
    unfreeze(model, "conv5_block1_1_conv")                             # the last stage, too
    train.fit(model, data, val, epochs=10, optimizer=keras.optimizers.Adam(1e-5))
"""

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of


def unfreeze(model: keras.Model, from_layer: str | None = None) -> keras.Model:
    """Lets a model's layers train, from one on, and leaves every BatchNormalization frozen.

    A frozen BatchNormalization computes with the statistics that it has, in training, too, and
    keeps them; batches of a small data set would spoil ImageNet's. Source: the Keras guide to
    transfer learning and fine-tuning.

    The model has to be compiled anew: give `train.fit` an `optimizer`, with a small learning rate.

    Args:
        model: changed in place.
        from_layer: the first layer to train; those before it stay as they are. None: all.

    Returns:
        The model.

    Raises:
        RequestError: there is no layer of that name.

    Example:

    >>> from tfpipe.models import resnet50
    >>> model = unfreeze(resnet50((64, 64, 3), weights=None), "conv5_block3_3_conv")
    >>> model.get_layer("conv5_block3_3_bn").trainable
    False
    """
    names = [layer.name for layer in model.layers]
    if from_layer is not None and from_layer not in names:
        raise RequestError(one_of("from_layer", from_layer, names))
    first = 0 if from_layer is None else names.index(from_layer)
    for number, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
        elif number >= first:
            layer.trainable = True
    return model
