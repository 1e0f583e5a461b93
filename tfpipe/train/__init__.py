"""Training: a strategy and a precision, and a `tf.function` loop for any Keras model."""

from tfpipe.train.keep import keep
from tfpipe.train.loop import fit
from tfpipe.train.strategy import distribute

__all__ = ["distribute", "fit", "keep"]
