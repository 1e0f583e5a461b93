"""How sure a score is, and a difference between two: a bootstrap over the examples.

Example:

    (low, high), (lost,) = intervals(task, reference_rows, [file_rows], seed=0)
"""

from collections.abc import Iterator, Sequence

import numpy as np

from tfpipe.export.scoring.measures import known_mean
from tfpipe.export.scoring.scores import Task

RESAMPLES = 1000
_AT_ONCE = 50  # resamples in memory


Interval = tuple[float, float]


def intervals(
    task: Task, expected: np.ndarray, found: Sequence[np.ndarray], *, seed: int
) -> tuple[Interval, list[Interval]]:
    """The middle 95 % over 1,000 resamples of the examples: of the score, and of what files lose.

    A resample draws as many examples as there are, with replacement; the reference and the files
    are scored on the same ones. Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
    chapter 13, the percentile interval. A resample on which there is no score says nothing. Where
    a file answers every example as the reference does, the interval has no width; that tells of
    these examples only.

    Where the score is a mean over labels or classes, resamples lack the rare ones, and the mean of
    the others lies elsewhere: what that moves the scores by, in the mean over all resamples, is
    taken off. To draw so that none is lacking would make intervals too narrow: in every resample
    a label with one positive has that one.

    Args:
        task: how the rows are scored.
        expected: the reference's rows (N, K).
        found: each file's rows.
        seed: of the resamples.

    Returns:
        The interval of the reference's score, and of each file's score lost.
    """
    files = (expected, *found)
    parts = np.concatenate(
        [_parts(task, files, counts) for counts in samples(len(expected), seed)], axis=-1
    )
    scores = known_mean(parts)
    if task.parts is not None:
        whole = _parts(task, files, np.ones((1, len(expected))))
        scores = np.clip(scores - _lean(parts, whole), 0, 1)
    drawn = np.concatenate([scores[:1], scores[0] - scores[1:]])
    ends = np.nanquantile(drawn, (0.025, 0.975), axis=1)
    own, *lost = [(float(low), float(high)) for low, high in ends.T]
    return own, lost


def _parts(task: Task, files: Sequence[np.ndarray], counts: np.ndarray) -> np.ndarray:
    """What each file's scores are the mean of, on each resample: (P, files, R)."""
    of = task.parts or (lambda rows, counts: task.score(rows, counts)[None])
    return np.stack([of(rows, counts) for rows in files], axis=1)


def _lean(parts: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """How far each file's mean moves, on average, by what resamples lack: (files, 1).

    Args:
        parts: (P, files, R), nan where a resample lacks one.
        whole: (P, files, 1), those of all examples.
    """
    there = np.where(np.isnan(parts), np.nan, whole)
    return np.nanmean(known_mean(there) - known_mean(whole), axis=1, keepdims=True)


def samples(number: int, seed: int) -> Iterator[np.ndarray]:
    """How often each example is drawn, float64 (50, number) at a time."""
    generator = np.random.default_rng(seed)
    for _ in range(RESAMPLES // _AT_ONCE):
        drawn = generator.integers(0, number, (_AT_ONCE, number))
        places = drawn + number * np.arange(_AT_ONCE)[:, None]
        counts = np.bincount(places.ravel(), minlength=_AT_ONCE * number)
        yield counts.reshape(_AT_ONCE, number).astype(np.float64)
