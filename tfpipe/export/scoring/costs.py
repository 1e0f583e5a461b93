"""What a model file costs: bytes, bytes in an archive, time and memory.

Example:

    cost = costs(pathlib.Path("out/int8.tflite"), load("out/int8.tflite"), images, threads=1)
    cost["bytes"], cost["zipped_bytes"], cost["latency_ms"], cost["peak_memory_bytes"]
"""

import io
import pathlib
import time
import zipfile
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.cores import num_cores
from tfpipe.export.reading.alone import FORMATS, Alone, run_alone
from tfpipe.export.reading.predictor import Predictor


def costs(
    path: pathlib.Path, predictor: Predictor, examples: np.ndarray, *, threads: int
) -> dict[str, Any]:
    """The fields of a `FileReport` that are about cost.

    Time and memory are those of a process of its own in which nothing else runs, but for a
    `.keras` file: the classes that it needs may be known here only, so it is timed here, in the
    threads that TensorFlow has, and its memory is not told.

    Args:
        path: the file or folder.
        predictor: the file, loaded.
        examples: (N, ...), each of which is run alone in its batch, after one that is not timed.
        threads: that the runtime may use.
    """
    if predictor.format in FORMATS:
        alone = run_alone(predictor.format, path, predictor.encode(examples), threads=threads)
    else:
        threads = tf.config.threading.get_intra_op_parallelism_threads() or num_cores()
        alone = Alone(_timed(predictor, examples), None)
    median, p95 = np.percentile(alone.seconds, (50, 95)) * 1000
    return {
        "bytes": sum(file.stat().st_size for file in _files(path)),
        "zipped_bytes": zipped_bytes(path),
        "latency_ms": float(median),
        "latency_p95_ms": float(p95),
        "threads": threads,
        "peak_memory_bytes": alone.peak_memory_bytes,
    }


def _timed(predictor: Predictor, examples: np.ndarray) -> tuple[float, ...]:
    predictor.predict(examples[:1])
    seconds = []
    for place in range(len(examples)):
        started = time.perf_counter()
        predictor.predict(examples[place : place + 1])
        seconds.append(time.perf_counter() - started)
    return tuple(seconds)


def zipped_bytes(path: pathlib.Path) -> int:
    """The size of a file, or a folder, in a zip archive (deflate, level 9)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in _files(path):
            archive.write(file, file.relative_to(path.parent))
    return buffer.tell()


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    """A file itself, or all that are in a folder."""
    return sorted(file for file in (path, *path.rglob("*")) if file.is_file())
