"""A bundle on more than one machine: TensorFlow Serving's folders, containers, Kubernetes.

python -m tfpipe.deploy out/digits/bundle --out out/digits/deploy       # or, in Python:

tp.deploy.to_tf_serving("out/digits/bundle", "models")
tp.deploy.to_containers("out/digits/bundle", "out/digits/deploy", engine="int8")
"""

from tfpipe.deploy.containers import to_containers
from tfpipe.deploy.serving import to_tf_serving

__all__ = ["to_containers", "to_tf_serving"]
