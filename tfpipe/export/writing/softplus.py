"""Softplus for TFLite, whose converter makes log(1 + exp(x)) of it: infinite from 89 on.

Example:

    twin = without_overflow(model)
"""

from tfpipe.backend import keras
from tfpipe.compress.clones import Config, clone


@keras.saving.register_keras_serializable("tfpipe")
def softplus(x: keras.KerasTensor) -> keras.KerasTensor:
    """log(1 + exp(x)), whatever x is: exp() gets numbers of at most 0."""
    return keras.ops.maximum(x, 0) + keras.ops.log1p(keras.ops.exp(-keras.ops.abs(x)))


def without_overflow(model: keras.Model) -> keras.Model:
    """The model itself, or a copy whose layers have the other softplus as their activation."""

    def change(layer: keras.Layer, config: Config) -> Config:
        return {**config, "activation": softplus} if _has_softplus(layer) else config

    return clone(model, change) if any(map(_has_softplus, model._flatten_layers())) else model


def _has_softplus(layer: keras.Layer) -> bool:
    return getattr(layer, "activation", None) is keras.activations.softplus
