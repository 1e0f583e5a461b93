"""Rooms whose names load when they are first used.

Example:

    __getattr__, __dir__ = lazy(__name__, {"Engine": "engine", "make_app": "app"})
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy(
    room: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__` (PEP 562).

    Args:
        room: the package's `__name__`.
        modules: from each public name to the package's module that has it.

    Example:

    >>> load, names = lazy("tfpipe", {"num_cores": "cores"})
    >>> load("num_cores")() >= 1, names()
    (True, ['num_cores'])
    """

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{room}.{modules[name]}"), name)

    return load, lambda: sorted(modules)
