"""What a bundle's files are run on, by what goes in: pictures, texts or sequences of numbers.

Example:

    data = data_of(model, manifest, prepare, split="test")
    report = verify(data.reference, ["out/int8.tflite"], data.check)
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.export.reading.predictor import Predictor, from_keras
from tfpipe.export.reading.texts import on_texts, text_ops, vocabulary_text
from tfpipe.export.writing.calibration import MIN_EXAMPLES
from tfpipe.export.writing.labels import as_text
from tfpipe.export.writing.metadata import LABELS
from tfpipe.models import box_targets
from tfpipe.ops import Chain, Window
from tfpipe.records import Manifest, read

BATCH_SIZE = 32
TARGETS = ("label", "labels", "mask", "boxes", "target")  # what verification can score


class Data(NamedTuple):
    """What the files of one model are made with and run on.

    Args:
        task: the name of the targets.
        reference: the model, with all that happens between `check` and its scores.
        check: batches of (inputs, targets) of the split: pixels, texts as they are, or sequences.
        calibration: batches of the split "train", as the files themselves take them.
        least_examples: of those that `calibration` must hold, as `to_tflite` takes it.
        attached: the texts that belong into every file: the names of the classes, the words.
    """

    task: str
    reference: Predictor
    check: tf.data.Dataset
    calibration: tf.data.Dataset
    least_examples: int
    attached: Mapping[str, str]


def data_of(model: keras.Model, manifest: Manifest, prepare: Chain, *, split: str) -> Data:
    """The data of a bundle.

    Raises:
        RequestError: the records have no target that can be scored, or no such split, or the
            model does not fit the classes or the chain.
        DataError: the records are damaged.
    """
    if prepare is None:
        raise RequestError(
            "Expected `prepare`, the chain that the model was trained with. Received: None. For a "
            "model that has all of it inside, give the decoding, the resizing and "
            "`PreprocessInput('none')`."
        )
    plain, task = from_keras(model, prepare), _task(model, manifest)
    attached = {LABELS: as_text(manifest.class_names)} if manifest.class_names else {}
    if "text" in manifest.features:
        tokenize, window = text_ops(prepare)
        reference: Predictor = on_texts(plain, prepare, refuse_unknown=False)
        inside = Chain([tokenize, Window(window.length)])
        attached |= vocabulary_text(tokenize)
    else:
        reference, inside = plain, prepare.outside()
    check = examples_of(manifest, split, prepare)
    calibration = read(manifest, "train", inside, batch_size=BATCH_SIZE)
    least = min(MIN_EXAMPLES, manifest.split("train").num_examples)
    return Data(task, _remembering(reference), check, calibration, least, attached)


def examples_of(manifest: Manifest, split: str, prepare: Chain) -> tf.data.Dataset:
    """A split as `Data.check` holds it."""
    outside = None if "text" in manifest.features else prepare.outside()
    batches = read(manifest, split, outside, batch_size=BATCH_SIZE)
    return batches.map(box_targets) if "boxes" in manifest.features else batches


def _task(model: keras.Model, manifest: Manifest) -> str:
    """The name of the targets, where the model's output can stand for them."""
    task = next((name for name in TARGETS if name in manifest.features), "")
    if not task:
        raise RequestError(
            f"Expected examples with one of {', '.join(map(repr, TARGETS))}, so that files can be "
            f"scored. {manifest.name!r} has: {', '.join(map(repr, manifest.features))}"
        )
    num_scores, num_classes = model.outputs[0].shape[-1], manifest.num_classes
    if task == "boxes":
        _require_detector(model, manifest)
        return task
    fits = num_scores == num_classes or (num_scores == 1 and num_classes == 2)
    if manifest.class_names and not fits:
        raise RequestError(
            f"Expected a model with one score per class of {manifest.name!r}, {num_classes}. "
            f"Received: {model.name!r}, whose output has the shape {model.outputs[0].shape}."
        )
    return task


def _require_detector(model: keras.Model, manifest: Manifest) -> None:
    shape = model.outputs[0].shape
    if len(shape) != 3 or shape[-1] != 4 + manifest.num_classes:
        raise RequestError(
            f"Expected a detector, whose output has the shape (None, anchors, "
            f"{4 + manifest.num_classes}): a box and {manifest.num_classes} scores, one per class "
            f"of {manifest.name!r}. Received: {model.name!r}, whose output has the shape {shape}."
        )


def _remembering(predictor: Predictor) -> Predictor:
    """It computes once: every rung compares with the same scores.

    Those of masks are too large to be kept.
    """
    known: dict[bytes, np.ndarray] = {}

    def run(inputs: np.ndarray) -> np.ndarray:
        key = hashlib.sha256(np.ascontiguousarray(inputs).data).digest()
        scores = known[key] if key in known else predictor.run(inputs)
        if scores.ndim == 2:
            known[key] = scores
        return scores

    return dataclasses.replace(predictor, run=run)
