"""Intersection over union of each class, and how sure it is.

Example:

    _, (answers,) = examine(from_keras(model, prepare), [], data)
    print(overlap_table(answers.rows, class_names))
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfpipe.errors import RequestError, received
from tfpipe.export.scoring.resampling import samples
from tfpipe.report import text_table

SEED = 0


class Overlap(NamedTuple):
    """Intersection over union of a class, and the ends of its 95 % interval; nan where it is
    neither in a mask nor predicted."""

    iou: float
    low: float
    high: float

    def __str__(self) -> str:
        return "-" if np.isnan(self.iou) else f"{self.iou:.4f} ({self.low:.3f} to {self.high:.3f})"


def overlaps(rows: np.ndarray) -> list[Overlap]:
    """Each class's overlap over all pixels; the interval is bootstrapped over the images.

    An image's pixels are not independent of each other: images are drawn, not pixels.

    Args:
        rows: what the task of masks keeps of each image, (N, 2 * num_classes): the `rows` of
            `Answers`.

    >>> [str(overlap) for overlap in overlaps(np.array([[3.0, 1, 4, 2]]))]
    ['0.7500 (0.750 to 0.750)', '0.5000 (0.500 to 0.500)']
    """
    drawn = np.concatenate([ious(counts @ rows) for counts in samples(len(rows), SEED)])
    (whole,) = ious(rows.sum(0, keepdims=True))
    nowhere = np.isnan(whole)
    ends = np.nanquantile(np.where(nowhere, 0, drawn), (0.025, 0.975), axis=0)
    low, high = np.where(nowhere, np.nan, ends)
    return [Overlap(*map(float, values)) for values in zip(whole, low, high, strict=True)]


def overlap_table(
    rows: np.ndarray,
    class_names: Sequence[str],
    groups: Sequence[str] | None = None,
) -> str:
    """The overlap of each class as a text table, over all images and over each group of them.

    Args:
        rows: as `overlaps` takes them.
        class_names: one name per class.
        groups: the group of each image, such as the kind of its defect; None for no groups.

    Raises:
        RequestError: there are more or fewer groups than rows, or names than classes.

    >>> rows = np.array([[3.0, 1, 4, 2], [5, 0, 5, 0]])
    >>> print(overlap_table(rows, ["free", "defect"], ["hole", "free"]))
          images  IoU of free              IoU of defect
    ----  ------  -----------------------  -----------------------
    all        2  0.8889 (0.750 to 1.000)  0.5000 (0.500 to 0.500)
    free       1  1.0000 (1.000 to 1.000)  -
    hole       1  0.7500 (0.750 to 0.750)  0.5000 (0.500 to 0.500)
    """
    if rows.ndim != 2 or rows.shape[1] != 2 * len(class_names):
        expected = f"`rows` of shape (N, {2 * len(class_names)}), for {len(class_names)} classes"
        raise RequestError(received(expected, shape=rows.shape))
    if groups is not None and len(groups) != len(rows):
        expected = f"`groups` to have an entry for each of the {len(rows)} rows"
        raise RequestError(received(expected, entries=len(groups)))
    parts: Mapping[str, np.ndarray] = {"all": rows}
    if groups is not None:
        of = np.array(groups)
        parts = {"all": rows, **{str(name): rows[of == name] for name in np.unique(of)}}
    lines = [[name, f"{len(part)}", *map(str, overlaps(part))] for name, part in parts.items()]
    return text_table(["", "images", *(f"IoU of {name}" for name in class_names)], lines)


def ious(rows: np.ndarray) -> np.ndarray:
    """From rows (N, 2 * num_classes) to each class's intersection over union, (N, num_classes);
    nan where it has no pixels."""
    both, either = np.split(rows, 2, axis=1)
    return np.divide(both, either, out=np.full_like(both, np.nan), where=either > 0)
