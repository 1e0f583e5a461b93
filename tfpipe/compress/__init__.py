"""Smaller models: each function takes a Keras model and returns another one.

`quantize_aware` returns a Keras 2 model (tf_keras), which is all that tfmot can quantise.
"""

from tfpipe.compress.cluster import Clustering, cluster
from tfpipe.compress.distill import distill
from tfpipe.compress.kernels import sparsity
from tfpipe.compress.patterns import has_pattern
from tfpipe.compress.prune import prune
from tfpipe.compress.pruning import Pruning
from tfpipe.compress.quantize_aware import quantize_aware

__all__ = [
    "Clustering",
    "Pruning",
    "cluster",
    "distill",
    "has_pattern",
    "prune",
    "quantize_aware",
    "sparsity",
]
