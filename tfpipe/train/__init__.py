"""Training: a strategy and a precision, and a `tf.function` loop for any Keras model."""

from tfpipe.train.finite import NotFiniteError
from tfpipe.train.keep import keep
from tfpipe.train.strategy import distribute
from tfpipe.train.trainer import fit

__all__ = ["NotFiniteError", "distribute", "fit", "keep"]
