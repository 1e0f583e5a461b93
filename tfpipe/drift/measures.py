"""The tests of a new sample against a reference sample.

Example:

    statistic, p_value = kolmogorov_smirnov(reference, now)

Every test is exact, or a close approximation, at the very small levels that a monitor's repeated
looks ask for; so none of them draws permutations.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.spatial.distance import cdist

MOST_CLASSES = 20  # that are tested one by one


class Tested(NamedTuple):
    """What a test found."""

    statistic: float
    p_value: float


def kolmogorov_smirnov(reference: np.ndarray, now: np.ndarray) -> Tested:
    """Two-sample Kolmogorov-Smirnov, exact up to 10,000 values; equal ones make it quieter."""
    found = stats.ks_2samp(reference, now)
    return Tested(float(found.statistic), float(found.pvalue))


def class_shares(reference: np.ndarray, now: np.ndarray) -> tuple[int, Tested]:
    """Fisher's exact test of each class against all others; the smallest p-value, times how many.

    Of more than 20 classes, those that are rarest in both samples together are left out.

    Returns:
        The class that moved most, and the difference of its shares with the p-value.

    >>> class_shares(np.array([0] * 50 + [1] * 50), np.array([2] * 20))[0]
    2
    """
    classes, counts = np.unique(np.concatenate([reference, now]), return_counts=True)
    classes = classes[np.argsort(-counts, kind="stable")[:MOST_CLASSES]]
    found = [(_fisher(reference == each, now == each, "two-sided"), int(each)) for each in classes]
    (difference, p_value), moved = min(found, key=lambda one: one[0].p_value)
    return moved, Tested(difference, min(1.0, p_value * len(classes)))


def more_wrong(reference: np.ndarray, now: np.ndarray) -> tuple[str, Tested]:
    """Whether errors have grown: Fisher's exact test where all are 0 or 1, else Mann-Whitney's.

    Returns:
        The test's name, and the difference of the means with the p-value.
    """
    both = np.concatenate([reference, now])
    if np.isin(both, (0, 1)).all():
        return "Fisher", _fisher(reference == 1, now == 1, "greater")
    p_value = stats.mannwhitneyu(now, reference, alternative="greater", method="asymptotic").pvalue
    return "Mann-Whitney", Tested(float(now.mean() - reference.mean()), float(p_value))


def slower(reference: np.ndarray, now: np.ndarray, quantile: float, slack: float) -> Tested:
    """Whether more than 1 - quantile lie over the reference's quantile times `slack`: binomial.

    The slack keeps apart what matters from a machine's usual unrest, which comes in spells that
    no test of independent numbers would excuse.
    """
    over = now > slack * np.quantile(reference, quantile)
    p_value = stats.binomtest(int(over.sum()), len(now), 1 - quantile, alternative="greater").pvalue
    return Tested(float(over.mean()), float(p_value))


def among_the_farthest(reference: np.ndarray, now: np.ndarray) -> Tested:
    """Whether too many new values are among the largest of all: the minimum hypergeometric test.

    A few outliers move no median and hardly a distribution function; this test sees them. How many
    of the r largest values of both samples are new is hypergeometric. Of all r up to a tenth, the
    one counts whose number is the least likely; how likely so little is at any r is computed
    exactly, by a walk over all of them, and where values are equal it is less. Eden, Lipson, Yogev
    and Yakhini, "Discovering Motifs in Ranked Lists of DNA Sequences", PLoS Computational Biology
    3(3), 2007.

    Returns:
        The share of the new among those r, and the p-value.

    >>> found = among_the_farthest(np.arange(100.0), np.array([1.0, 200.0, 300.0]))
    >>> found.statistic, round(found.p_value, 5)
    (1.0, 0.00101)
    """
    both = np.concatenate([reference, now])
    order = np.argsort(-both, kind="stable")  # of equal ones, the reference's first
    tenth = both[order[max(1, len(both) // 10) - 1]]
    ranks = int(np.sum(both >= tenth))
    counts = np.cumsum(order >= len(reference))[:ranks]
    tails = np.array([_tail(chances) for chances in _walk(len(both), len(now), ranks)])
    likely = tails[np.arange(ranks), counts]
    least = int(np.argmin(likely))
    rare = tails <= likely[least] * (1 + 1e-9)
    p_value = 0.0
    for chances, is_rare in zip(_walk(len(both), len(now), ranks), rare, strict=True):
        p_value += float(chances[is_rare].sum())
        chances[is_rare] = 0.0  # each walk counts once
    return Tested(float(counts[least] / (least + 1)), min(1.0, p_value))


def evened(reference: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, D) and (M, D), turned so that no direction deviates more than all in the mean.

    Of an embedding, the directions in which the classes lie apart deviate most, and in distances
    they would drown whatever else has moved. Both samples together say how much they deviate, so
    that under no difference neither is treated as the other is not.

    >>> wide = np.random.default_rng(0).normal(size=(400, 2)) * [9.0, 1.0]
    >>> evened(wide[:200], wide[200:])[0].std(0).round(1).tolist()
    [0.2, 1.0]
    """
    both = np.concatenate([reference, now]).astype(np.float64)
    both -= both.mean(0)
    variances, directions = np.linalg.eigh(both.T @ both / len(both))
    deviations = np.sqrt(np.maximum(variances, 0))
    scale = np.maximum(deviations, deviations.mean())
    turned = both @ directions / np.where(scale > 0, scale, 1)
    return turned[: len(reference)], turned[len(reference) :]


def mean_discrepancy(reference: np.ndarray, now: np.ndarray) -> Tested:
    """Maximum mean discrepancy with a Gaussian kernel: (N, D) against (M, D).

    Gretton et al., "A Kernel Two-Sample Test", JMLR 13, 2012: the squared, biased estimate, the
    bandwidth by the median distance. Under no difference it is a weighted sum of squares of normal
    numbers, the weights being the eigenvalues of the centred kernel matrix (Gretton et al., "A
    Fast, Consistent Kernel Two-Sample Test", NIPS 2009); its tail is that of the chi-squared
    distribution with the same mean, variance and skewness (Buckley and Eagleson, "An approximation
    to the distribution of quadratic forms in normal random variables", 1988).
    """
    both = np.concatenate([reference, now]).astype(np.float64)
    total, signs = len(both), np.r_[np.full(len(reference), 1.0), np.full(len(now), -1.0)]
    squared = cdist(both, both, "sqeuclidean")
    some = np.arange(0, total, max(1, total // 200))  # a median of a million takes long
    bandwidth = float(np.median(squared[np.ix_(some, some)]))
    if bandwidth <= 0:
        return Tested(0.0, 1.0)
    kernel = np.exp(-squared / bandwidth)
    signs /= np.where(signs > 0, len(reference), len(now))
    discrepancy = float(signs @ kernel @ signs)
    centred = kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
    weights = (1 / len(reference) + 1 / len(now)) / (total - 1)
    product = centred @ centred
    mean = weights * np.trace(centred)
    variance = 2 * weights**2 * np.trace(product)
    third = 8 * weights**3 * np.sum(product * centred)
    freedom = 8 * variance**3 / third**2
    as_chi2 = freedom + np.sqrt(2 * freedom / variance) * (discrepancy - mean)
    return Tested(discrepancy, float(stats.chi2.sf(as_chi2, freedom)))


def _walk(total: int, num_new: int, ranks: int) -> Iterator[np.ndarray]:
    """The chances that 0, 1, 2, ... of the r largest of all are new, for r from 1.

    Whoever sets one to nought takes that walk out of all that follow.
    """
    found = np.arange(min(ranks, num_new) + 1)
    chances = (found == 0).astype(float)
    for rank in range(ranks):
        one_more = chances * (num_new - found) / (total - rank)
        chances -= one_more
        chances[1:] += one_more[:-1]
        yield chances


def _tail(chances: np.ndarray) -> np.ndarray:
    """The chance of each number, or a larger one."""
    return np.cumsum(chances[::-1])[::-1]


def _fisher(reference: np.ndarray, now: np.ndarray, alternative: str) -> Tested:
    """Of two samples of truths: the difference of their shares, and Fisher's exact test."""
    table = [[int(now.sum()), int((~now).sum())], [int(reference.sum()), int((~reference).sum())]]
    p_value = stats.fisher_exact(table, alternative=alternative).pvalue
    return Tested(float(now.mean() - reference.mean()), min(1.0, float(p_value)))
