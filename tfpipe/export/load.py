"""Loads a model file of any format, by its name.

Example:

    predictor = load("out/int8.tflite")
    scores = predictor.predict(images)
"""

import dataclasses
import pathlib
import zipfile

from tfpipe.backend import keras
from tfpipe.errors import DataError, RequestError, received
from tfpipe.export.litert import load_tflite
from tfpipe.export.onnx import load_onnx
from tfpipe.export.predictor import Predictor, first_line, from_keras, require_images
from tfpipe.export.saved_model import load_saved_model
from tfpipe.files import Path


def load(path: Path) -> Predictor:
    """Loads a `.tflite`, `.onnx` or `.keras` file, or a SavedModel's folder.

    `.tflite` and `.onnx` run in one thread, the others in as many as TensorFlow has. A `.keras`
    file is loaded in Keras' safe mode: one with code in it (a Lambda layer) is refused.

    Raises:
        RequestError: there is no such file, or it has another ending.
        DataError: its runtime cannot run it, or it does not take one batch of images and give
            float32.
    """
    file = pathlib.Path(path)
    if file.is_dir():
        return load_saved_model(file)
    if not file.is_file():
        raise RequestError(f"Expected a model file. There is no file {str(file)!r}.")
    if file.suffix not in _LOADERS:
        expected = "a SavedModel's folder, or a file that ends in '.tflite', '.onnx' or '.keras'"
        raise RequestError(received(expected, path=str(file)))
    return _LOADERS[file.suffix](file)


def load_keras(file: pathlib.Path) -> Predictor:
    """Loads a `.keras` file, which takes what its model takes.

    Raises:
        DataError: Keras cannot load it, or it does not take images.
    """
    if not zipfile.is_zipfile(file):  # Keras would say that there is no file
        raise DataError(file, "Keras cannot run it (not a whole zip archive)")
    try:
        model = keras.models.load_model(file, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, LookupError, RuntimeError, zipfile.BadZipFile) as error:
        raise DataError(file, f"Keras cannot run it ({first_line(error)})") from None
    require_images(file, [takes.shape for takes in model.inputs], ["float32"] * len(model.outputs))
    return dataclasses.replace(from_keras(model), name=file.name)


_LOADERS = {".keras": load_keras, ".onnx": load_onnx, ".tflite": load_tflite}
