"""A class per pixel: the overlap of each class, and masks painted over their images."""

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from tfpipe.export.bundling.sections.results import Line, Results, Section, is_picture
from tfpipe.export.scoring.measures import IGNORED, class_of
from tfpipe.export.scoring.overlaps import ious, overlaps
from tfpipe.report import html_table, tiles

SPREAD = 8  # examples from the worst to the best
LEAVING = 4  # examples on which a file leaves the model
SIDE_PX = 320  # of a picture on the page
MOST_CLASSES = 30
FOUND = 0.5  # of intersection over union
# Of Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers, too.
COLOURS = ("e69f00", "56b4e9", "009e73", "f0e442", "0072b2", "d55e00", "cc79a7")

Picture = tuple[np.ndarray, list[Line]]  # and its caption


class Shown(NamedTuple):
    """An example with its masks: classes (H, W)."""

    name: str
    image: np.ndarray
    truth: np.ndarray
    given: Mapping[str, np.ndarray]


def mask_sections(results: Results, names: Sequence[str]) -> list[Section]:
    """The sections for `mask`."""
    columns = [map(str, overlaps(answers.rows)) for answers in results.answers.values()]
    rows = [[name, *cells] for name, *cells in zip(names, *columns, strict=True)]
    told = (
        "<p>Intersection over union (IoU) of each class, over the pixels of all images; in "
        "brackets its 95 % interval, by a bootstrap over the images.</p>\n"
    )
    table = ("Classes", told + html_table(["class", *results.answers], rows[:MOST_CLASSES]))
    spread, leaving = _worth_showing(results)
    seen = _seen(results, [*spread, *leaving])
    if not is_picture(seen[spread[0]].image):
        return [table]
    sections = [table, ("From the worst to the best", _spread(results, seen, spread, names))]
    if results.files:
        sections.append(("Where a file leaves the model", _leaving(seen, leaving, names)))
    return sections


def painted(image: np.ndarray, mask: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The image, uint8 (H, W, 3), with every class but 0 as a colour over it.

    A white line runs around what the label marks; what it ignores is dark.
    """
    grey = np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.float32)
    colours = np.array([list(bytes.fromhex(colour)) for colour in COLOURS], np.float32)
    over = 0.5 * grey + 0.5 * colours[(mask - 1) % len(COLOURS)]
    done = np.where((mask > 0)[..., None], over, grey)
    marked = np.maximum(truth, 0).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    done[cv2.dilate(marked, cross) != marked] = 255
    done[truth == IGNORED] *= 0.3
    return done.astype(np.uint8)


def _worth_showing(results: Results) -> tuple[list[int], list[int]]:
    """Places from the model's lowest mean IoU to its highest, and where files leave it most."""
    model, *files = results.answers.values()
    each = ious(model.rows)
    known = np.isfinite(each)
    means = np.where(known, each, 0).sum(1) / np.maximum(known.sum(1), 1)
    order = np.argsort(means, kind="stable")
    even = np.linspace(0, results.total - 1, min(SPREAD, results.total)).round().astype(int)
    differ = np.sum([np.zeros(results.total), *(1 - file.agreement for file in files)], axis=0)
    most = np.argsort(-differ, kind="stable")[:LEAVING]
    return order[even].tolist(), most[differ[most] > 0].tolist()


def _seen(results: Results, places: Sequence[int]) -> dict[int, Shown]:
    """Those examples again, one at a time, with what all say to them."""
    found = {}
    for place, (image, target) in results.examples(places).items():
        said = {who: class_of(results.run(who, image[None]))[0] for who in results.answers}
        given = {who: mask.astype(np.int64) for who, mask in said.items()}
        found[place] = Shown(results.name(place), image, target.reshape(image.shape[:2]), given)
    return found


def _spread(
    results: Results, seen: Mapping[int, Shown], places: Sequence[int], names: Sequence[str]
) -> str:
    pictures: list[Picture] = []
    for example in (seen[place] for place in places):
        who, mask = results.reference, example.given[results.reference]
        pictures.append((example.image, [(example.name, False)]))
        pictures.append(_labelled(example, names))
        pictures.append(_answered(who, mask, example, names))
    head = f"{len(places)} of {results.total:,} examples, evenly from the lowest mean IoU up."
    return f"<p>{_legend(names)}</p>\n<p>{head}</p>\n{_tiles(pictures, 6)}"


def _leaving(seen: Mapping[int, Shown], places: Sequence[int], names: Sequence[str]) -> str:
    if not places:
        return "<p>Nowhere: every pixel of every mask is the model's.</p>"
    pictures: list[Picture] = []
    for example in (seen[place] for place in places):
        image, caption = _labelled(example, names)
        pictures.append((image, [(example.name, False), *caption]))
        pictures += [_answered(*said, example, names) for said in example.given.items()]
    head = f"<p>The {len(places)} examples on which most pixels differ.</p>\n"
    return head + _tiles(pictures, len(pictures) // len(places))


def _legend(names: Sequence[str]) -> str:
    colours = [
        f'<span style="background: #{COLOURS[place % len(COLOURS)]}; padding: 0 .75em"></span> '
        f"{html.escape(name)}"
        for place, name in enumerate(names[1:MOST_CLASSES])
    ]
    return (
        f"{', '.join(colours)}; no colour: {html.escape(names[0])}. The white line runs around "
        "what the label marks; what it ignores is dark. Of each mask stands the IoU of its "
        f"classes; one below {FOUND} is marked."
    )


def _labelled(example: Shown, names: Sequence[str]) -> Picture:
    truth = example.truth
    counts = np.bincount(truth[truth > 0], minlength=len(names))
    lines: list[Line] = [
        (f"label: {names[place]}, {counts[place] / truth.size:.4f} of the pixels", False)
        for place in np.flatnonzero(counts).tolist()
    ]
    return painted(example.image, truth, truth), lines or [(f"label: {names[0]}", False)]


def _answered(who: str, mask: np.ndarray, example: Shown, names: Sequence[str]) -> Picture:
    """With the IoU of every class but 0 that is there or predicted."""
    known = example.truth != IGNORED
    given, truth = mask[known], example.truth[known]
    lines: list[Line] = [(who, False)]
    for place in sorted({*given.tolist(), *truth.tolist()} - {0}):
        both, either = (given == place) & (truth == place), (given == place) | (truth == place)
        iou = both.sum() / either.sum()
        lines.append((f"{names[place]}: {iou:.3f}", bool(iou < FOUND)))
    if len(lines) == 1:
        lines.append((f"{names[0]}, rightly", False))
    return painted(example.image, mask, example.truth), lines


def _tiles(pictures: Sequence[Picture], num_columns: int) -> str:
    images, captions = zip(*pictures, strict=True)
    return tiles(map(_small, images), captions, num_columns=num_columns)


def _small(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return resized.reshape(*size[::-1], picture.shape[2])
