"""Labelled data to TFRecord shards, and from there to `tf.data`."""

from tfpipe.records.arrays import arrays
from tfpipe.records.idx import idx
from tfpipe.records.manifest import Manifest, load
from tfpipe.records.reader import read
from tfpipe.records.sources import Feature, Source
from tfpipe.records.tfds import from_tfds
from tfpipe.records.writer import write

__all__ = ["Feature", "Manifest", "Source", "arrays", "from_tfds", "idx", "load", "read", "write"]
