"""Preprocessing of one example: from encoded bytes to what a model takes."""

from tfpipe.ops.augment import RandomAffine
from tfpipe.ops.base import Op
from tfpipe.ops.chain import Chain
from tfpipe.ops.clahe import Clahe, ClaheLayer, clahe
from tfpipe.ops.pixels import Decode, Resize, ToFloat

__all__ = [
    "Chain",
    "Clahe",
    "ClaheLayer",
    "Decode",
    "Op",
    "RandomAffine",
    "Resize",
    "ToFloat",
    "clahe",
]
