"""The area under the ROC curve, exactly, for many weightings of the same examples at once.

Example:

    weighted_areas(scores, positive, np.ones((1, len(scores))))
"""

import numpy as np


def weighted_areas(scores: np.ndarray, positive: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The area under the ROC curve of each sample: how often a positive scores above a negative.

    A tie counts half. That is the statistic of Mann and Whitney, "On a Test of Whether one of Two
    Random Variables is Stochastically Larger than the Other", 1947; Hanley and McNeil, "The
    Meaning and Use of the Area under a ROC Curve", 1982, show that it is the area.

    Args:
        scores: (N,).
        positive: bool (N,).
        counts: (R, N), how often each example is in each sample.

    Returns:
        float64 (R,); nan for a sample without a positive or without a negative.

    Example:

    >>> weighted_areas(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1]) == 1, np.ones((1, 4)))
    array([0.875])
    """
    below = np.flatnonzero(~positive)
    below = below[np.argsort(scores[below], kind="stable")]
    first, last = (np.searchsorted(scores[below], scores[positive], s) for s in ("left", "right"))
    negatives = np.zeros((len(counts), len(below) + 1))  # how many there are up to each
    np.cumsum(counts[:, below], axis=1, out=negatives[:, 1:])
    positives = counts[:, positive]
    wins = (positives * (negatives[:, first] + negatives[:, last])).sum(1) / 2
    pairs = positives.sum(1) * negatives[:, -1]
    return np.divide(wins, pairs, out=np.full(len(counts), np.nan), where=pairs > 0)
