"""A bundle over HTTP; needs `pip install "tfpipe[serve]"`.

Names load when they are first used, so that the command can say which package is missing.
"""

from typing import TYPE_CHECKING

from tfpipe.lazy import lazy

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

__getattr__, __dir__ = lazy(__name__, _MODULES)
