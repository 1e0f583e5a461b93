"""A bundle over HTTP; needs `pip install "tfpipe[serve]"`.

Names load when they are first used, so that the command can say which package is missing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` loads, for type checkers and editors
    from tfpipe.serve.app import Limits, make_app
    from tfpipe.serve.engine import Engine, load_engine
    from tfpipe.serve.metrics import Metrics
    from tfpipe.serve.service import Service
    from tfpipe.serve.versions import Versions

_MODULES = {
    "Engine": "engine",
    "Limits": "app",
    "Metrics": "metrics",
    "Service": "service",
    "Versions": "versions",
    "load_engine": "engine",
    "make_app": "app",
}

__all__ = ["Engine", "Limits", "Metrics", "Service", "Versions", "load_engine", "make_app"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'tfpipe.serve' has no attribute {name!r}")
    return getattr(importlib.import_module(f"tfpipe.serve.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
