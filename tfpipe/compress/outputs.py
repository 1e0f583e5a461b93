"""What a model's numbers mean: a softmax or a sigmoid, with or without its activation.

Example:

    ending(teacher)  # Ending(kind='softmax', logits=False)
"""

from typing import Any, NamedTuple

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError

LEAST = 1e-30  # float32: a probability below it is taken for it; its logarithm is -69
KINDS = ("softmax", "sigmoid")


class Ending(NamedTuple):
    """How a model ends."""

    kind: str  # "softmax": one of several classes; "sigmoid": each label on its own
    logits: bool  # whether the activation is left to the loss


def ending(model: keras.Model) -> Ending:
    """How a model ends, as its last layer says, or its loss.

    Args:
        model: functional or Sequential, with one output.

    Raises:
        RequestError: it has several outputs, or it cannot be told what they are.

    >>> from tfpipe.models import lenet5
    >>> ending(lenet5())
    Ending(kind='softmax', logits=False)
    """
    outputs = getattr(model, "outputs", None)
    if outputs is None or len(outputs) != 1:
        raise RequestError(
            f"Expected the model {model.name!r} to be functional or Sequential, with one output. "
            f"Received: {'none that is known' if outputs is None else f'{len(outputs)} outputs'}"
        )
    last = _last_operation(outputs[0])
    activation = getattr(last, "activation", None)
    name = getattr(activation, "__name__", type(last).__name__).lower()
    if name in KINDS:
        return Ending(name, logits=False)
    kind = _kind_by_loss(getattr(model, "loss", None))
    if kind is None:
        raise RequestError(
            f"It cannot be told what the outputs of the model {model.name!r} are: its last layer "
            f"{last.name!r} is no softmax and no sigmoid, and its loss does not take logits. "
            "Let it end in a layer with activation='softmax' or 'sigmoid'; or compile it with a "
            "loss such as keras.losses.SparseCategoricalCrossentropy(from_logits=True) or "
            "keras.losses.BinaryCrossentropy(from_logits=True)."
        )
    return Ending(kind, logits=True)


def to_logits(outputs: tf.Tensor, end: Ending) -> tf.Tensor:
    """The logits of a model's outputs, float32, but for a constant that softmax does not see."""
    outputs = tf.cast(outputs, tf.float32)
    if end.logits:
        return outputs
    if end.kind == "softmax":
        return tf.math.log(tf.maximum(outputs, LEAST))
    return tf.math.log(tf.maximum(outputs, LEAST)) - tf.math.log(tf.maximum(1 - outputs, 1e-7))


def _last_operation(output: keras.KerasTensor) -> Any:
    """The layer that made the output, inside nested models, too."""
    last = output._keras_history.operation
    while isinstance(last, keras.Model):
        last = last.outputs[output._keras_history.tensor_index]._keras_history.operation
    return last


def _kind_by_loss(loss: Any) -> str | None:
    """What the loss takes logits of, if it does."""
    if not isinstance(loss, keras.losses.Loss) or not loss.get_config().get("from_logits"):
        return None
    return "sigmoid" if type(loss).__name__.startswith("Binary") else "softmax"
