"""The models by name, for flags and configuration files."""

from collections.abc import Callable
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of
from tfpipe.models.lenet import lenet5

_MODELS: dict[str, Callable[..., keras.Model]] = {"lenet5": lenet5}


def names() -> tuple[str, ...]:
    """The names that `build` knows.

    >>> "lenet5" in names()
    True
    """
    return tuple(_MODELS)


def build(name: str, **arguments: Any) -> keras.Model:
    """Builds a model of the zoo by name; `arguments` are those of its function.

    Raises:
        RequestError: there is no model of that name.

    Example:

    >>> build("lenet5", num_classes=2).output_shape
    (None, 2)
    """
    if name not in _MODELS:
        raise RequestError(one_of("name", name, names()))
    return _MODELS[name](**arguments)
