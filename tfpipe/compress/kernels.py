"""The weights that are made smaller: a model's kernels, chosen by their layers.

Example:

    for path, kernel in chosen(model, "inner").items(): ...
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of, received

Layers = str | Sequence[str]


class Kernel(NamedTuple):
    """A kernel and where it is."""

    variable: keras.Variable
    layer: keras.Layer  # by whose name it is chosen: the LSTM, the Bidirectional
    part: keras.Layer  # that it is a weight of: the LSTMCell


def kernels(model: keras.Model) -> dict[str, keras.Variable]:
    """The trainable kernels by path, recurrent and depthwise ones and embeddings too.

    >>> from tfpipe.models import lenet5
    >>> list(kernels(lenet5()))[:3]
    ['conv1/kernel', 'conv2/kernel', 'dense1/kernel']
    """
    found = {v.path: v for v in model.trainable_variables if _is_kernel(v)}
    if not found:
        raise RequestError(
            "Expected a model with a trainable layer that has a kernel. "
            f"Received: {model.name!r}, which has none. `layer.trainable = True` lets one train."
        )
    return found


def chosen(model: keras.Model, layers: Layers) -> dict[str, Kernel]:
    """The trainable kernels of some layers, by path.

    Args:
        model: built.
        layers: "all"; "inner", which leaves out the first and the last layer with a kernel; or
            names of layers. A layer made of layers (Bidirectional) is one layer, a nested model
            is several.

    Raises:
        RequestError: a name is unknown or its layer has no kernel, or nothing is left.

    >>> from tfpipe.models import lenet5
    >>> list(chosen(lenet5(), "inner"))
    ['conv2/kernel', 'dense1/kernel', 'dense2/kernel']
    """
    there = _with_layers(model)
    names = list(dict.fromkeys(kernel.layer.name for kernel in there.values()))
    if isinstance(layers, str):
        if layers not in ("all", "inner"):
            expected = "`layers` to be 'all', 'inner', or a list of names of layers"
            raise RequestError(received(expected, layers=layers))
        wanted = names if layers == "all" else names[1:-1]
    else:
        _check_names(model, layers, names)
        wanted = list(layers)
    if not wanted:
        raise RequestError(
            received(f"`layers` to leave some of {_quoted(names)} to choose", layers=layers)
        )
    return {path: kernel for path, kernel in there.items() if kernel.layer.name in wanted}


def sparsity(model: keras.Model) -> dict[str, float]:
    """The share of zeros, from 0 to 1, in each kernel, frozen ones too.

    >>> pixels = keras.Input((2,))
    >>> model = keras.Model(pixels, keras.layers.Dense(4, name="dense")(pixels))
    >>> model.get_layer("dense").kernel.assign([[1, 0, 0, 2], [0, 0, 3, 4]])  # doctest: +ELLIPSIS
    <...>
    >>> sparsity(model)
    {'dense/kernel': 0.5}
    """
    return {
        variable.path: float(np.mean(keras.ops.convert_to_numpy(variable) == 0))
        for variable in model.weights
        if _is_kernel(variable)
    }


def _is_kernel(variable: keras.Variable) -> bool:
    return variable.name.endswith("kernel") or variable.name == "embeddings"


def _with_layers(model: keras.Model) -> dict[str, Kernel]:
    outer: dict[int, keras.Layer] = {}
    inner: dict[int, keras.Layer] = {}
    for layer in _inwards(model):
        for variable in layer.variables:
            outer.setdefault(id(variable), layer)
            inner[id(variable)] = layer
    return {
        path: Kernel(variable, outer[id(variable)], inner[id(variable)])
        for path, variable in kernels(model).items()
    }


def _inwards(model: keras.Model) -> Iterator[keras.Layer]:
    """Every layer that is no model, each before the layers that it is made of."""
    for layer in model._flatten_layers(include_self=False):
        if not isinstance(layer, keras.Model):
            yield layer


def _check_names(model: keras.Model, layers: Sequence[str], names: Sequence[str]) -> None:
    others = {layer.name for layer in _inwards(model)} - set(names)
    without = [name for name in layers if name in others]
    if without:
        raise RequestError(
            f"The layers {_quoted(without)} of the model {model.name!r} have no trainable kernel. "
            f"Those that have one: {_quoted(names)}."
        )
    for name in layers:
        if name not in names:
            raise RequestError(one_of("layers", name, names))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
