"""The models by name, for flags and configuration files."""

import inspect
from collections.abc import Callable
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of, received
from tfpipe.models.dense import linear, mlp, perceptron
from tfpipe.models.detection import yolov8
from tfpipe.models.lenet import lenet5
from tfpipe.models.recurrent import bilstm, lstm
from tfpipe.models.residual import residual
from tfpipe.models.resnet import resnet50
from tfpipe.models.segmentation import unet

_FUNCTIONS = (
    linear,
    perceptron,
    mlp,
    lenet5,
    residual,
    resnet50,
    lstm,
    bilstm,
    unet,
    yolov8,
)
_MODELS: dict[str, Callable[..., keras.Model]] = {made.__name__: made for made in _FUNCTIONS}


def names() -> tuple[str, ...]:
    """The names that `build` knows, each that of a function in this room.

    >>> names()
    ('linear', 'perceptron', 'mlp', 'lenet5', 'residual', 'resnet50', 'lstm', 'bilstm', 'unet',
     'yolov8')
    """
    return tuple(_MODELS)


def build(name: str, **arguments: Any) -> keras.Model:
    """Builds a model of the zoo by name.

    Args:
        name: one of `names()`.
        **arguments: those of its function.

    Returns:
        What that function returns: a functional model.

    Raises:
        RequestError: there is no model of that name, its function has no such argument, or it
            refuses one.
        DataError: a file of weights holds others.

    Example:

    >>> build("lenet5", num_classes=2).output_shape
    (None, 2)
    """
    if name not in _MODELS:
        raise RequestError(one_of("name", name, names()))
    known = inspect.signature(_MODELS[name]).parameters
    for argument, value in arguments.items():
        if argument not in known:
            expected = f"an argument of `{name}`: {', '.join(map(repr, known))}"
            raise RequestError(received(expected, **{argument: value}))
    return _MODELS[name](**arguments)
