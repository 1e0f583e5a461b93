"""What was asked, what is right, and what each file answered; and how examples are shown.

Example:

    shown(results.inputs, places, lines)        # pictures with their captions, or a table
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfpipe.export.scoring.measures import class_of
from tfpipe.report import html_table, tiles

MOST_SHOWN = 24

Section = tuple[str, str]
Line = tuple[str, bool]  # a text, and whether it says something wrong


class Results(NamedTuple):
    """Inputs (N, ...), targets (N, ...) as `records.read` gives them, scores by name.

    The reference comes first; scores are float32 (N, ...), of masks uint8 (N, H, W): the classes,
    which take less memory.
    """

    inputs: np.ndarray
    targets: np.ndarray
    scores: Mapping[str, np.ndarray]

    @property
    def reference(self) -> str:
        """The name of what the files are compared with."""
        return next(iter(self.scores))

    @property
    def files(self) -> list[str]:
        """The names of the others."""
        return list(self.scores)[1:]


def chosen(scores: np.ndarray) -> np.ndarray:
    """The class that scores (N, ..., C) name; of a single score, whether it is above a half.

    >>> chosen(np.array([[0.2, 0.8]])), chosen(np.array([[0.2], [0.7]]))
    (array([1]), array([0, 1]))
    """
    return class_of(scores).astype(np.int64)


def shown(inputs: np.ndarray, places: np.ndarray, lines: Sequence[Sequence[Line]]) -> str:
    """Some examples with what is said of them, and how many of all they are.

    Args:
        inputs: all of them.
        places: which are meant; the first 24 are shown.
        lines: what is said of those that are shown.
    """
    more = f"; the first {MOST_SHOWN} are shown" if len(places) > MOST_SHOWN else ""
    count = f"<p>{len(places):,} of {len(inputs):,} examples{more}.</p>\n"
    first = places[:MOST_SHOWN]
    if are_pictures(inputs):
        return count + tiles(inputs[first], lines)
    rows: list[list[str | float]] = [
        [int(place), "; ".join(text for text, _ in said)]
        for place, said in zip(first, lines, strict=True)
    ]
    return count + html_table(["example", "answers"], rows)


def are_pictures(inputs: np.ndarray) -> bool:
    """Whether a person can look at them: uint8 (N, H, W, 1 or 3).

    >>> are_pictures(np.zeros((1, 8, 8, 1), np.uint8)), are_pictures(np.zeros((1, 8), np.int32))
    (True, False)
    """
    return inputs.dtype == np.uint8 and inputs.ndim == 4 and inputs.shape[-1] in (1, 3)
