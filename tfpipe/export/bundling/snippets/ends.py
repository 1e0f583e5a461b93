"""What every program says: the file's name, its ends, and how scores are shown.

Example:

    text = filled("text.py", {**words(file, ends(file)), **how_shown("label", both.gives)})
"""

import pathlib
import string
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tfpipe.export.writing.graph import input_name
from tfpipe.models.detections import IOU, SCORE

TEMPLATES = pathlib.Path(__file__).parents[1] / "templates"
_THRESHOLDS = {"score": f"{SCORE:g}", "iou": f"{IOU:g}"}


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its $names replaced."""
    text = (TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(values)


_LABELS = {
    "labels": " and labels.txt belong",
    "python_labels": (
        'LABELS = (HERE / "labels.txt").read_text(encoding="utf-8")'
        '.removesuffix("\\n").split("\\n")\n'
    ),
    "kotlin_labels": (
        '    private val labels = context.assets.open("labels.txt").bufferedReader().readLines()\n'
    ),
    "swift_labels": "    private let labels: [String]\n",
    "swift_read": """\
        let names = bundle.path(forResource: "labels", ofType: "txt")!
        let text = try String(contentsOfFile: names, encoding: .utf8)
        labels = text.split(separator: "\\n").map(String.init)
""",
}
_BEST = {
    **_LABELS,
    "kotlin_type": "Pair<String, Float>",
    "kotlin_shown": "scores.indices.maxBy { scores[it] }.let { labels[it] to scores[it] }",
    "swift_type": "(label: String, score: Float)",
    "swift_shown": "zip(labels, scores).max { $0.1 < $1.1 }!",
    "shown": """\
for place in np.argsort(-scores)[:3]:
    print(f"{LABELS[place]}: {scores[place]:.4f}")""",
}
_EACH = {
    **_LABELS,
    "kotlin_type": "List<Pair<String, Float>>",
    "kotlin_shown": "labels.zip(scores.toList())",
    "swift_type": "[(label: String, score: Float)]",
    "swift_shown": "zip(labels, scores).map { (label: $0, score: $1) }",
    "shown": """\
for label, score in zip(LABELS, scores, strict=True):
    print(f"{label}: {score:.4f}")""",
}
_FOUND = {
    **_LABELS,
    "kotlin_type": "List<Pair<String, List<Float>>>",
    "kotlin_shown": "found(scores)",
    "kotlin_more": filled("found/found.kt", _THRESHOLDS),
    "swift_type": "[(label: String, score: Float, box: [Float])]",
    "swift_shown": "found(scores)",
    "swift_more": filled("found/found.swift", _THRESHOLDS),
    "shown": filled("found/found.py", _THRESHOLDS),
}
_PLAIN = {
    **dict.fromkeys(_LABELS, ""),
    "labels": " belongs",
    "kotlin_type": "FloatArray",
    "kotlin_shown": "scores",
    "swift_type": "[Float]",
    "swift_shown": "scores",
    "shown": "print(scores)",
}
_MASK = {
    **_LABELS,
    "kotlin_type": "IntArray",
    "kotlin_shown": "IntArray(scores.size / labels.size) { i -> // the class of each pixel\n"
    "            labels.indices.maxBy { scores[i * labels.size + it] }\n"
    "        }",
    "swift_type": "[Int]",
    "swift_shown": "stride(from: 0, to: scores.count, by: labels.count).map { i in"
    " // the class of each pixel\n"
    "            labels.indices.max { scores[i + $0] < scores[i + $1] }!\n"
    "        }",
    "shown": """\
classes = scores.argmax(-1)  # of each pixel
for place, label in enumerate(LABELS):
    print(f"{label}: {np.mean(classes == place):.4f} of the pixels")""",
}
_ONE_MASK = {
    **_PLAIN,
    "kotlin_type": "IntArray",
    "kotlin_shown": "IntArray(scores.size) { if (scores[it] > 0.5f) 1 else 0 } // of each pixel",
    "swift_type": "[Int]",
    "swift_shown": "scores.map { $0 > 0.5 ? 1 : 0 } // of each pixel",
    "shown": """\
classes = scores[..., 0] > 0.5  # of each pixel
print(f"{np.mean(classes):.4f} of the pixels are of class 1")""",
}
_TASKS: Mapping[str, Mapping[str, str]] = {
    "label": _BEST,
    "labels": _EACH,
    "boxes": _FOUND,
    "mask": _MASK,
}
_TASKS_OF_ONE_SCORE: Mapping[str, Mapping[str, str]] = {"mask": _ONE_MASK}


class Ends(NamedTuple):
    """What LiteRT tells of the file's input and of its output."""

    takes: Mapping[str, Any]
    gives: Mapping[str, Any]


def ends(file: pathlib.Path) -> Ends:
    """The ends of a TFLite file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    return Ends(interpreter.get_input_details()[0], interpreter.get_output_details()[0])


def taken_by(takes: Mapping[str, Any]) -> str:
    """What goes in: "images", "sequences", "tokens" or "features"."""
    return input_name(takes["shape"].tolist(), np.dtype(takes["dtype"]).name)


def words(file: pathlib.Path, both: Ends) -> dict[str, str]:
    """What the templates of all kinds have in common."""
    return {
        "file": file.name,
        "stem": file.stem,
        "takes": described(both.takes),
        "gives": described(both.gives),
    }


def how_shown(task: str, gives: Mapping[str, Any]) -> Mapping[str, str]:
    """The lines that show scores; a single score, of two classes, is shown as it is, but of
    masks there are too many to look at."""
    one_score = gives["shape"].tolist()[-1] == 1
    return (_TASKS_OF_ONE_SCORE if one_score else _TASKS).get(task, _PLAIN)


def described(end: Mapping[str, Any]) -> str:
    """For instance "uint8 (1, 32, 32, 1), scale 1, zero point 0"."""
    shape = ", ".join(map(str, end["shape"].tolist()))
    scale, zero_point = end["quantization"]
    quantised = f", scale {scale:g}, zero point {zero_point}" if scale else ""
    return f"{np.dtype(end['dtype']).name} ({shape}){quantised}"
