"""Programs that run a file on a picture.

Example:

    picture_programs(file, ends(file), prepare, "label")["use.py"]
"""

import pathlib
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

from tfpipe.export.bundling.snippets.ends import Ends, filled, how_shown, words
from tfpipe.ops import CenterCrop, Chain, Decode, Op, Resize

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


_AVERAGE = "Android does not average when it shrinks: halve a large picture step by step before."
_MORE = {"kotlin_more": "", "swift_more": ""}  # functions that show what is found


def picture_programs(file: pathlib.Path, both: Ends, prepare: Chain, task: str) -> dict[str, str]:
    """`use.py`, `Use.kt` and `Use.swift`; none where no pixels as uint8 go in."""
    shape = both.takes["shape"].tolist()
    if shape[-1] not in _PIXELS or both.takes["dtype"] != np.uint8:
        return {}
    steps = [op for op in prepare.outside().ops if type(op) is not Decode]
    values = {
        **words(file, both),
        **dict(zip(("height", "width", "channels"), map(str, shape[1:]), strict=True)),
        "resized": "\n".join(map(_step, steps)),
        "kotlin_average": _comment([_AVERAGE] if all(map(_averages, steps)) else []),
        "more_steps": _more(steps),
        **_PIXELS[shape[-1]],
        **_MORE,
        **how_shown(task, both.gives),
    }
    names = ("use.py", "Use.kt", "Use.swift")
    return {name: filled(f"picture/{name}", values) for name in names}


def _more(steps: Sequence[Op]) -> str:
    """A comment for Kotlin and Swift, which stretch the picture, where training did otherwise."""
    stretched = all(type(op) is Resize and not op.letterbox for op in steps)
    if stretched and all(map(_averages, steps)):
        return ""
    lines = [] if stretched else ["This only stretches the picture: not as in training."]
    lines += textwrap.wrap(f"Training did: {', '.join(map(repr, steps))}. Do the same.", 86)
    return _comment(lines)


def _comment(lines: Sequence[str]) -> str:
    return "".join(f"        // {line}\n" for line in lines)


def _averages(op: Op) -> bool:
    """Whether no pixel is skipped where the picture gets smaller."""
    return not isinstance(op, Resize) or op.method == "area" or op.antialias


def _step(op: Op) -> str:
    """The op in Pillow, whose filters average when a picture shrinks; or a line that names it."""
    if isinstance(op, CenterCrop):
        height, width = op.size
        return (
            f"left, top = (picture.width - {width}) // 2, (picture.height - {height}) // 2\n"
            f"picture = picture.crop((left, top, left + {width}, top + {height}))"
        )
    if not isinstance(op, Resize) or not _averages(op):
        return f"# Here belongs what training did: {op!r}"
    size, kind = f"({op.size[1]}, {op.size[0]})", "BOX" if op.method == "area" else "BILINEAR"
    if op.letterbox:
        return f'picture = ImageOps.pad(picture, {size}, Image.Resampling.{kind}, color="black")'
    return f"picture = picture.resize({size}, Image.Resampling.{kind})"
