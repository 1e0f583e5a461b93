"""Boxes: the average precision of each class, and what was found, what is false, what was missed.

Example:

    sections = box_sections(results, ["red cell", "white cell"])
"""

import html
import math
from collections.abc import Sequence

import cv2
import numpy as np

from tfpipe.export.bundling.sections.results import Line, Results, Section, is_picture
from tfpipe.export.scoring.boxes import average_precisions, found, matches, num_boxes, num_wrong
from tfpipe.models.detections import SCORE
from tfpipe.report import html_table, tiles

MOST_SHOWN = 6
MOST_CLASSES = 30
SIDE_PX = 400  # about that long is a drawing's longer side
# Of Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers, too.
COLOURS = (
    (230, 159, 0),
    (0, 114, 178),
    (0, 158, 115),
    (213, 94, 0),
    (204, 121, 167),
    (86, 180, 233),
    (240, 228, 66),
)
RIGHT, FALSE, MISSED = "right", "false", "missed"


def box_sections(results: Results, names: Sequence[str]) -> list[Section]:
    """The sections for `boxes`."""
    drawings = _drawings(results, names)
    shown = [("Boxes that differ most", drawings)] if drawings else []
    return [("Classes", _precisions(results, names)), *shown]


def _precisions(results: Results, names: Sequence[str]) -> str:
    """For an overlap of a half, and for the mean of ten: a row for each class, and their mean."""
    parts = np.stack(
        [
            average_precisions(answers.rows, np.ones((1, results.total)))[0]
            for answers in results.answers.values()
        ]
    )
    counts = num_boxes(results.answers[results.reference].rows).tolist()
    tables = []
    for heading, each in (("AP@50", parts[:, 0]), ("AP@50-95", parts.mean(1))):
        rows: list[list[str | float]] = [
            [name, count, *(f"{number:.4f}" for number in numbers)]
            for name, count, numbers in zip(names, counts, each.T, strict=True)
        ]
        mean = [f"{number:.4f}" for number in np.nanmean(each, axis=1)]
        rows = [*rows[:MOST_CLASSES], ["mean", sum(counts), *mean]]
        table = html_table(["class", "boxes", *results.answers], rows)
        tables.append(f"<h3>{heading}</h3>\n{table}")
    head = "<p>COCO's average precision, on pycocotools' matches; nan: there is no such box.</p>"
    return "\n".join([head, *tables])


def _drawings(results: Results, names: Sequence[str]) -> str:
    """Those on which files differ most from the model, or it from what is right."""
    wrong = num_wrong(results.answers[results.reference].rows)
    differ = [1 - results.answers[file].agreement for file in results.files]
    shares = np.mean([*differ, np.zeros_like(wrong)], axis=0)
    places = np.lexsort((-wrong, -shares))[:MOST_SHOWN].tolist()
    examples = results.examples(places)
    if not is_picture(examples[places[0]][0]):
        return ""
    images = np.stack([examples[place][0] for place in places])
    given = {who: found(results.run(who, images)) for who in results.answers}
    pictures, captions = [], []
    for number, place in enumerate(places):
        image, truths = examples[place]
        truths = truths[truths[:, 4] >= 0]
        pictures.append(drawn(image, [(box, RIGHT) for box in truths]))
        captions.append([(f"{results.name(place)}: label, {len(truths)} boxes", False)])
        for who, boxes in given.items():
            marked = compared(boxes[number], truths)
            pictures.append(drawn(image, marked))
            captions.append([_in_words(who, [kind for _, kind in marked])])
    return f"{_legend(names)}\n{tiles(pictures, captions, num_columns=1 + len(given))}"


def compared(given: np.ndarray, truths: np.ndarray) -> list[tuple[np.ndarray, str]]:
    """Every detection as right or false, and every box that none of them finds as missed.

    Args:
        given: (M, 6) of `models.detections`, of one image.
        truths: (N, 5).
    """
    places = matches(given[None], truths[None])[0, :, 0]
    told = [
        (row, RIGHT if place >= 0 else FALSE)
        for row, place in zip(given, places, strict=True)
        if row[4] >= 0
    ]
    missed = set(range(len(truths))) - set(places.tolist())
    return told + [(truths[place], MISSED) for place in sorted(missed)]


def drawn(image: np.ndarray, marked: Sequence[tuple[np.ndarray, str]]) -> np.ndarray:
    """The image with boxes on it: right ones whole, false ones crossed, missed ones dotted.

    Args:
        image: uint8 (H, W, 1 or 3).
        marked: boxes y1, x1, y2, x2, class, ..., and what each is.

    Returns:
        uint8 (h, w, 3), enlarged or made smaller to about 400 pixels.
    """
    picture = _sized(np.broadcast_to(image, (*image.shape[:2], 3)))
    height, width = picture.shape[:2]
    dots = (np.indices((height, width)).sum(0) // 4 % 2 == 0)[..., None]
    for (y1, x1, y2, x2, label, *_), kind in marked:
        corners = np.rint(np.array([x1, y1, x2, y2]) * [width, height, width, height]).astype(int)
        left, top, right, bottom = (int(edge) for edge in corners - [0, 0, 1, 1])
        over = picture.copy()
        colour = COLOURS[int(label) % len(COLOURS)]
        cv2.rectangle(over, (left, top), (right, bottom), colour, 2)
        if kind == FALSE:
            cv2.line(over, (left, top), (right, bottom), colour, 1)
            cv2.line(over, (left, bottom), (right, top), colour, 1)
        picture = np.where(dots | (kind != MISSED), over, picture)
    return picture


def _sized(image: np.ndarray) -> np.ndarray:
    side = max(image.shape[:2])
    if side <= SIDE_PX:  # whole pixels, as squares
        times = math.ceil(0.75 * SIDE_PX / side)
        return image.repeat(times, 0).repeat(times, 1)
    size = (max(1, image.shape[1] * SIDE_PX // side), max(1, image.shape[0] * SIDE_PX // side))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _in_words(who: str, kinds: Sequence[str]) -> Line:
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in (RIGHT, FALSE, MISSED))
    return f"{who}: {counts}", False


def _legend(names: Sequence[str]) -> str:
    squares = [
        f'<span style="color:rgb{colour}">&#9632;</span> {html.escape(name)}'
        for name, colour in zip(names, COLOURS * math.ceil(len(names) / len(COLOURS)), strict=False)
    ]
    return (
        f"<p>{' &nbsp; '.join(squares[:MOST_CLASSES])}</p>\n<p>Boxes with a score above {SCORE}: "
        "whole lines are right (they overlap one of the label's by at least a half), crossed ones "
        "are false, dotted ones were missed.</p>"
    )
