"""`.keras` files, run by Keras; code that is in them, only where the caller says so.

Example:

    predictor = load_keras(pathlib.Path("out/model.keras"))
    scores = predictor.predict(images)
"""

import dataclasses
import json
import pathlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from tfpipe.backend import keras
from tfpipe.errors import DataError, RequestError
from tfpipe.export.reading.ends import require_ends
from tfpipe.export.reading.predictor import Predictor, from_keras
from tfpipe.export.reading.problems import first_line

_CODE = ("Lambda", "__lambda__")  # a layer, and a function as an argument of any layer


def load_keras(file: pathlib.Path, *, safe_mode: bool = True) -> Predictor:
    """Loads a `.keras` file, which takes what its model takes.

    Raises:
        DataError: Keras cannot load it, it holds code (in safe mode) or classes that are not
            registered, or it is not a functional model of one input and one output.
    """
    _require_whole(file)
    if safe_mode:
        _require_no_code(file)
    try:
        model = keras.models.load_model(file, compile=False, safe_mode=safe_mode)
    except (OSError, ValueError, TypeError, LookupError, RuntimeError, AttributeError) as error:
        raise DataError(file, _problem(error)) from None
    try:
        predictor = from_keras(model)
    except RequestError as error:
        raise DataError(file, str(error)) from None
    outputs = [(gives.shape, _meaning(gives.dtype)) for gives in model.outputs]
    require_ends(file, [takes.shape for takes in model.inputs], outputs)
    return dataclasses.replace(predictor, name=file.name)


def _require_whole(file: pathlib.Path) -> None:
    """A zip archive has a checksum of each member: what is read is what was written."""
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError):
        raise DataError(file, "Keras cannot run it (not a whole zip archive)") from None
    if damaged is not None:
        raise DataError(file, f"Keras cannot run it (its part {damaged!r} is damaged)")


def _require_no_code(file: pathlib.Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            config = json.loads(archive.read("config.json"))
    except (KeyError, ValueError) as error:
        raise DataError(file, f"Keras cannot run it ({first_line(error)})") from None
    if any(name in _CODE for name in _class_names(config)):
        raise DataError(
            file,
            "it holds Python code, a Lambda layer, that would run here. If you trust its source, "
            "`load(..., safe_mode=False)`; better, replace the Lambda by a layer of Keras'",
        )


def _class_names(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        yield str(config.get("class_name"))
    for value in config.values() if isinstance(config, dict) else config:
        if isinstance(value, dict | list):
            yield from _class_names(value)


def _problem(error: Exception) -> str:
    missing = re.search(r"Could not locate (?:class|function) '([^']+)'", str(error))
    if missing is None:
        innermost = str(error).rpartition("Exception encountered: ")[2]  # Keras wraps its errors
        return f"Keras cannot run it ({first_line(ValueError(innermost))})"
    return (
        f"it needs {missing[1]!r}, which Keras does not know here. Import the module that defines "
        "it, with `@keras.saving.register_keras_serializable()` above it, before loading; or make "
        "the model in Python and use `from_keras`"
    )


def _meaning(dtype: str) -> str:
    return "float32" if dtype in ("float16", "bfloat16", "float64") else dtype
