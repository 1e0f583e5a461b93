"""A class per pixel: the overlap of each class, and the masks that differ most, as overlays."""

from collections.abc import Mapping, Sequence

import numpy as np

from tfpipe.export.bundling.sections.results import Line, Results, Section, are_pictures
from tfpipe.report import html_table, tiles

MOST_SHOWN = 8
MOST_CLASSES = 30
# Of Okabe and Ito, "Color Universal Design" (2008): told apart by colour-blind readers, too.
COLOURS = np.array(
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0)],
    np.float32,
)


def mask_sections(results: Results, names: Sequence[str]) -> list[Section]:
    """The sections for `mask`: targets (N, H, W, 1), and (N, H, W) instead of scores: classes."""
    truths, given = results.targets[..., 0], results.scores
    rows = [
        [name, *(f"{overlap(mask, truths, place):.4f}" for mask in given.values())]
        for place, name in enumerate(names[:MOST_CLASSES])
    ]
    table = html_table(["class", *given], rows)
    head = "<p>Intersection over union of each class, over all pixels.</p>\n"
    if not are_pictures(results.inputs):
        return [("Classes", head + table)]
    return [("Classes", head + table), ("Masks that differ most", _overlays(results, given))]


def overlap(mask: np.ndarray, truths: np.ndarray, place: int) -> float:
    """Intersection over union of one class; nan where it occurs in neither.

    Pixels with a negative true class are left out: they are what a loss ignores.

    >>> overlap(np.array([[1, 1, 0]]), np.array([[1, 0, -1]]), 1)
    0.5
    """
    known = truths >= 0
    ours, theirs = (mask == place) & known, truths == place
    union = (ours | theirs).sum()
    return float((ours & theirs).sum() / union) if union else float("nan")


def _overlays(results: Results, given: Mapping[str, np.ndarray]) -> str:
    model = given[results.reference]
    wrong = np.mean(model != results.targets[..., 0], axis=(1, 2))
    differ = [np.mean(given[file] != model, axis=(1, 2)) for file in results.files]
    shares = np.mean([*differ, np.zeros_like(wrong)], axis=0)
    pictures, captions = [], []
    for place in np.lexsort((-wrong, -shares))[:MOST_SHOWN]:
        image, truth = results.inputs[place], results.targets[place, ..., 0]
        pictures.append(painted(image, truth))
        captions.append([(f"example {place}: label", False)])
        for who, mask in given.items():
            pictures.append(painted(image, mask[place]))
            line: Line = (f"{who}: {np.mean(mask[place] == truth):.3f} of its pixels right", False)
            captions.append([line])
    return tiles(pictures, captions)


def painted(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image with every class but 0 as a colour over it: uint8 (H, W, 3)."""
    grey = np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.float32)
    colour = COLOURS[(mask - 1) % len(COLOURS)]
    return np.where((mask > 0)[..., None], 0.5 * grey + 0.5 * colour, grey).astype(np.uint8)
