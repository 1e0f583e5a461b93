"""Runs a model file in a process of its own: what it costs there, and whether it ends there.

Example:

    alone = run_alone("onnx", "a.onnx", images, threads=1)
    alone.seconds, alone.peak_memory_bytes
"""

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from tfpipe.errors import DataError
from tfpipe.files import Path

FORMATS = ("onnx", "saved_model", "tflite")
RUNTIMES = {"onnx": "ONNX Runtime", "saved_model": "TensorFlow", "tflite": "LiteRT"}
TIMEOUT_S = 1800


@dataclasses.dataclass(frozen=True)
class Alone:
    """What a file cost in a process of its own.

    Args:
        seconds: of each example, alone in its batch.
        peak_memory_bytes: by how much the process' resident memory grew at its highest, from
            after the runtime was imported to after all examples: the file's pages that were
            touched, copies of its weights, buffers. None where the system does not tell: it is
            Linux' VmHWM, set back with /proc/self/clear_refs.
    """

    seconds: tuple[float, ...]
    peak_memory_bytes: int | None


def run_alone(format: str, path: Path, inputs: np.ndarray | None, *, threads: int) -> Alone:
    """Runs every example by itself, in a fresh process that holds the file's runtime only.

    Args:
        format: "onnx", "saved_model" or "tflite".
        path: the file or folder.
        inputs: as the runtime takes them; None makes one of zeros (TFLite only).
        threads: that the runtime may use.

    Raises:
        DataError: the runtime cannot run the file, or its process died of it.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = {"format": format, "path": os.fspath(path), "threads": threads, "inputs": None}
        if inputs is not None:
            job["inputs"] = f"{folder}/inputs.npy"
            np.save(f"{folder}/inputs.npy", inputs)
        found = _answer(pathlib.Path(path), RUNTIMES[format], job)
    return Alone(tuple(found["seconds"]), found["peak_memory_bytes"])


def try_tflite(path: pathlib.Path, data: bytes) -> None:
    """Runs a TFLite file once, elsewhere: of a damaged one, LiteRT can crash its process.

    Raises:
        DataError: LiteRT cannot run it, or crashes.
    """
    _try_once(path, hashlib.sha256(data).digest())


@functools.lru_cache(maxsize=256)
def _try_once(path: pathlib.Path, digest: bytes) -> None:
    run_alone("tflite", path, None, threads=1)


def _answer(path: pathlib.Path, runtime: str, job: dict[str, Any]) -> dict[str, Any]:
    script = pathlib.Path(__file__).with_name("child.py")
    # It computes on the CPU, and finds the runtimes where this process finds them.
    paths = os.pathsep.join(place or os.getcwd() for place in sys.path)
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": paths}
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(script), json.dumps(job)],
            env=os.environ | quiet,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise DataError(path, f"{runtime} did not end within {TIMEOUT_S} s") from None
    if done.returncode == -signal.SIGKILL:
        raise DataError(path, f"{runtime} was killed while it ran it, as if memory had run out")
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise DataError(path, f"{runtime} crashes on it ({name}); the file is damaged")
    if done.returncode > 0:
        raise RuntimeError(f"the process that ran {path} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "error" in found:
        problem = found["error"].splitlines()[0]
        raise DataError(path, f"{runtime} cannot run it ({problem})")
    return found
