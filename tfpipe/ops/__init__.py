"""Preprocessing of one example: from encoded bytes to what a model takes."""

from tfpipe.ops.augment import RandomAffine, RandomFlip, RandomRotation, RandomZoom
from tfpipe.ops.base import Op
from tfpipe.ops.chain import Chain
from tfpipe.ops.clahe import Clahe, ClaheLayer, clahe
from tfpipe.ops.colour import ColorJitter
from tfpipe.ops.config import register
from tfpipe.ops.crop import CenterCrop, RandomResizedCrop
from tfpipe.ops.draws import RandomOp, uniform
from tfpipe.ops.layer import ChainLayer
from tfpipe.ops.mix import CutMix, MixUp
from tfpipe.ops.normalize import Normalize, PreprocessInput
from tfpipe.ops.pixels import Decode, Grayscale, ToFloat
from tfpipe.ops.resize import Resize
from tfpipe.ops.sequence import Standardize
from tfpipe.ops.text import Tokenize, WordDropout
from tfpipe.ops.windows import RandomWindow, Window

__all__ = [
    "CenterCrop",
    "Chain",
    "ChainLayer",
    "Clahe",
    "ClaheLayer",
    "ColorJitter",
    "CutMix",
    "Decode",
    "Grayscale",
    "MixUp",
    "Normalize",
    "Op",
    "PreprocessInput",
    "RandomAffine",
    "RandomFlip",
    "RandomOp",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomWindow",
    "RandomZoom",
    "Resize",
    "Standardize",
    "ToFloat",
    "Tokenize",
    "Window",
    "WordDropout",
    "clahe",
    "register",
    "uniform",
]

for _op in (
    CenterCrop,
    Clahe,
    ColorJitter,
    CutMix,
    Decode,
    Grayscale,
    MixUp,
    Normalize,
    PreprocessInput,
    RandomAffine,
    RandomFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomWindow,
    RandomZoom,
    Resize,
    Standardize,
    ToFloat,
    Tokenize,
    Window,
    WordDropout,
):
    register(_op)
