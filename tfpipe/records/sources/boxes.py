"""Boxes of one image, checked: what the readers of VOC and YOLO annotations share."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from tfpipe.records.sources.base import Example, Feature

TOLERANCE = 1e-5  # of the width or height: what numbers written with six decimals may be off


class Box(NamedTuple):
    """A box as its file has it.

    Args:
        number: its place in the file, from 1.
        name: its class.
        label: the number of its class.
        numbers: as they stand in the file, to be shown.
        edges: y1, x1, y2, x2 as fractions of the height and width; None if it has no area.
    """

    number: int
    name: str
    label: int
    numbers: Sequence[float]
    edges: tuple[float, float, float, float] | None


def box_features() -> dict[str, Feature]:
    """The features `boxes` and `classes`."""
    return {"boxes": Feature("boxes"), "classes": Feature("classes")}


def gather(boxes: Iterable[Box]) -> Example:
    """The values of `boxes` and `classes`; boxes without area are left out, others cut, noted.

    >>> example = gather([Box(1, "cat", 0, [10, 5, 30, 15], (0.5, 0.1, 1.5, 0.3))])
    >>> example["boxes"]
    array([[0.5, 0.1, 1. , 0.3]], dtype=float32)
    >>> example["notes"]
    ("box 1, 'cat', reaches beyond the image and is cut to it: [10, 5, 30, 15]",)
    """
    kept, classes, notes = [], [], []
    for box in boxes:
        edges = None if box.edges is None else np.clip(box.edges, 0, 1)
        problem = _problem(box, edges)
        if problem:
            numbers = ", ".join(f"{number:g}" for number in box.numbers)
            notes.append(f"box {box.number}, {box.name!r}, {problem}: [{numbers}]")
        if edges is not None and edges[0] < edges[2] and edges[1] < edges[3]:
            kept.append(edges)
            classes.append(box.label)
    return {
        "boxes": np.array(kept, np.float32).reshape(-1, 4),
        "classes": np.array(classes, np.int64),
        "notes": tuple(notes),
    }


def _problem(box: Box, edges: np.ndarray | None) -> str | None:
    if box.edges is None or edges is None:
        return "has no area"
    if not (edges[0] < edges[2] and edges[1] < edges[3]):
        return "lies outside the image"
    if np.abs(edges - box.edges).max() > TOLERANCE:
        return "reaches beyond the image and is cut to it"
    return None
