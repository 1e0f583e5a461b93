"""TFLite files, run by LiteRT, the interpreter that phones have.

Example:

    predictor = load_tflite(pathlib.Path("out/int8.tflite"))
    scores = predictor.predict(images)
"""

import pathlib
import threading
from typing import Any

import numpy as np

from tfpipe.errors import DataError
from tfpipe.export.graph import PREPARE
from tfpipe.export.predictor import Predictor, require_images, zeros


def load_tflite(file: pathlib.Path) -> Predictor:
    """Loads a `.tflite` file, to be run in one thread.

    Raises:
        DataError: LiteRT cannot run it, or it does not take one batch of images and give float32.
    """
    from ai_edge_litert.interpreter import Interpreter

    data = file.read_bytes()
    try:
        interpreter = Interpreter(model_content=data, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise DataError(file, f"LiteRT cannot run it ({error})") from None
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    dtypes = [np.dtype(gives["dtype"]).name for gives in outputs]
    require_images(file, [takes["shape"].tolist() for takes in inputs], dtypes)
    weights = _weights(data)
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


def _weights(data: bytes) -> list[np.ndarray]:
    """The constants of two or more axes, int8 or float32: kernels, not biases and shapes."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools.flatbuffer_utils import read_model_from_bytearray

    dtypes = {schema.TensorType.INT8: np.int8, schema.TensorType.FLOAT32: np.float32}
    model = read_model_from_bytearray(bytearray(data))
    return [
        np.frombuffer(model.buffers[tensor.buffer].data, dtypes[tensor.type])
        for tensor in model.subgraphs[0].tensors
        if tensor.type in dtypes
        and model.buffers[tensor.buffer].data is not None
        and len(tensor.shape) > 1
        and not tensor.name.startswith(f"{PREPARE}/".encode())
    ]
