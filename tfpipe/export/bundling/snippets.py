"""Some twenty lines each of Python, Kotlin and Swift that use a bundle's TFLite file.

Example:

    for name, text in snippets(folder / "int8.tflite", prepare, task="label").items():
        write_text(folder / name, text)                # use.py, Use.kt, Use.swift

The templates beside this module are programs with $names. They follow LiteRT's interpreter for
Python, the CompiledModel of LiteRT 2.3 for Kotlin, and TensorFlowLiteSwift's Interpreter.
"""

import pathlib
import string
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfpipe.ops import Chain, Decode, Op, Resize

TEMPLATES = pathlib.Path(__file__).parent / "templates"
PROGRAMS = ("use.py", "Use.kt", "Use.swift")

# How a picture's pixels become the file's, by its channels.
_PIXELS: Mapping[int, Mapping[str, str]] = {
    1: {
        "mode": "L",
        "kotlin_pixel": "grey(argb[i])",
        "kotlin_helper": """
    private fun grey(rgb: Int): Int {
        val (red, green, blue) = listOf(16, 8, 0).map { rgb shr it and 255 }
        return (0.299 * red + 0.587 * green + 0.114 * blue + 0.5).toInt()
    }
""",
        "swift_space": "CGColorSpaceCreateDeviceGray()",
        "swift_info": "none",
        "swift_stride": "1",
        "swift_pixels": "drawn",
    },
    3: {
        "mode": "RGB",
        "kotlin_pixel": "(argb[i / 3] shr (16 - 8 * (i % 3)))",  # ARGB: R, then G, then B
        "kotlin_helper": "",
        "swift_space": "CGColorSpaceCreateDeviceRGB()",
        "swift_info": "noneSkipLast",
        "swift_stride": "4",
        "swift_pixels": "Data(drawn.enumerated().filter { $0.offset % 4 != 3 }.map(\\.element))",
    },
}
_BEST = {
    "kotlin_type": "Pair<String, Float>",
    "kotlin_shown": "scores.indices.maxBy { scores[it] }.let { labels[it] to scores[it] }",
    "swift_type": "(label: String, score: Float)",
    "swift_shown": "zip(labels, scores).max { $0.1 < $1.1 }!",
    "shown": """\
for place in np.argsort(-scores)[:3]:
    print(f"{LABELS[place]}: {scores[place]:.4f}")""",
}
_EACH = {
    "kotlin_type": "List<Pair<String, Float>>",
    "kotlin_shown": "labels.zip(scores.toList())",
    "swift_type": "[(label: String, score: Float)]",
    "swift_shown": "zip(labels, scores).map { (label: $0, score: $1) }",
    "shown": """\
for label, score in zip(LABELS, scores, strict=True):
    print(f"{label}: {score:.4f}")""",
}
_PLAIN = {
    "kotlin_type": "FloatArray",
    "kotlin_shown": "scores",
    "swift_type": "[Float]",
    "swift_shown": "scores",
    "shown": "print(scores)",
}
_TASKS: Mapping[str, Mapping[str, str]] = {"label": _BEST, "labels": _EACH}


def snippets(file: pathlib.Path, prepare: Chain, *, task: str) -> dict[str, str]:
    """The programs by their file names.

    Args:
        file: a TFLite file.
        prepare: the chain: what it does before the file is in the programs, or named there.
        task: the target's name: "label", "labels" or another, whose scores are shown as they are.

    Returns:
        The texts; none where the file takes no pictures as uint8 (1, H, W, 1 or 3).
    """
    takes, gives = _ends(file)
    shape = takes["shape"].tolist()
    if len(shape) != 4 or shape[-1] not in _PIXELS or takes["dtype"] != np.uint8:
        return {}
    one_score = gives["shape"].tolist()[-1] == 1  # of two classes
    words = {
        "file": file.name,
        "stem": file.stem,
        **dict(zip(("height", "width", "channels"), map(str, shape[1:]), strict=True)),
        "takes": _described(takes),
        "gives": _described(gives),
        "resized": "\n".join(_step(op) for op in prepare.outside().ops if type(op) is not Decode),
        **_PIXELS[shape[-1]],
        **(_PLAIN if one_score else _TASKS.get(task, _PLAIN)),
    }
    texts = {name: (TEMPLATES / f"{name}.txt").read_text(encoding="utf-8") for name in PROGRAMS}
    return {name: string.Template(text).substitute(words) for name, text in texts.items()}


def _ends(file: pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    return interpreter.get_input_details()[0], interpreter.get_output_details()[0]


def _described(end: Mapping[str, Any]) -> str:
    """For instance "uint8 (1, 32, 32, 1), scale 1, zero point 0"."""
    shape = ", ".join(map(str, end["shape"].tolist()))
    scale, zero_point = end["quantization"]
    quantised = f", scale {scale:g}, zero point {zero_point}" if scale else ""
    return f"{np.dtype(end['dtype']).name} ({shape}){quantised}"


def _step(op: Op) -> str:
    """The op in Pillow, whose filters average when a picture shrinks; or a line that names it."""
    if not isinstance(op, Resize) or (op.method == "bilinear" and not op.antialias):
        return f"# Here belongs what training did: {op!r}"
    size, kind = f"({op.size[1]}, {op.size[0]})", "BOX" if op.method == "area" else "BILINEAR"
    if op.letterbox:
        return f'picture = ImageOps.pad(picture, {size}, Image.Resampling.{kind}, color="black")'
    return f"picture = picture.resize({size}, Image.Resampling.{kind})"
