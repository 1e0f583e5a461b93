"""TFLite files of TensorFlow functions, by a converter that may crash: it has its own process.

TensorFlow's converter ends in a segmentation fault on some graphs, and takes the memory of several
models. Its process is started by the first conversion, which costs the seconds of importing
TensorFlow, and serves all that follow.
"""

import atexit
import pathlib
import re
import signal
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.export.writing.integers import no_integers, operators
from tfpipe.export.writing.lookups import track_lookups
from tfpipe.export.writing.modes import CALIBRATED
from tfpipe.export.writing.places import layer_named
from tfpipe.export.writing.substitutes import substitute
from tfpipe.process import Worker, WorkerDied

_SCRIPT = str(pathlib.Path(__file__).with_name("converter.py"))
_PROGRAM = f"import runpy; runpy.run_path({_SCRIPT!r}, run_name='__main__')"

_lock = threading.Lock()  # one conversion at a time: each may take all memory there is
_workers: list[Worker] = []


def converted(
    function: Callable[..., Any],
    takes: tf.TensorSpec,
    model: keras.Model,
    *,
    mode: str = "float32",
    examples: np.ndarray | None = None,
    scores_dtype: str = "float32",
) -> bytes:
    """The function as a TFLite file of builtin operators.

    Args:
        function: from a tensor to a dict of tensors, or a tensor.
        takes: what it is called with; its name is that of the file's input.
        model: whose function it is, for the errors.
        mode: one of `MODES`.
        examples: for int8 and int16x8, what the ranges come from, float32 or tokens (N, ...);
            None if they are in the function, as `tf.quantization.fake_quant_...`.
        scores_dtype: of what comes out of an int8 file.

    Raises:
        RequestError: the converter refuses it or crashes; with the layer where that is known.
    """
    floats = mode in CALIBRATED and takes.dtype == tf.uint8
    given = tf.float32 if floats else takes.dtype
    with tempfile.TemporaryDirectory() as folder:
        _write(function, tf.TensorSpec(takes.shape, given, takes.name), f"{folder}/model", model)
        if mode == "int8":  # LiteRT squares no 16-bit integers
            substitute(f"{folder}/model")
        if examples is not None:
            np.save(f"{folder}/examples.npy", examples)
        request = {
            "folder": folder,
            "mode": mode,
            "scores_dtype": scores_dtype,
            "pixels": takes.dtype != given,
        }
        done, data = _ask(request, model.name)
    if done:
        return data
    lacking = re.findall(
        r"Quantization to 16x8-bit not yet supported for op: '(\w+)'", data.decode()
    )
    if lacking:  # the converter does not say where they are
        exact = operators(converted(function, tf.TensorSpec(takes.shape, given, takes.name), model))
        found = [(name, names) for name, names in exact if name in lacking]
        raise RequestError(no_integers(model, mode, found))
    raise RequestError(_refusal(model, mode, data.decode()))


def _write(
    function: Callable[..., Any], takes: tf.TensorSpec, folder: str, model: keras.Model
) -> None:
    """The function as a SavedModel, whose signature gives the TFLite file its names.

    Keras' archive finds the variables; a plain tf.Module with a Keras 3 model inside converts
    to a file whose weights are missing.
    """
    archive = keras.export.ExportArchive()
    archive.add_endpoint("serving_default", function, input_signature=[takes])
    track_lookups(archive, model)
    archive.write_out(folder, verbose=False)


def _ask(request: dict[str, Any], name: str) -> tuple[bool, bytes]:
    with _lock:
        if not _workers:
            _workers.append(Worker(_PROGRAM, None))
            atexit.register(_workers[0].close)
        try:
            return _workers[0].ask(request)
        except WorkerDied as died:
            atexit.unregister(_workers.pop().close)
            raise RequestError(_epitaph(name, request["mode"], died.exit_code)) from None


def _epitaph(name: str, mode: str, exit_code: int) -> str:
    """The sentence for a converter that ended in the middle of its work."""
    how = f"ended with exit code {exit_code}"
    if exit_code < 0:
        how = f"crashed ({signal.Signals(-exit_code).name})"
    if exit_code == -signal.SIGKILL:
        how = "was killed (SIGKILL), as systems do where memory runs out"
    return (
        "Expected a model that TensorFlow's converter can convert. "
        f"Received: {name!r} with mode={mode!r}, on which its process {how}. "
        "Use another mode, or replace the layer that is not Keras' own."
    )


def _refusal(model: keras.Model, mode: str, said: str) -> str:
    """The sentence for a converter that gave a reason."""
    layer = layer_named(model, said)
    where = f"layer {layer!r} of {model.name!r}" if layer else repr(model.name)
    if "ERROR_NEEDS_FLEX_OPS" in said or "ERROR_NEEDS_CUSTOM_OPS" in said:
        return (
            "Expected a model whose operators are builtin in TFLite. "
            f"Received: {where} with {', '.join(_foreign(said))}, which only TensorFlow has. "
            "Replace the layer."
        )
    reason = next((line for line in said.splitlines() if line.strip()), "no reason given")
    return (
        "Expected a model that TensorFlow's converter can convert. "
        f"Received: {where} with mode={mode!r}: {reason.rstrip('.')}. "
        "Use another mode, or replace the layer."
    )


def _foreign(said: str) -> list[str]:
    """TensorFlow's operators that TFLite lacks, from what the converter said."""
    return sorted(set(re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", said)))
