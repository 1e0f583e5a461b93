"""tfpipe: from labelled data to a verified, compressed model file.

    import tfpipe as tp

The rooms (`tp.records`, `tp.ops`, `tp.models`, ...) load when they are first used, so that
importing tfpipe costs next to nothing and does not load TensorFlow.
"""

import importlib
import types
from typing import TYPE_CHECKING

from tfpipe.errors import DataError, RequestError

if TYPE_CHECKING:  # what `__getattr__` loads, for type checkers and editors
    from tfpipe import compress as compress
    from tfpipe import deploy as deploy
    from tfpipe import doctor as doctor
    from tfpipe import drift as drift
    from tfpipe import export as export
    from tfpipe import models as models
    from tfpipe import ops as ops
    from tfpipe import records as records
    from tfpipe import report as report
    from tfpipe import serve as serve
    from tfpipe import train as train

__version__ = "0.1.0"

_ROOMS = (
    "compress",
    "deploy",
    "doctor",
    "drift",
    "export",
    "models",
    "ops",
    "records",
    "report",
    "serve",
    "train",
)

__all__ = ["DataError", "RequestError", "__version__", *_ROOMS]


def __getattr__(name: str) -> types.ModuleType:
    if name in _ROOMS:
        return importlib.import_module(f"tfpipe.{name}")
    raise AttributeError(f"module 'tfpipe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
