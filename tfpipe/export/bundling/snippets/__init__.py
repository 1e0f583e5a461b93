"""Some twenty lines each of Python, Kotlin and Swift that use a bundle's TFLite file.

Example:

    for name, text in snippets(folder / "int8.tflite", prepare, task="label").items():
        write_text(folder / name, text)                # use.py, Use.kt, Use.swift

The templates beside this package are programs with $names. They follow LiteRT's interpreter for
Python, the CompiledModel of LiteRT 2.3 for Kotlin, and TensorFlowLiteSwift's Interpreter.
"""

import pathlib

from tfpipe.export.bundling.snippets.ends import ends, taken_by
from tfpipe.export.bundling.snippets.pictures import picture_programs
from tfpipe.export.bundling.snippets.series import series_programs
from tfpipe.export.bundling.snippets.texts import NO_PHONES, text_programs
from tfpipe.ops import Chain

__all__ = ["lacking", "snippets"]

_PROGRAMS = {"images": picture_programs, "tokens": text_programs, "sequences": series_programs}


def snippets(file: pathlib.Path, prepare: Chain, *, task: str) -> dict[str, str]:
    """The programs by their file names.

    Args:
        file: a TFLite file.
        prepare: the chain: what it does before the file is in the programs, or named there.
        task: the target's name: "label", "labels" or another, whose scores are shown as they are.

    Returns:
        The texts; none where the file takes something else than pictures as uint8
        (1, H, W, 1 or 3), the tokens of texts, or sequences of numbers.
    """
    both = ends(file)
    programs = _PROGRAMS.get(taken_by(both.takes))
    return programs(file, both, prepare, task) if programs else {}


def lacking(prepare: Chain) -> str:
    """Why there is no program for phones, in a sentence; "" where there is one, or none at all."""
    return NO_PHONES if prepare.ops and prepare.ops[0].on == "text" else ""
