"""Training: a strategy and a precision, and a `tf.function` loop for any Keras model."""

from tfpipe.train.check import Checked, check
from tfpipe.train.finite import NotFiniteError
from tfpipe.train.head_first import head_first
from tfpipe.train.keep import keep
from tfpipe.train.losses import (
    DiceCrossentropy,
    SparseCategoricalFocalCrossentropy,
    WeightedBinaryFocalCrossentropy,
)
from tfpipe.train.metrics import AUCPerLabel
from tfpipe.train.schedule import cosine_adam
from tfpipe.train.strategy import distribute
from tfpipe.train.trainer import fit

__all__ = [
    "AUCPerLabel",
    "Checked",
    "DiceCrossentropy",
    "NotFiniteError",
    "SparseCategoricalFocalCrossentropy",
    "WeightedBinaryFocalCrossentropy",
    "check",
    "cosine_adam",
    "distribute",
    "fit",
    "head_first",
    "keep",
]
