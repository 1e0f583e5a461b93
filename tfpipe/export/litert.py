"""TFLite files, run by LiteRT, the interpreter that phones have.

Example:

    predictor = load("out/int8.tflite")
    scores = predictor.predict(images)
"""

import pathlib
import threading
from typing import Any

import numpy as np

from tfpipe.errors import DataError, RequestError
from tfpipe.export.predictor import Predictor, zeros
from tfpipe.files import Path


def load(path: Path) -> Predictor:
    """Loads a `.tflite` file, to be run in one thread.

    Raises:
        RequestError: there is no such file.
        DataError: LiteRT cannot run it, or it does not take one batch of images and give float32.
    """
    from ai_edge_litert.interpreter import Interpreter

    file = pathlib.Path(path)
    if not file.is_file():
        raise RequestError(f"Expected a model file. There is no file {str(file)!r}.")
    try:
        interpreter = Interpreter(model_content=file.read_bytes(), num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise DataError(file, f"LiteRT cannot run it ({error})") from None
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or len(outputs) != 1 or len(inputs[0]["shape"]) != 4:
        raise DataError(file, "expected one input, a batch of images, and one output")
    if outputs[0]["dtype"] != np.float32:
        found = np.dtype(outputs[0]["dtype"]).name
        raise DataError(file, f"expected scores in float32, found {found}")
    weights = _weights(interpreter)
    return Predictor(
        name=file.name,
        format="tflite",
        mode="int8" if any(weight.dtype == np.int8 for weight in weights) else "float32",
        input_shape=tuple(int(size) for size in inputs[0]["shape"][1:]),
        dtype=np.dtype(inputs[0]["dtype"]).name,
        sparsity=zeros(weights),
        run=_runner(interpreter, inputs[0], outputs[0]),
    )


def _runner(interpreter: Any, takes: dict[str, Any], gives: dict[str, Any]) -> Any:
    lock = threading.Lock()  # an interpreter holds one example at a time

    def run(images: np.ndarray) -> np.ndarray:
        scores = np.empty((len(images), *gives["shape"][1:]), np.float32)
        with lock:
            for place, image in enumerate(images):
                interpreter.set_tensor(takes["index"], image[None])
                interpreter.invoke()
                scores[place] = interpreter.get_tensor(gives["index"])[0]
        return scores

    return run


def _weights(interpreter: Any) -> list[np.ndarray]:
    """The constants of two or more axes: kernels, not biases and shapes."""
    made = {index for op in interpreter._get_ops_details() for index in op["outputs"]}
    made |= {detail["index"] for detail in interpreter.get_input_details()}
    constants = [
        detail
        for detail in interpreter.get_tensor_details()
        if detail["index"] not in made and len(detail["shape"]) > 1
    ]
    return [interpreter.get_tensor(detail["index"]) for detail in constants]
