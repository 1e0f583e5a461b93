"""Looks at an encoded mask before it becomes part of a record: its size, and its classes.

Example:

    look_at_mask(data, table).classes       # raises Refused with the reason
"""

from typing import NamedTuple

import numpy as np

from tfpipe.records.contents import content_of
from tfpipe.records.headers import pillows_pixels, read_with_pillow
from tfpipe.records.images import JPEG, MAX_PIXELS, Pixels, finish_look, pixels_of
from tfpipe.records.sources.base import Refused


class Mask(NamedTuple):
    """What a mask is: its size in pixels, and the classes that occur in it."""

    height: int
    width: int
    classes: tuple[int, ...]


def look_at_mask(data: bytes, table: tuple[int, ...], *, max_pixels: int = MAX_PIXELS) -> Mask:
    """Decodes a mask and checks that it is grey, upright, and of greys that all have a class.

    Colours are greys where red, green and blue are the same.

    Args:
        data: the encoded bytes.
        table: the class of each grey, or -1 to be ignored; -2 for a grey that must not occur.
        max_pixels: larger masks are refused.

    Raises:
        Refused: also for colours, also those of a palette, which are not the classes meant.
    """
    try:
        header = read_with_pillow(data, max_pixels)
        pixels = pixels_of(data, 1)
        facts = finish_look((data, header), content_of(pixels))
    except Refused as reason:
        raise Refused(f"the mask: {reason}") from None
    if header.mode not in ("1", "L"):
        _refuse_colours(data, header.mode, pixels)
    if facts.orientation > 1:
        raise Refused(f"the mask's EXIF orientation is {facts.orientation}; save it upright")
    greys = np.unique(pixels).tolist()
    unknown = [grey for grey in greys if table[grey] < -1]
    if unknown:
        blurred = "; a JPEG blurs them: pass a threshold" if header.format in JPEG else ""
        listed = ", ".join(map(str, unknown[:8]))
        raise Refused(f"the mask holds greys without a class: {listed}{blurred}")
    return Mask(facts.height, facts.width, tuple(sorted({table[grey] for grey in greys} - {-1})))


def _refuse_colours(data: bytes, mode: str, greys: Pixels) -> None:
    if (pillows_pixels(data, "RGB") == greys).all():
        return
    if mode == "P":
        raise Refused(
            "the mask has a palette of colours; save their numbers as greys, as "
            "`Image.fromarray(np.asarray(Image.open(file)))` of Pillow makes them"
        )
    raise Refused("the mask has colours; save its classes as grey values")
