"""Runs one model file with its runtime and nothing else; `tfpipe.export.reading.alone` starts it.

    python -P child.py '{"format": "tflite", "path": "a.tflite", "threads": 1, "inputs": null}'

It imports nothing of tfpipe, which would load TensorFlow: the memory that it tells of is the
runtime's, and it starts in a moment. The last line on standard output is its answer, JSON.
"""

import json
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Call = Callable[[np.ndarray], Any]
# The runtime's errors, opened by `open_*`: a function that runs a batch of one, and zeros for it.
Opened = tuple[Call, np.ndarray]


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Opens the file and runs each of the inputs alone, after one that is not timed."""
    opener, errors = _RUNTIMES[job["format"]](job["threads"])
    before = resident_bytes("VmRSS") if _reset_peak() else None
    try:
        call, zeros = opener(job["path"])
        inputs = zeros if job["inputs"] is None else np.load(job["inputs"], mmap_mode="r")
        call(inputs[:1])
        seconds = [_timed(call, inputs[place : place + 1]) for place in range(len(inputs))]
    except errors as error:
        return {"error": str(error) or type(error).__name__}
    grown = None if before is None else max(0, resident_bytes("VmHWM") - before)
    return {"seconds": seconds, "peak_memory_bytes": grown}


def resident_bytes(name: str) -> int:
    """What Linux says of this process' memory: VmRSS is now, VmHWM was the most."""
    status = pathlib.Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def _reset_peak() -> bool:
    """Makes the highest so far what it is now; False where the system has no such thing."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _timed(call: Call, batch: np.ndarray) -> float:
    started = time.perf_counter()
    call(batch)
    return time.perf_counter() - started


def _tflite(threads: int) -> tuple[Callable[[str], Opened], tuple[type[Exception], ...]]:
    from ai_edge_litert.interpreter import Interpreter

    def opened(path: str) -> Opened:
        """An interpreter that has its memory."""
        interpreter = Interpreter(model_path=path, num_threads=threads)
        interpreter.allocate_tensors()
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()

        def call(batch: np.ndarray) -> None:
            interpreter.set_tensor(inputs[0]["index"], batch)
            interpreter.invoke()
            interpreter.get_tensor(outputs[0]["index"])

        for takes in inputs[1:]:  # a file of several inputs runs, and is refused elsewhere
            interpreter.set_tensor(takes["index"], np.zeros(takes["shape"], takes["dtype"]))
        return call, np.zeros(inputs[0]["shape"], inputs[0]["dtype"])

    return opened, (ValueError, RuntimeError)


def _onnx(threads: int) -> tuple[Callable[[str], Opened], tuple[type[Exception], ...]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 4

    def opened(path: str) -> Opened:
        """A session that took its options."""
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        (takes,) = session.get_inputs()
        return lambda batch: session.run(None, {takes.name: batch}), np.zeros(0)

    return opened, ()


def _saved_model(threads: int) -> tuple[Callable[[str], Opened], tuple[type[Exception], ...]]:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)

    def opened(path: str) -> Opened:
        """The signature that every file has."""
        serving = tf.saved_model.load(path).signatures["serving_default"]
        (name,) = serving.structured_input_signature[1]

        def call(batch: np.ndarray) -> None:
            for scores in serving(**{name: tf.constant(batch)}).values():
                scores.numpy()

        return call, np.zeros(0)

    return opened, ()


_RUNTIMES = {"onnx": _onnx, "saved_model": _saved_model, "tflite": _tflite}


if __name__ == "__main__":
    print("\n" + json.dumps(main(json.loads(sys.argv[1]))))
