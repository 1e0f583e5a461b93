"""Smaller models: each function takes a Keras model and returns another one."""

from tfpipe.compress.prune import prune, sparsity

__all__ = ["prune", "sparsity"]
