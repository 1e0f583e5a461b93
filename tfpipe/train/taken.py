"""Whether a loss takes what the model gives, and whether the model scales its inputs itself.

Example:

    for problem in problems(model, (inputs, targets, None)): ...
"""

from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.ops.layer import ChainLayer
from tfpipe.train.data import model_inputs

CLOSE = 0.01  # float16's probabilities need not sum to 1 more closely

_NORMALISE = (
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.Embedding,
    ChainLayer,
)


def normalises(model: keras.Model) -> bool:
    """Whether there is a layer in the model that inputs of any size may be meant for."""
    layers = model._flatten_layers(include_self=False)
    return any(isinstance(layer, _NORMALISE) for layer in layers)


def problems(model: keras.Model, batch: tuple[Any, ...]) -> list[str]:
    """What of the outputs or targets is not what a cross-entropy takes, in words.

    Models of several outputs, and losses of one's own, are not looked at.
    """
    y_pred = model(model_inputs(batch[0]), training=False)
    target, kind = batch[1], _cross_entropy(model.loss)
    if kind is None or not all(isinstance(part, tf.Tensor) for part in (y_pred, target)):
        return []
    outputs = np.asarray(keras.ops.convert_to_numpy(y_pred), np.float64)
    targets = np.asarray(target.numpy(), np.float64)
    if not np.isfinite(outputs).all():
        return []
    if _is_lonely_softmax(model, outputs):
        return ["a softmax over one output is always 1: take a sigmoid, or an output per class"]
    found = []
    name, from_logits = kind
    if not from_logits and not _are_probabilities(outputs, sums="categorical" in name):
        found.append(
            "the loss takes probabilities, and the model's outputs are from "
            f"{outputs.min():.4g} to {outputs.max():.4g}: give the loss from_logits=True, or end "
            "in a softmax (one class) or a sigmoid (several labels)"
        )
    if "sparse" not in name and not (targets.min() >= 0 and targets.max() <= 1):
        found.append(
            "the loss takes targets from 0 to 1. Received: targets from "
            f"{targets.min():.4g} to {targets.max():.4g}"
        )
    return found


def _cross_entropy(loss: Any) -> tuple[str, bool] | None:
    """A cross-entropy's name, and whether it takes logits; None of any other loss."""
    if loss is None or isinstance(loss, dict | list | tuple):
        return None
    known = keras.losses.get(loss)
    name = str(getattr(known, "name", None) or getattr(known, "__name__", ""))
    if "crossentropy" not in name or not type(known).__module__.startswith(("keras", "builtins")):
        return None
    config = known.get_config() if isinstance(known, keras.losses.Loss) else {}
    return name, bool(config.get("from_logits", False))


def _is_lonely_softmax(model: keras.Model, outputs: Any) -> bool:
    last = getattr(model.layers[-1], "activation", None) if model.layers else None
    return last is keras.activations.softmax and outputs.shape[-1] == 1


def _are_probabilities(outputs: Any, *, sums: bool) -> bool:
    inside = outputs.min() >= -CLOSE and outputs.max() <= 1 + CLOSE
    return inside and (not sums or bool(np.all(np.abs(outputs.sum(-1) - 1) <= CLOSE)))
