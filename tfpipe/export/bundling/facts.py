"""What a report says beside its numbers: what was measured, on what machine, with what versions.

Example:

    facts(model, manifest, predictor, split="test", require={}, notes={})["measured"]["cores"]
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
from tfpipe.export.reading.texts import TextPredictor
from tfpipe.export.scoring.resampling import RESAMPLES
from tfpipe.records import Manifest
from tfpipe.records.describe import rule_in_words
from tfpipe.runs import time_taken

PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "onnxruntime", "numpy")
CPU_INFO = pathlib.Path("/proc/cpuinfo")


def facts(
    model: keras.Model,
    manifest: Manifest,
    reference: Predictor,
    *,
    split: str,
    require: Mapping[str, float],
    notes: Mapping[str, str | bytes],
) -> dict[str, Any]:
    """For the reference of a bundle's report; values that JSON can hold (of `notes`, the texts)."""
    return {
        "takes": takes(reference),
        "num_parameters": int(model.count_params()),
        "split": split,
        "require": dict(require),
        "notes": {heading: note for heading, note in notes.items() if isinstance(note, str)},
        "measured": {
            "examples": f"the split {split!r}, {manifest.splits[split].num_examples:,}",
            "split": rule_in_words(manifest.rule),
            "intervals": f"95 %, by {RESAMPLES:,} bootstrap resamples of the examples, seed 0",
            **({"time of the job, so far": time_taken()} if time_taken() else {}),
            **machine(),
        },
    }


def takes(reference: Predictor) -> str:
    """What goes into a file, in words."""
    shape = ", ".join(map(str, reference.input_shape))
    if isinstance(reference, TextPredictor):
        return f"texts, as windows of {shape} tokens ({reference.dtype})"
    return f"{reference.dtype} ({shape})"


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
