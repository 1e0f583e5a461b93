"""TFLite files, run by LiteRT, the interpreter that phones have.

Example:

    predictor = load_tflite(pathlib.Path("out/int8.tflite"))
    scores = predictor.predict(images)
"""

import pathlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tfpipe.errors import DataError
from tfpipe.export.reading.alone import try_tflite
from tfpipe.export.reading.contents import contents
from tfpipe.export.reading.ends import quantised, real, require_ends
from tfpipe.export.reading.predictor import Predictor, Run
from tfpipe.export.reading.problems import first_line, refusing
from tfpipe.export.writing.graph import input_name

Details = dict[str, Any]  # what LiteRT says of an input or output

_INTEGERS = ("int8", "int16", "uint8")


def load_tflite(file: pathlib.Path, *, threads: int = 1) -> Predictor:
    """Loads a `.tflite` file, after a process of its own has run it once: LiteRT can crash.

    An input in int8 or int16 takes float32, which becomes integers by its scale and zero point;
    numbers beyond its range become the nearest in it. Images in uint8 go in as they are, and so
    do those in int8 whose scale is 1 and zero point -128: there, too, the pixels are uint8. Of an
    output in int8, uint8 or int16 the scores are float32 by its scale and zero point.

    Raises:
        DataError: LiteRT cannot run it, or it does not take one batch of examples and give
            scores.
    """
    from ai_edge_litert.interpreter import Interpreter

    data = file.read_bytes()
    try_tflite(file, data)
    try:
        interpreter = Interpreter(model_content=data, num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise DataError(file, f"LiteRT cannot run it ({first_line(error)})") from None
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    require_ends(
        file,
        [takes["shape"].tolist() for takes in inputs],
        [(gives["shape"].tolist(), _meaning(gives)) for gives in outputs],
    )
    found = contents(data)
    dtype, encode = _taken(inputs[0])
    return Predictor(
        name=file.name,
        format="tflite",
        mode=found.mode,
        input_shape=tuple(int(size) for size in inputs[0]["shape"][1:]),
        dtype=dtype,
        sparsity=found.sparsity,
        run=_runner(file.name, interpreter, encode),
        operators=found.operators,
        encode=encode,
    )


def _runner(name: str, interpreter: Any, encode: Run) -> Run:
    (takes,), (gives,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero_point = gives["quantization"] if _dtype(gives) in _INTEGERS else (1.0, 0)
    lock = threading.Lock()  # an interpreter holds one example at a time

    def run(inputs: np.ndarray) -> np.ndarray:
        given = np.empty((len(inputs), *gives["shape"][1:]), gives["dtype"])
        with lock, refusing(name, RuntimeError, ValueError):
            for place, example in enumerate(encode(inputs)):
                interpreter.set_tensor(takes["index"], example[None])
                interpreter.invoke()
                given[place] = interpreter.get_tensor(gives["index"])[0]
        return real(given, scale, zero_point)

    return run


def _taken(takes: Details) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    """The dtype of the inputs, and what makes of them what LiteRT takes."""
    dtype, (scale, zero_point) = _dtype(takes), takes["quantization"]
    image = input_name(takes["shape"], dtype) == "images"
    if image and dtype == "int8" and (scale, zero_point) == (1.0, -128):
        return "uint8", lambda pixels: (pixels.astype(np.int16) - 128).astype(np.int8)
    if scale and dtype in _INTEGERS and not (image and dtype == "uint8"):
        return "float32", lambda numbers: quantised(numbers, dtype, scale, zero_point)
    if dtype in ("float16", "float64"):
        return "float32", lambda numbers: numbers.astype(dtype)
    if dtype == "int64":
        return "int32", lambda tokens: tokens.astype(np.int64)
    return dtype, lambda inputs: inputs


def _meaning(gives: Details) -> str:
    """The dtype of the scores: integers with a scale stand for float32."""
    dtype = _dtype(gives)
    stands = dtype in ("float16", "float64") or (dtype in _INTEGERS and gives["quantization"][0])
    return "float32" if stands else dtype


def _dtype(end: Details) -> str:
    return np.dtype(end["dtype"]).name
