"""Copies of a model that converters take: in float32, and with layers changed on the way."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.compress.clones import Config, clone

_OTHER_FLOATS = ("float16", "bfloat16", "float64")


def in_float32(model: keras.Model) -> keras.Model:
    """The model itself where it computes in float32, else its twin.

    A copy is as good as what its layers tell of themselves; none is needed here.
    """
    others = [x for x in model._flatten_layers() if x.compute_dtype in _OTHER_FLOATS]
    return float32_twin(model) if others or _is_on_replicas(model) else model


def _is_on_replicas(model: keras.Model) -> bool:
    """Whether its variables are those of several devices, which no file has."""
    return any(isinstance(w._value, tf.distribute.DistributedValues) for w in model.weights)


def float32_twin(
    model: keras.Model, change: Callable[[keras.Layer, Config], Config] | None = None
) -> keras.Model:
    """A copy whose layers compute in float32: converters refuse mixed precision.

    Args:
        model: a functional or Sequential model.
        change: is given every layer and its config in float32, and returns the config of its copy.

    Raises:
        RequestError: a layer cannot be made from its own config.
    """

    def changed(layer: keras.Layer, config: Config) -> Config:
        config = _in_float32(config)
        return change(layer, config) if change else config

    return clone(model, changed)


def _in_float32(config: Any) -> Any:
    """A layer's config with every dtype policy replaced: those of the layers in it too."""
    if isinstance(config, list | tuple):
        return [_in_float32(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return "float32" if config["config"]["name"].endswith(("float16", "float64")) else config
    return {name: _in_float32(value) for name, value in config.items()}
