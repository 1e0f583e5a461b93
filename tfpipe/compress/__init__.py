"""Smaller models: each function takes a Keras model and returns another one."""

from tfpipe.compress.prune import prune, sparsity
from tfpipe.compress.quantize_aware import quantize_aware

__all__ = ["prune", "quantize_aware", "sparsity"]
