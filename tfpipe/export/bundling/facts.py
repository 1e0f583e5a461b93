"""What a report says beside its numbers: what was measured, on what machine, with what versions.

Example:

    facts(model, predictor, split="test", require={}, notes={})["measured"]["cores"]
"""

import datetime
import importlib.metadata
import pathlib
import platform
from collections.abc import Mapping
from typing import Any

import tfpipe
from tfpipe.backend import keras
from tfpipe.cores import num_cores
from tfpipe.export.reading.predictor import Predictor

PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "onnxruntime", "numpy")
CPU_INFO = pathlib.Path("/proc/cpuinfo")


def facts(
    model: keras.Model,
    reference: Predictor,
    *,
    split: str,
    require: Mapping[str, float],
    notes: Mapping[str, str | bytes],
) -> dict[str, Any]:
    """For the reference of a bundle's report; values that JSON can hold (of `notes`, the texts)."""
    shape = ", ".join(map(str, reference.input_shape))
    return {
        "takes": f"{reference.dtype} ({shape})",
        "num_parameters": int(model.count_params()),
        "split": split,
        "require": dict(require),
        "notes": {heading: note for heading, note in notes.items() if isinstance(note, str)},
        "measured": machine(),
    }


def machine() -> dict[str, Any]:
    """Date (UTC), processor, cores that may be used, system, and versions.

    >>> machine()["cores"] >= 1
    True
    """
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {
        "date": today,
        "processor": processor(),
        "cores": num_cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "tfpipe": tfpipe.__version__,
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }


def processor() -> str:
    """The processor's name, or its kind where the system does not tell."""
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
