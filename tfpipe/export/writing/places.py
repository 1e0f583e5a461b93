"""Which layer an operator comes from, by the names that TensorFlow gave it.

TensorFlow's names are paths, "lenet5_1/conv1_1/convolution": the scopes of the model, of the layer,
and the operator; each call of a layer after the first appends a number to its scope.
"""

import re
from collections.abc import Iterable

from tfpipe.backend import keras


def layer_of(model: keras.Model, operator: str) -> str | None:
    """The innermost layer that a path leads through; None if it leads through none.

    >>> from tfpipe.models import lenet5
    >>> layer_of(lenet5(), "lenet5_1/conv1_1/convolution")
    'conv1'
    """
    names = {layer.name for layer in model._flatten_layers(include_self=False)}
    for scope in reversed(operator.split("/")[:-1]):
        for name in (re.sub(r"_\d+$", "", scope), scope):
            if name in names:
                return name
    return None


def layers_of(model: keras.Model, operators: Iterable[str]) -> list[str]:
    """The layers of several, in the model's order, each once."""
    found = {layer_of(model, operator) for operator in operators}
    layers = model._flatten_layers(include_self=False)
    return list(dict.fromkeys(layer.name for layer in layers if layer.name in found))


def layer_named(model: keras.Model, said: str) -> str | None:
    """The first layer in what the converter said, whose places end in `/operator@function`."""
    places = re.findall(r'"([^"@\s]+/[^"@\s]+)@', said)
    return next((name for name in (layer_of(model, place) for place in places) if name), None)
