"""The formats by name: what each file is called, and how it is written.

Example:

    write("int8", model, "out/xray", prepare=prepare, calibration=pixels)
"""

import pathlib
from collections.abc import Callable, Sequence

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of, received
from tfpipe.export.writing.calibration import MIN_EXAMPLES
from tfpipe.export.writing.keras_file import to_keras
from tfpipe.export.writing.modes import FORMATS
from tfpipe.export.writing.onnx import to_onnx
from tfpipe.export.writing.saved_model import to_saved_model
from tfpipe.export.writing.tflite import to_tflite
from tfpipe.files import Path
from tfpipe.ops import Chain

_OTHERS: dict[str, tuple[str, Callable[..., pathlib.Path]]] = {
    "onnx": ("model.onnx", to_onnx),
    "saved_model": ("saved_model", to_saved_model),
    "keras": ("model.keras", to_keras),
}


def file_name(format: str) -> str:
    """What a file, or a folder, of a format is called.

    >>> file_name("int8"), file_name("onnx")
    ('int8.tflite', 'model.onnx')
    """
    return _OTHERS[format][0] if format in _OTHERS else f"{format}.tflite"


def check_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """The formats, each once.

    Raises:
        RequestError: there is none, or one that tfpipe does not write.
    """
    if isinstance(formats, str) or not formats:
        expected = "`formats` to be a list, such as ['int8', 'onnx']"
        raise RequestError(received(expected, formats=formats))
    for format in formats:
        if format not in FORMATS:
            raise RequestError(one_of("formats", format, FORMATS))
    return tuple(dict.fromkeys(formats))


def write(
    format: str,
    model: keras.Model,
    folder: Path,
    *,
    prepare: Chain,
    calibration: tf.data.Dataset,
    least_examples: int = MIN_EXAMPLES,
) -> pathlib.Path:
    """Writes the model as a file of one format into a folder.

    `calibration` must hold `least_examples` that differ, as `to_tflite` says.

    Returns:
        The file's path.
    """
    path = pathlib.Path(folder) / file_name(format)
    if format in _OTHERS:
        return _OTHERS[format][1](model, path, prepare=prepare)
    ranges = {"calibration": calibration, "least_examples": least_examples}
    return to_tflite(model, path, mode=format, prepare=prepare, **ranges)
