"""Fine-tuning in its two phases: the head on the frozen base, then all of it.

Example:

    model = models.resnet50((256, 256, 1), 2, weights="imagenet")
    history = head_first(fit, model, learning_rate=1e-3, epochs=20)
"""

from collections.abc import Callable

from tfpipe.backend import keras
from tfpipe.models import unfreeze

Fit = Callable[[keras.Model, float, int], keras.callbacks.History]


def head_first(
    fit: Fit, model: keras.Model, learning_rate: float, epochs: int
) -> keras.callbacks.History:
    """Trains a model, and before that, where it has frozen layers, what of it is not frozen.

    The first phase takes a quarter of the epochs and one more. After it all layers train but
    BatchNormalization (see `models.unfreeze`), at a tenth of the learning rate. A model without
    frozen layers has no such phase, and trains at the whole rate.

    Source: the Keras guide to transfer learning and fine-tuning.

    Args:
        fit: compiles the model for a learning rate and a number of epochs, trains it, and returns
            Keras' history.
        model: trained in place.
        learning_rate: of the head, or of a model without frozen layers.
        epochs: of the last phase.

    Returns:
        What `fit` returned of the last phase.

    Example:

    >>> from tfpipe.models import mlp
    >>> model = mlp((4,), 2)
    >>> model.get_layer("hidden").trainable = False
    >>> head_first(lambda model, rate, epochs: print(rate, epochs), model, 0.01, epochs=8)
    0.01 3
    0.001 8
    """
    if all(layer.trainable for layer in model.layers):
        return fit(model, learning_rate, epochs)
    fit(model, learning_rate, epochs // 4 + 1)
    return fit(unfreeze(model), learning_rate / 10, epochs)
