"""Reads one XML file of Pascal VOC.

Example:

    parse(pathlib.Path("Annotations/7.xml"), {"cat": 0, "dog": 1})["boxes"]
"""

import math
import pathlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping

from tfpipe.errors import one_of
from tfpipe.records.sources.base import Example, Refused
from tfpipe.records.sources.boxes import Box, gather

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def parse(path: pathlib.Path, index_of: Mapping[str, int], *, one_based: bool = True) -> Example:
    """What one XML file says: `boxes`, `classes`, `notes` and `size_px`.

    Args:
        path: the file.
        index_of: the number of each class.
        one_based: as for `voc_boxes`.

    Raises:
        Refused: the file is broken, has no size or a box no numbers, or a class is unknown.
    """
    root = _root(path)
    width, height = (_number(root, f"size/{side}") for side in ("width", "height"))
    if not (width >= 1 and height >= 1):
        raise Refused(f"its XML file states a size of {width:g}x{height:g} pixels")
    boxes = [
        _box(number, element, index_of, (width, height), int(one_based))
        for number, element in enumerate(root.iterfind("object"), start=1)
    ]
    return {**gather(boxes), "size_px": (int(height), int(width))}


def classes_in(path: pathlib.Path) -> set[str]:
    """The classes in a file; none if it is broken: it is refused, with the reason, when loaded."""
    try:
        names = {(name.text or "").strip() for name in _root(path).iterfind("object/name")}
    except Refused:
        return set()
    return names - {""}


def _box(
    number: int,
    element: ElementTree.Element,
    index_of: Mapping[str, int],
    size: tuple[float, float],
    first: int,
) -> Box:
    name = (element.findtext("name") or "").strip()
    if name not in index_of:
        raise Refused(f"object {number} of its XML file: {one_of('name', name, tuple(index_of))}")
    xmin, ymin, xmax, ymax = corners = [
        _number(element, f"bndbox/{corner}", number) for corner in CORNERS
    ]
    width, height = size
    edges = ((ymin - first) / height, (xmin - first) / width, ymax / height, xmax / width)
    has_area = xmin < xmax and ymin < ymax
    return Box(number, name, index_of[name], corners, edges if has_area else None)


def _number(element: ElementTree.Element, path: str, number: int | None = None) -> float:
    text = element.findtext(path)
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        place = "" if number is None else f"object {number} of "
        raise Refused(f"{place}its XML file has no number in {path}: {text!r}")
    return value


def _root(path: pathlib.Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Refused(f"its XML file is broken: {error}") from None
    except OSError as error:
        raise Refused(f"its XML file cannot be read: {error.strerror}") from None
