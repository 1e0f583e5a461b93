"""Smaller models: each function takes a Keras model and returns another one."""

from tfpipe.compress.cluster import Clustering, cluster
from tfpipe.compress.distill import distill
from tfpipe.compress.kernels import sparsity
from tfpipe.compress.patterns import has_pattern
from tfpipe.compress.prune import prune
from tfpipe.compress.pruning import Pruning

__all__ = ["Clustering", "Pruning", "cluster", "distill", "has_pattern", "prune", "sparsity"]
