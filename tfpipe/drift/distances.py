"""How far apart: histograms of two samples, and a row from all rows of a reference.

Example:

    distance, index = jensen_shannon(reference, now), stability_index(reference, now)
    far = Distances(reference_rows).of(rows)
"""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.spatial.distance import jensenshannon as scipy_jensenshannon

NUM_BINS = 10
MOST_VALUES = 20  # that get a bin each
SMOOTHING = 0.5  # added to each bin's count: Jeffreys' prior, so that no bin is empty
NEIGHBOURS = 3  # fewer hang on a single row, more see strangers later


def jensen_shannon(reference: np.ndarray, now: np.ndarray) -> float:
    """The Jensen-Shannon distance of the histograms: 0, the same, to 1, nothing in common."""
    return float(scipy_jensenshannon(*shares(reference, now), base=2))


def stability_index(reference: np.ndarray, now: np.ndarray) -> float:
    """The population stability index: the sum of (q - p) ln(q / p) over the bins.

    Siddiqi, "Credit Risk Scorecards", 2006: under 0.1 a small change, over 0.25 a large one.
    """
    p, q = shares(reference, now)
    return float(np.sum((q - p) * np.log(q / p)))


def shares(reference: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each sample's share in each bin: ten bins by the reference's quantiles, one on each side.

    Of up to 20 different values, each has a bin of its own.

    >>> [each.round(2).tolist() for each in shares(np.full(9, 224.0), np.full(9, 512.0))]
    [[0.05, 0.9, 0.05], [0.05, 0.05, 0.9]]
    """
    inner = np.unique(reference)
    if len(inner) > MOST_VALUES:
        inner = np.unique(np.quantile(reference, np.arange(NUM_BINS) / NUM_BINS))
    edges = np.r_[inner, np.nextafter(reference.max(), np.inf)]  # the highest is in the last bin
    counts = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        for values in (reference, now)
    ]
    used = counts[0] + counts[1] > 0
    used[[0, -1]] = True
    smooth = [each[used] + SMOOTHING for each in counts]
    return smooth[0] / smooth[0].sum(), smooth[1] / smooth[1].sum()


class Distances:
    """How far rows are from the reference's: the distance to the third-nearest.

    The reference's own distances leave each row itself out, so that they compare with new ones.
    Sun, Ming, Zhu and Li, "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022.

    Args:
        reference: (N, D).
        one_unit: whether the columns are in one unit, as an embedding's are. Of others, each is
            centred, scaled by half its middle half's width, and compressed, so that one column's
            outlier does not drown the others; what is not known (nan) counts as typical.

    Attributes:
        own: the reference's distances, (N,).

    Example:

    >>> known = Distances(np.arange(100.0)[:, None])
    >>> known.of(np.array([[50.2], [200.0]])).round(2).tolist()
    [0.05, 1.1]
    """

    def __init__(self, reference: np.ndarray, *, one_unit: bool = False):
        rows = _or_zero(reference.astype(np.float64))
        low, self._middle, high = np.nanquantile(rows, (0.25, 0.5, 0.75), axis=0)
        width, spread = (high - low) / 2, np.nanstd(rows, axis=0)
        self._scale = np.where(width > 0, width, np.where(spread > 0, spread, 1.0))
        self._one_unit = one_unit
        self._known = self._scaled(rows)
        self.own = self._nearest(self._known, 1)  # a row's first neighbour is itself

    def of(self, rows: np.ndarray) -> np.ndarray:
        """The distances of rows (M, D), in scales of one column."""
        return self._nearest(self._scaled(rows), 0)

    def _nearest(self, rows: np.ndarray, skipped: int) -> np.ndarray:
        place = min(NEIGHBOURS - 1, len(self._known) - 2) + skipped
        gaps = np.partition(cdist(rows, self._known), place, axis=1)[:, place]
        return gaps / np.sqrt(rows.shape[1])

    def _scaled(self, rows: np.ndarray) -> np.ndarray:
        if self._one_unit:
            return rows
        return np.nan_to_num(np.arcsinh((rows - self._middle) / self._scale))


def _or_zero(rows: np.ndarray) -> np.ndarray:
    """Columns of which nothing is known are no columns of nan, of which NumPy would warn."""
    return np.where(np.isnan(rows).all(0), 0.0, rows)
