"""How sure a difference between two scores is: a paired bootstrap over the examples.

Example:

    ((low, high),) = lost_intervals(task, reference_rows, [file_rows], seed=0)
"""

from collections.abc import Iterator

import numpy as np

from tfpipe.export.scoring.scores import Task

RESAMPLES = 1000
_AT_ONCE = 50  # resamples in memory


def lost_intervals(
    task: Task, expected: np.ndarray, found: list[np.ndarray], *, seed: int
) -> list[tuple[float, float]]:
    """The middle 95 % of the score lost over 1,000 resamples of the examples, for each file.

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
    """
    if not found:
        return []
    lost: list[np.ndarray] = []
    for counts in samples(len(expected), seed):
        score = task.score(expected, counts)
        lost.append(np.stack([score - task.score(rows, counts) for rows in found]))
    ends = np.nanquantile(np.concatenate(lost, axis=1), (0.025, 0.975), axis=1)
    return [(float(low), float(high)) for low, high in ends.T]


def samples(number: int, seed: int) -> Iterator[np.ndarray]:
    """How often each example is drawn, float64 (50, number) at a time."""
    generator = np.random.default_rng(seed)
    for _ in range(RESAMPLES // _AT_ONCE):
        drawn = generator.integers(0, number, (_AT_ONCE, number))
        places = drawn + number * np.arange(_AT_ONCE)[:, None]
        counts = np.bincount(places.ravel(), minlength=_AT_ONCE * number)
        yield counts.reshape(_AT_ONCE, number).astype(np.float64)
