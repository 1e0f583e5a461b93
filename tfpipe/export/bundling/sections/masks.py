"""A class per pixel: the overlap of each class, and the masks that differ most, as overlays."""

from collections.abc import Sequence

import numpy as np

from tfpipe.export.bundling.sections.results import Line, Results, Section, is_picture
from tfpipe.export.scoring.measures import class_of
from tfpipe.report import html_table, tiles

MOST_SHOWN = 8
MOST_CLASSES = 30
# Of Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers, too.
COLOURS = np.array(
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0)],
    np.float32,
)


def mask_sections(results: Results, names: Sequence[str]) -> list[Section]:
    """The sections for `mask`."""
    given = {who: overlaps(answers.rows) for who, answers in results.answers.items()}
    rows = [
        [name, *(f"{found[place]:.4f}" for found in given.values())]
        for place, name in enumerate(names[:MOST_CLASSES])
    ]
    table = html_table(["class", *given], rows)
    head = "<p>Intersection over union of each class, over all pixels.</p>\n"
    overlays = _overlays(results)
    return [
        ("Classes", head + table),
        *([("Masks that differ most", overlays)] if overlays else []),
    ]


def overlaps(rows: np.ndarray) -> np.ndarray:
    """Intersection over union of each class; nan where it occurs in neither.

    Args:
        rows: (N, 2 * classes), what `measures.overlap_rows` keeps: the pixels of each class that
            are in both masks, then those in either.

    >>> overlaps(np.array([[4.0, 1.0, 0.0, 5.0, 2.0, 0.0]]))
    array([0.8, 0.5, nan])
    """
    both, either = np.split(rows.sum(0), 2)
    return np.divide(both, either, out=np.full_like(both, np.nan), where=either > 0)


def _overlays(results: Results) -> str:
    """The masks on which the files differ most from the model, or it from what is right."""
    first = results.answers[results.reference]
    both, either = (part.sum(1) for part in np.split(first.rows, 2, axis=1))
    wrong = 1 - 2 * both / (both + either)  # a pixel that is wrong is in two classes' unions
    differ = [1 - results.answers[file].agreement for file in results.files]
    shares = np.mean([*differ, np.zeros_like(wrong)], axis=0)
    places = np.lexsort((-wrong, -shares))[:MOST_SHOWN].tolist()
    examples = results.examples(places)
    if not is_picture(examples[places[0]][0]):
        return ""
    images = np.stack([examples[place][0] for place in places])
    masks = {who: class_of(results.run(who, images)).astype(np.int64) for who in results.answers}
    pictures, captions = [], []
    for number, place in enumerate(places):
        truth = examples[place][1].reshape(images.shape[1:3])
        pictures.append(painted(images[number], truth))
        captions.append([(f"example {place}: label", False)])
        for who, mask in masks.items():
            pictures.append(painted(images[number], mask[number]))
            share = np.mean(mask[number] == truth)
            line: Line = (f"{who}: {share:.3f} of its pixels right", False)
            captions.append([line])
    return tiles(pictures, captions)


def painted(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image with every class but 0 as a colour over it: uint8 (H, W, 3)."""
    grey = np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.float32)
    colour = COLOURS[(mask - 1) % len(COLOURS)]
    return np.where((mask > 0)[..., None], 0.5 * grey + 0.5 * colour, grey).astype(np.uint8)
