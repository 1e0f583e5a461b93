"""Labelled data to TFRecord shards, and from there to `tf.data`."""

from tfpipe.records.arrays import arrays
from tfpipe.records.check import check
from tfpipe.records.describe import describe
from tfpipe.records.idx import idx
from tfpipe.records.manifest import Manifest, load
from tfpipe.records.reader import read
from tfpipe.records.show import show
from tfpipe.records.sources import Feature, Source
from tfpipe.records.tfds import from_tfds
from tfpipe.records.writer import write

__all__ = [
    "Feature",
    "Manifest",
    "Source",
    "arrays",
    "check",
    "describe",
    "from_tfds",
    "idx",
    "load",
    "read",
    "show",
    "write",
]
