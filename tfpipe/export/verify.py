"""Runs model files on real examples, and says what each one costs and what it lost.

Example:

    report = verify(from_keras(model, prepare), ["out/int8.tflite"], pixels)
    report.require(agreement=0.99, score_lost=0.01)
"""

import io
import pathlib
import time
import zipfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.export.load import load
from tfpipe.export.predictor import Predictor
from tfpipe.export.report import FileReport, Report
from tfpipe.files import Path


def verify(reference: Predictor, paths: Sequence[Path], data: tf.data.Dataset) -> Report:
    """Runs every file on every example of `data`, one image at a time.

    TFLite and ONNX files run in one thread; a SavedModel in as many as TensorFlow has.

    Args:
        reference: what the files should do: `from_keras(model, prepare)`, with the files'
            `input_size` if they have one.
        paths: `.tflite` and `.onnx` files, and SavedModel folders.
        data: batches of (images, labels), as the files take them: a whole split that the model
            was not trained on. `records.read(manifest, "test", prepare.outside(), ...)`.

    Returns:
        A report; the score is the accuracy.

    Raises:
        RequestError: there is no example, or the images do not fit.
    """
    images, labels = _collected(data)
    expected = reference.predict(images)
    head = {
        "path": reference.name,
        "format": reference.format,
        "score_name": "accuracy",
        "score": _accuracy(expected, labels),
        "sparsity": reference.sparsity,
        "num_examples": len(labels),
    }
    files = [_verify_file(pathlib.Path(path), images, labels, expected) for path in paths]
    return Report(reference=head, files=tuple(files))


def _verify_file(
    path: pathlib.Path, images: np.ndarray, labels: np.ndarray, expected: np.ndarray
) -> FileReport:
    predictor = load(path)
    scores, seconds = _run_one_by_one(predictor, images)
    score = _accuracy(scores, labels)
    return FileReport(
        path=path.name,
        format=predictor.format,
        mode=predictor.mode,
        bytes=sum(file.stat().st_size for file in _files(path)),
        zipped_bytes=_zipped_bytes(path),
        latency_ms=float(np.median(seconds)) * 1000,
        latency_p95_ms=float(np.percentile(seconds, 95)) * 1000,
        threads=1,
        peak_memory_bytes=None,
        agreement=float(np.mean(scores.argmax(-1) == expected.argmax(-1))),
        max_abs_diff=float(np.max(np.abs(scores - expected))),
        mean_abs_diff=float(np.mean(np.abs(scores - expected))),
        score=score,
        score_lost=_accuracy(expected, labels) - score,
        score_lost_low=_accuracy(expected, labels) - score,
        score_lost_high=_accuracy(expected, labels) - score,
        sparsity=predictor.sparsity,
        operators={},
    )


def _run_one_by_one(predictor: Predictor, images: np.ndarray) -> tuple[np.ndarray, list[float]]:
    seconds, scores = [], []
    for place in range(len(images)):
        started = time.perf_counter()
        scores.append(predictor.predict(images[place : place + 1]))
        seconds.append(time.perf_counter() - started)
    return np.concatenate(scores), seconds


def _collected(data: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    batches = list(data.as_numpy_iterator())
    if not batches:
        raise RequestError("Expected `data` to hold examples to verify with. Received: none.")
    return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])


def _accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(scores.argmax(-1) == labels))


def _zipped_bytes(path: pathlib.Path) -> int:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in _files(path):
            archive.write(file, file.relative_to(path.parent))
    return buffer.tell()


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    """A file itself, or all that are in a folder."""
    return sorted(file for file in (path, *path.rglob("*")) if file.is_file())
