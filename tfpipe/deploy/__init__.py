"""A bundle on more than one machine: TensorFlow Serving's folders, containers, Kubernetes.

    python -m tfpipe.deploy out/digits/bundle --out out/digits/deploy       # or, in Python:

    tp.deploy.to_tf_serving("out/digits/bundle", "models")
    tp.deploy.to_containers("out/digits/bundle", "out/digits/deploy", engine="int8")

Names load when they are first used, so that the command's `--help` need not wait for TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` loads, for type checkers and editors
    from tfpipe.deploy.containers import to_containers
    from tfpipe.deploy.serving import to_tf_serving

_MODULES = {"to_containers": "containers", "to_tf_serving": "serving"}

__all__ = ["to_containers", "to_tf_serving"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'tfpipe.deploy' has no attribute {name!r}")
    return getattr(importlib.import_module(f"tfpipe.deploy.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
