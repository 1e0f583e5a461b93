"""Copies of a model that converters take: in float32, and with layers changed on the way."""

from collections.abc import Callable
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError

Config = dict[str, Any]


def float32_twin(
    model: keras.Model, change: Callable[[keras.Layer, Config], Config] | None = None
) -> keras.Model:
    """A copy whose layers compute in float32: converters refuse mixed precision.

    Args:
        model: a functional or Sequential model.
        change: is given every layer and its config, and returns the config of its copy.

    Raises:
        RequestError: a layer cannot be made from its own config.
    """

    def copied(layer: keras.Layer) -> keras.Layer:
        """One layer in float32, without its weights."""
        config = _in_float32(layer.get_config())
        try:
            return layer.__class__.from_config(change(layer, config) if change else config)
        except (TypeError, NotImplementedError):
            raise RequestError(
                "Expected layers that can be made from their own `get_config()`. Received: "
                f"{layer.name!r}, a {type(layer).__name__} that cannot. Let its `get_config` "
                "return the arguments of its `__init__`, and that take `**kwargs`."
            ) from None

    twin = keras.models.clone_model(model, clone_function=copied, recursive=True)
    twin.set_weights(model.get_weights())
    return twin


def _in_float32(config: Any) -> Any:
    """A layer's config with every dtype policy replaced: those of the layers in it too."""
    if isinstance(config, list | tuple):
        return [_in_float32(value) for value in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return "float32"
    return {name: _in_float32(value) for name, value in config.items()}
