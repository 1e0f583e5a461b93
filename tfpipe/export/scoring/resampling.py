"""How sure a score is, and a difference between two: a bootstrap over the examples.

Example:

    (low, high), (lost,) = intervals(task, reference_rows, [file_rows], seed=0)
"""

from collections.abc import Iterator, Sequence

import numpy as np

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

    Args:
        task: how the rows are scored.
        expected: the reference's rows (N, K).
        found: each file's rows.
        seed: of the resamples.

    Returns:
        The interval of the reference's score, and of each file's score lost.
    """
    drawn: list[np.ndarray] = []
    for counts in samples(len(expected), seed):
        score = task.score(expected, counts)
        drawn.append(np.stack([score, *(score - task.score(rows, counts) for rows in found)]))
    ends = np.nanquantile(np.concatenate(drawn, axis=1), (0.025, 0.975), axis=1)
    own, *lost = [(float(low), float(high)) for low, high in ends.T]
    return own, lost


def samples(number: int, seed: int) -> Iterator[np.ndarray]:
    """How often each example is drawn, float64 (50, number) at a time."""
    generator = np.random.default_rng(seed)
    for _ in range(RESAMPLES // _AT_ONCE):
        drawn = generator.integers(0, number, (_AT_ONCE, number))
        places = drawn + number * np.arange(_AT_ONCE)[:, None]
        counts = np.bincount(places.ravel(), minlength=_AT_ONCE * number)
        yield counts.reshape(_AT_ONCE, number).astype(np.float64)
