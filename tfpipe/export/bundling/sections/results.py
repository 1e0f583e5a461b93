"""What was asked, what is right, and what each file answered; and how examples are shown.

Example:

    examples = results.examples(places)
    shown(results, examples, places, lambda place: [("label: 7", False)])
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfpipe.export.scoring.running import Answers
from tfpipe.report import html_table, quotes, tiles, traces
from tfpipe.tokens import text_of

MOST_SHOWN = 24

Section = tuple[str, str]
Line = tuple[str, bool]  # a text, and whether it says something wrong
Example = tuple[Any, np.ndarray]  # its input, an array or a text in UTF-8, and its targets


def same(numbers: np.ndarray) -> np.ndarray:
    """The numbers as they are."""
    return numbers


class Results(NamedTuple):
    """What the model and every file answered to a whole split.

    Args:
        answers: by name; the reference's come first.
        data: batches of (inputs, targets), in the order of the answers.
        run: from a name and some inputs to scores, for what the answers do not keep.
        restored: from targets, and forecasts of them, to the units of the data.
        ids: of the examples, in the order of the answers; they need not be known.
    """

    answers: Mapping[str, Answers]
    data: tf.data.Dataset
    run: Callable[[str, np.ndarray], np.ndarray]
    restored: Callable[[np.ndarray], np.ndarray] = same
    ids: Sequence[str] = ()

    @property
    def reference(self) -> str:
        """The name of what the files are compared with."""
        return next(iter(self.answers))

    @property
    def files(self) -> list[str]:
        """The names of the others."""
        return list(self.answers)[1:]

    @property
    def total(self) -> int:
        """How many examples there are."""
        return len(self.answers[self.reference].rows)

    @property
    def targets(self) -> np.ndarray:
        """What is right, (N, ...); of masks there is none."""
        return np.asarray(self.answers[self.reference].targets)

    @property
    def given(self) -> dict[str, np.ndarray]:
        """What was answered, by name, (N, ...); of masks there is none."""
        return {who: np.asarray(answers.answers) for who, answers in self.answers.items()}

    @property
    def label_scores(self) -> dict[str, np.ndarray]:
        """Of several labels the scores, by name, (N, labels): the task keeps them in its rows."""
        return {who: np.split(a.rows, 2, axis=1)[0] for who, a in self.answers.items()}

    def name(self, place: int) -> str:
        """What a person calls an example: its id, a file's name where it was a file."""
        return self.ids[place] if self.ids else f"example {place}"

    def examples(self, places: Iterable[int]) -> dict[int, Example]:
        """The examples at these places, read again; no other is kept."""
        wanted, found, first = {int(place) for place in places}, {}, 0
        for inputs, targets in self.data.as_numpy_iterator() if wanted else ():
            for place in wanted.intersection(range(first, first + len(inputs))):
                found[place] = inputs[place - first], targets[place - first]
            first += len(inputs)
            if first > max(wanted):
                break
        return found


def where_any(differs: Iterable[np.ndarray], total: int) -> np.ndarray:
    """The places where any of these bool (N,) is true.

    >>> where_any([np.array([True, False, False]), np.array([False, False, True])], 3)
    array([0, 2])
    """
    return np.flatnonzero(np.logical_or.reduce([*differs, np.zeros(total, bool)]))


def shown(
    results: Results,
    examples: Mapping[int, Example],
    places: np.ndarray,
    lines: Callable[[int], list[Line]],
) -> str:
    """Some examples with what is said of them and their names, and how many of all they are.

    Pictures are shown as pictures, texts as texts, sequences as lines over time.

    Args:
        results: see there.
        examples: those that are shown, by their places.
        places: which are meant; the first 24 are shown.
        lines: from a place to what is said of its example.
    """
    total = results.total
    if not len(places):
        return f"<p>None of {total:,} examples.</p>"
    more = f"; the first {MOST_SHOWN} are shown" if len(places) > MOST_SHOWN else ""
    count = f"<p>{len(places):,} of {total:,} examples{more}.</p>\n"
    first = places[:MOST_SHOWN].tolist()
    inputs = [examples[place][0] for place in first]
    said = [[*lines(place), (results.name(place), False)] for place in first]
    texts = [text_of(each) for each in inputs if isinstance(each, bytes)]
    if texts:
        return count + quotes(texts, said)
    if is_picture(inputs[0]):
        return count + tiles(inputs, said)
    if inputs[0].ndim == 2 and inputs[0].dtype.kind == "f":
        return count + traces(inputs, said)
    rows: list[list[str | float]] = [
        [results.name(place), "; ".join(text for text, _ in lines(place))] for place in first
    ]
    return count + html_table(["example", "answers"], rows)


def is_picture(example: np.ndarray) -> bool:
    """Whether a person can look at it: uint8 (H, W, 1 or 3).

    >>> is_picture(np.zeros((8, 8, 1), np.uint8)), is_picture(np.zeros((8,), np.int32))
    (True, False)
    """
    return example.dtype == np.uint8 and example.ndim == 3 and example.shape[-1] in (1, 3)
