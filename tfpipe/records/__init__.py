"""Labelled data to TFRecord shards, and from there to `tf.data`."""

from tfpipe.records.arrays import arrays
from tfpipe.records.check import check
from tfpipe.records.describe import describe
from tfpipe.records.examples import examples
from tfpipe.records.folders import image_folder
from tfpipe.records.idx import idx
from tfpipe.records.manifest import Manifest, load
from tfpipe.records.masks import mask_folder
from tfpipe.records.nih import NIH_CLASSES, chestxray14
from tfpipe.records.reader import read
from tfpipe.records.rows import csv_column
from tfpipe.records.series import series_csv
from tfpipe.records.show import show
from tfpipe.records.sources import Feature, Source
from tfpipe.records.tables import image_csv
from tfpipe.records.texts import text_csv, text_lines
from tfpipe.records.tfds import from_tfds
from tfpipe.records.voc import voc_boxes
from tfpipe.records.writer import write
from tfpipe.records.yolo import yolo_boxes

__all__ = [
    "NIH_CLASSES",
    "Feature",
    "Manifest",
    "Source",
    "arrays",
    "check",
    "chestxray14",
    "csv_column",
    "describe",
    "examples",
    "from_tfds",
    "idx",
    "image_csv",
    "image_folder",
    "load",
    "mask_folder",
    "read",
    "series_csv",
    "show",
    "text_csv",
    "text_lines",
    "voc_boxes",
    "write",
    "yolo_boxes",
]
