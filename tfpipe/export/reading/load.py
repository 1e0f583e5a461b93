"""Loads a model file of any format, by its name.

Example:

    predictor = load("out/int8.tflite")
    scores = predictor.predict(images)
"""

import json
import pathlib
import zipfile
import zlib

import numpy as np

from tfpipe.errors import DataError, RequestError, received
from tfpipe.export.reading.archive import load_keras
from tfpipe.export.reading.litert import load_tflite
from tfpipe.export.reading.ort import load_onnx
from tfpipe.export.reading.predictor import Predictor
from tfpipe.export.reading.problems import first_line
from tfpipe.export.reading.serving import load_saved_model
from tfpipe.export.writing.metadata import ABOUT, attached
from tfpipe.export.writing.modes import MODES
from tfpipe.files import Path

_ENDINGS = (".keras", ".onnx", ".tflite")
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, RuntimeError)  # the last: it asks for a password


def load(path: Path, *, threads: int = 1, safe_mode: bool = True) -> Predictor:
    """Loads a `.tflite`, `.onnx` or `.keras` file, or a SavedModel's folder, and tries it once.

    The file need not come from tfpipe: its input and output may have any names. It must take one
    batch of uint8 pixels (N, H, W, C), float32 sequences (N, T, F), int32 tokens (N, T) or
    float32 features (N, F), and give one batch of scores.

    Args:
        path: the file or folder.
        threads: in which `.tflite` and `.onnx` run; the others have TensorFlow's.
        safe_mode: Keras' word. A `.keras` file with code in it (a Lambda layer) is refused;
            False runs that code, which can do anything that you can do on this machine.

    Returns:
        What runs it; `predict` takes and gives arrays.

    Raises:
        RequestError: there is no such file, it has another ending, or `threads` is under 1.
        DataError: its runtime cannot run it, or it takes or gives something else, or computes in
            another mode than tfpipe wrote into it; a `.keras` file holds code, classes that are
            not known here, or a subclassed model.

    Example:

    >>> import tempfile
    >>> from tfpipe import export, models
    >>> predictor = load(export.to_keras(models.lenet5(), tempfile.mkdtemp() + "/a.keras"))
    >>> predictor.input_shape, predictor.dtype
    ((32, 32, 1), 'float32')
    >>> predictor.predict(np.zeros((2, 32, 32, 1), np.float32)).shape
    (2, 10)
    """
    file = pathlib.Path(path)
    if threads < 1:
        raise RequestError(received("`threads` to be at least 1", threads=threads))
    predictor = _load(file, threads, safe_mode)
    _require_mode(file, predictor.mode)
    try:
        predictor.predict(np.zeros((1, *predictor.input_shape), predictor.dtype))
    except RequestError as error:
        raise DataError(file, f"it does not run: {error}") from None
    return predictor


def _require_mode(file: pathlib.Path, found: str) -> None:
    """Compares what the file is with what tfpipe wrote into it, where it wrote anything."""
    try:
        texts = attached(file)
        said = json.loads(texts.get(ABOUT, "{}")).get("mode", found)
    except (ValueError, AttributeError, OSError, NotImplementedError, *_ZIP_ERRORS) as error:
        raise DataError(file, f"its {ABOUT} cannot be read ({first_line(error)})") from None
    # The texts are a TFLite file's last part, and named in the part before.
    if file.suffix == ".tflite" and not texts and ABOUT.encode() in file.read_bytes():
        raise DataError(file, f"it ends before its {ABOUT} does: it is not whole")
    # TensorFlow's converter leaves kernels of under 1024 numbers in float32 in a dynamic file.
    if said in MODES and said != found and (said, found) != ("dynamic", "float32"):
        raise DataError(
            file,
            f"its {ABOUT} says that its mode is {said!r}; by its weights and operators it is "
            f"{found!r}. Write it again",
        )


def _load(file: pathlib.Path, threads: int, safe_mode: bool) -> Predictor:
    if file.is_dir():
        return load_saved_model(file)
    if not file.is_file():
        raise RequestError(f"Expected a model file. There is no file {str(file)!r}.")
    if file.suffix not in _ENDINGS:
        expected = "a SavedModel's folder, or a file that ends in '.tflite', '.onnx' or '.keras'"
        raise RequestError(received(expected, path=str(file)))
    if file.suffix == ".keras":
        return load_keras(file, safe_mode=safe_mode)
    return (load_tflite if file.suffix == ".tflite" else load_onnx)(file, threads=threads)
