"""Copies of models that compute what the models compute: weights are not all that a layer knows.

`keras.models.clone_model` with `set_weights` loses what `adapt` has found, mean and variance of a
Normalization and the vocabulary of a lookup, and refuses functions that are not registered.

Example:

    twin = clone(model)
"""

import inspect
import tempfile
from collections.abc import Callable
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError

Config = dict[str, Any]


def clone(
    model: keras.Model, change: Callable[[keras.Layer, Config], Config] | None = None
) -> keras.Model:
    """A copy with the same weights, names and whatever else its layers know.

    Args:
        model: a functional or Sequential model.
        change: is given every layer and its config, and returns the config of its copy.

    Raises:
        RequestError: a layer cannot be made from its own config.

    Example:

    >>> import numpy as np
    >>> normalized = keras.layers.Normalization()
    >>> normalized.adapt(np.float32([[2], [4]]))
    >>> float(clone(keras.Sequential([keras.Input((1,)), normalized]))(np.float32([[5]]))[0, 0])
    2.0
    """

    def copied(layer: keras.Layer) -> keras.Layer:
        """One layer, without its weights."""
        config = layer.get_config()
        try:
            return _made(layer, change(layer, config) if change else config)
        except (TypeError, ValueError, NotImplementedError):
            raise RequestError(
                "Expected layers that can be made from their own `get_config()`. Received: "
                f"{layer.name!r}, a {type(layer).__name__} that cannot. Let its `get_config` "
                "return the arguments of its `__init__`, and that take `**kwargs`."
            ) from None

    twin = _uncompiled(model, copied)
    twin.set_weights(model.get_weights())
    for layer, copy in zip(model._flatten_layers(), twin._flatten_layers(), strict=True):
        _learn(layer, copy)
        _require_same(layer, copy)
    return twin


def _uncompiled(model: keras.Model, copied: Callable[[keras.Layer], keras.Layer]) -> keras.Model:
    # Keras would compile the clone, and fail where a loss or a metric is not registered with it.
    was, model.compiled = model.compiled, False
    try:
        return keras.models.clone_model(model, clone_function=copied, recursive=True)
    finally:
        model.compiled = was


def _made(layer: keras.Layer, config: Config) -> keras.Layer:
    """A layer from its config; its functions are at hand, and need not go through text."""
    if type(layer) is keras.layers.Lambda:
        own = {"output_shape": layer._output_shape, "mask": layer.mask, "function": layer.function}
        return type(layer)(**{**config, **own, "arguments": layer.arguments})
    functions = {f.__name__: f for f in vars(layer).values() if inspect.isfunction(f)}
    with keras.saving.custom_object_scope(functions):
        return type(layer).from_config(config)


def _learn(layer: Any, copy: Any) -> None:
    """Gives a copy what is neither in the config nor in the weights of its layer."""
    if isinstance(copy, keras.layers.Normalization):
        copy.finalize_state()  # it computes with constants, which it makes of its weights
    if hasattr(layer, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            layer.save_assets(folder)
            copy.load_assets(folder)


def _require_same(layer: Any, copy: Any) -> None:
    """Refuses a layer of the person's own that has forgotten a number on its way through config."""
    if type(layer).__module__.startswith("keras.src."):
        return
    known = vars(keras.layers.Layer())
    for name, value in vars(layer).items():
        plain = isinstance(value, bool | int | float | str) and name not in known
        found = getattr(copy, name, None)
        if plain and found != value:
            raise RequestError(
                "Expected layers whose `get_config()` holds all that they compute with. Received: "
                f"{layer.name!r}, a {type(layer).__name__} with {name}={value!r}, whose copy has "
                f"{found!r}. Let `__init__` take it, and `get_config` return it."
            )
