"""Preprocessing of one example: from encoded bytes to what a model takes."""

from tfpipe.ops.augment import RandomAffine
from tfpipe.ops.base import Op
from tfpipe.ops.chain import Chain
from tfpipe.ops.pixels import Decode, Grayscale, ToFloat
from tfpipe.ops.resize import Resize

__all__ = ["Chain", "Decode", "Grayscale", "Op", "RandomAffine", "Resize", "ToFloat"]
