"""A bundle on more than one machine: TensorFlow Serving's folders, containers, Kubernetes.

    python -m tfpipe.deploy out/digits/bundle --out out/digits/deploy       # or, in Python:

    tp.deploy.to_tf_serving("out/digits/bundle", "models")
    tp.deploy.to_containers("out/digits/bundle", "out/digits/deploy", engine="int8")

Names load when they are first used, so that the command's `--help` need not wait for TensorFlow.
"""

from typing import TYPE_CHECKING

from tfpipe.lazy import lazy

if TYPE_CHECKING:  # what `__getattr__` loads, for type checkers and editors
    from tfpipe.deploy.containers import to_containers
    from tfpipe.deploy.serving import to_tf_serving

_MODULES = {"to_containers": "containers", "to_tf_serving": "serving"}

__all__ = ["to_containers", "to_tf_serving"]

__getattr__, __dir__ = lazy(__name__, _MODULES)
