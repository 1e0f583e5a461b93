"""Labelled data to TFRecord shards, and from there to `tf.data`."""

from tfpipe.records.describe import describe
from tfpipe.records.manifest import Manifest, load
from tfpipe.records.moments import moments
from tfpipe.records.one_hot import one_hot
from tfpipe.records.positives import positive_weights
from tfpipe.records.reading.check import check
from tfpipe.records.reading.ids import ids
from tfpipe.records.reading.reader import read
from tfpipe.records.reading.show import show
from tfpipe.records.sources.arrays import arrays
from tfpipe.records.sources.base import Feature, Source
from tfpipe.records.sources.examples import examples
from tfpipe.records.sources.folders import image_folder
from tfpipe.records.sources.held_out import with_val
from tfpipe.records.sources.idx import idx
from tfpipe.records.sources.masks import mask_folder
from tfpipe.records.sources.nih import NIH_CLASSES, chestxray14
from tfpipe.records.sources.parts import given_splits
from tfpipe.records.sources.rows import csv_column
from tfpipe.records.sources.series import series_csv
from tfpipe.records.sources.tables import image_csv
from tfpipe.records.sources.texts import text_csv, text_lines
from tfpipe.records.sources.tfds import from_tfds
from tfpipe.records.sources.voc import voc_boxes
from tfpipe.records.sources.yolo import yolo_boxes
from tfpipe.records.vocabulary import add_vocabulary
from tfpipe.records.writing.writer import write

__all__ = [
    "NIH_CLASSES",
    "Feature",
    "Manifest",
    "Source",
    "add_vocabulary",
    "arrays",
    "check",
    "chestxray14",
    "csv_column",
    "describe",
    "examples",
    "from_tfds",
    "given_splits",
    "ids",
    "idx",
    "image_csv",
    "image_folder",
    "load",
    "mask_folder",
    "moments",
    "one_hot",
    "positive_weights",
    "read",
    "series_csv",
    "show",
    "text_csv",
    "text_lines",
    "voc_boxes",
    "with_val",
    "write",
    "yolo_boxes",
]
