"""Each test against scipy's, permutations, or counting by hand; and that none cries too often."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfpipe.drift import measures


def sample(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("sizes", [(50, 20), (500, 300)])
def test_kolmogorov_smirnov_is_exact(sizes):
    reference, now = sample(0, sizes[0]), sample(1, sizes[1]) + 0.4
    found = measures.kolmogorov_smirnov(reference, now)
    by_hand = max(abs(np.mean(reference <= x) - np.mean(now <= x)) for x in [*reference, *now])
    assert found.statistic == pytest.approx(by_hand)
    assert found.p_value == pytest.approx(
        stats.ks_2samp(reference, now, method="exact").pvalue, rel=1e-9
    )


def test_the_class_that_moved_is_found_with_fishers_p_value_times_the_classes():
    reference = np.repeat([0, 1, 2], [100, 100, 100])
    now = np.repeat([0, 1, 2], [12, 3, 45])
    moved, found = measures.class_shares(reference, now)
    by_scipy = stats.fisher_exact([[45, 15], [100, 200]]).pvalue
    assert moved == 2
    assert found == (pytest.approx(45 / 60 - 1 / 3), pytest.approx(3 * by_scipy))


def test_of_many_classes_the_rarest_are_left_out():
    reference, now = np.arange(100).repeat(2), np.arange(100)
    assert measures.class_shares(reference, now)[1].p_value == 1.0


def test_more_mistakes_are_fishers_one_sided():
    reference, now = np.repeat([0.0, 1.0], [95, 5]), np.repeat([0.0, 1.0], [30, 10])
    test, found = measures.more_wrong(reference, now)
    by_hand = stats.hypergeom.sf(9, 140, 15, 40)
    assert (test, found.p_value) == ("Fisher", pytest.approx(by_hand))
    assert measures.more_wrong(now, reference)[1].p_value > 0.99


def test_larger_errors_are_mann_whitneys_one_sided():
    reference, now = np.abs(sample(0, 80)), np.abs(sample(1, 60)) * 2
    test, found = measures.more_wrong(reference, now)
    by_scipy = stats.mannwhitneyu(reference, now, alternative="less", method="asymptotic").pvalue
    assert (test, found.p_value) == ("Mann-Whitney", pytest.approx(by_scipy))


def test_slower_counts_what_is_over_the_reference_and_its_slack():
    reference, now = np.arange(1.0, 101.0), np.full(20, 10.0)
    now[:4] = 200.0
    found = measures.slower(reference, now, 0.95, 1.5)  # over 1.5 x 95.05
    by_hand = 1 - stats.binom.cdf(3, 20, 0.05)
    assert found == (0.2, pytest.approx(by_hand))
    assert measures.slower(reference, reference, 0.5, 1.5).p_value > 0.99


def least_likely(reference, now, ranks):
    """The minimum hypergeometric statistic by its definition, at the ends of equal values."""
    both = np.sort(np.concatenate([reference, now]))[::-1]
    chances = [1.0]
    for rank in range(1, ranks + 1):
        if rank == len(both) or both[rank] < both[rank - 1]:
            new = np.sum(now >= both[rank - 1])
            chances.append(stats.hypergeom.sf(new - 1, len(both), len(now), rank))
    return min(chances)


@pytest.mark.parametrize("far", [0, 1, 2])
def test_among_the_farthest_has_the_p_value_of_all_arrangements(far):
    """Each way to choose the new ones among 30 values, of which the 3 largest are looked at."""
    reference, now = np.arange(27.0), np.r_[np.arange(0.5, 3 - far), np.full(far, 99.0)]
    both = np.concatenate([reference, now])
    usual, as_rare = least_likely(reference, now, 3), 0
    ways = [list(way) for way in itertools.combinations(range(30), 3)]
    for way in ways:
        as_rare += least_likely(np.delete(both, way), both[way], 3) <= usual * (1 + 1e-9)
    assert measures.among_the_farthest(reference, now).p_value == pytest.approx(as_rare / len(ways))


@pytest.mark.parametrize("far", [0, 3, 9])
def test_among_the_farthest_has_the_p_value_of_random_arrangements(far):
    reference, now = sample(2, 130), sample(3, 60)
    now[:far] += 3
    both, draw = np.concatenate([reference, now]), np.random.default_rng(0)
    usual, as_rare = least_likely(reference, now, 19), []
    for _ in range(1500):
        order = draw.permutation(190)
        as_rare.append(least_likely(both[order[:130]], both[order[130:]], 19) <= usual * 1.000001)
    found = measures.among_the_farthest(reference, now).p_value
    assert found == pytest.approx(np.mean(as_rare), abs=0.035)
    if far == 9:
        assert usual < found < 8 * usual


def test_among_the_farthest_tells_the_share_that_was_least_likely():
    found = measures.among_the_farthest(np.arange(90.0), np.r_[np.arange(5.0), np.full(5, 1000.0)])
    assert found.statistic == 1.0  # all of the five largest are new
    chance = stats.hypergeom.sf(4, 100, 10, 5)
    assert chance < found.p_value < 10 * chance


def test_a_few_outliers_are_seen_where_kolmogorov_smirnov_sees_nothing():
    reference, now = sample(0, 1000), sample(1, 200)
    now[:12] += 8
    assert measures.among_the_farthest(reference, now).p_value < 1e-4
    assert measures.kolmogorov_smirnov(reference, now).p_value > 0.05


def test_of_equal_values_the_references_count_as_the_farther():
    """So that nobody raises an alarm by the order in which equal ones come."""
    reference, now = np.r_[np.zeros(80), np.ones(10)], np.r_[np.zeros(6), np.ones(4)]
    found = measures.among_the_farthest(reference, now)
    ones = stats.hypergeom.sf(3, 100, 10, 14)
    assert ones <= found.p_value < 4 * ones


def test_outliers_that_are_all_the_same_are_seen():
    reference, now = sample(0, 200), sample(1, 200)
    now[:50] = 8.0  # more than a tenth of 400
    assert measures.among_the_farthest(reference, now).p_value < 1e-6
    assert measures.among_the_farthest(np.ones(50), np.ones(50)).p_value == 1.0


def permuted(reference, now, number):
    """Maximum mean discrepancy by its definition, with its p-value by permutations."""
    both = np.concatenate([reference, now])
    squared = ((both[:, None] - both[None]) ** 2).sum(-1)
    some = np.arange(0, len(both), max(1, len(both) // 200))
    kernel = np.exp(-squared / np.median(squared[np.ix_(some, some)]))

    def discrepancy(order):
        a, b = order[: len(reference)], order[len(reference) :]
        within = kernel[np.ix_(a, a)].mean() + kernel[np.ix_(b, b)].mean()
        return within - 2 * kernel[np.ix_(a, b)].mean()

    draw, usual = np.random.default_rng(0), discrepancy(np.arange(len(both)))
    others = [discrepancy(draw.permutation(len(both))) for _ in range(number)]
    return usual, np.mean(np.array(others) >= usual)


@pytest.mark.parametrize(("shift", "sizes"), [(0.0, (60, 40)), (0.3, (60, 40)), (0.35, (100, 32))])
def test_mean_discrepancy_has_the_p_value_of_permutations(shift, sizes):
    reference, now = sample(0, sizes[0], 5), sample(3, sizes[1], 5) + shift
    found = measures.mean_discrepancy(reference, now)
    usual, p_value = permuted(reference, now, 1000)
    assert found.statistic == pytest.approx(usual)
    assert found.p_value == pytest.approx(p_value, rel=0.25, abs=0.004)


def test_mean_discrepancy_of_equal_rows_is_nothing():
    assert measures.mean_discrepancy(np.ones((40, 3)), np.ones((40, 3))) == (0.0, 1.0)


def test_evened_no_direction_deviates_more_than_all_in_the_mean():
    turn = np.linalg.qr(sample(7, 5, 5))[0]
    rows = sample(0, 300, 5) * [9, 1, 1, 1, 0] @ turn
    reference, now = measures.evened(rows[:200], rows[200:])
    both = np.concatenate([reference, now])
    true = np.sqrt(np.abs(np.linalg.eigvalsh(np.cov(rows.T, ddof=0))))
    expected = true / np.maximum(true, true.mean())
    assert np.cov(both.T, ddof=0) == pytest.approx(np.diag(expected**2), abs=1e-9)
    assert len(reference) == 200
    assert (measures.evened(np.ones((3, 2)), np.ones((2, 2)))[0] == 0).all()


def test_evened_a_small_move_is_seen_that_two_far_classes_drown():
    """Two classes lie 10 apart along one direction; along the others all moves by 0.6."""
    classes = np.random.default_rng(0).integers(0, 2, 150) * 10.0
    rows = sample(1, 150, 8)
    rows[:, 0] += classes
    rows[100:, 1:] += 0.6
    reference, now = rows[:100], rows[100:]
    assert measures.mean_discrepancy(reference, now).p_value > 0.001
    assert measures.mean_discrepancy(*measures.evened(reference, now)).p_value < 1e-6


ALL = {
    "evened": lambda a, b: measures.mean_discrepancy(
        *measures.evened(*(np.column_stack([each, each**2]) for each in (a, b)))
    ),
    "kolmogorov_smirnov": measures.kolmogorov_smirnov,
    "among_the_farthest": measures.among_the_farthest,
    "more_wrong": lambda a, b: measures.more_wrong(a, b)[1],
    "class_shares": lambda a, b: measures.class_shares(a.round(), b.round())[1],
    "mean_discrepancy": lambda a, b: measures.mean_discrepancy(a[:, None], b[:, None]),
}


@pytest.mark.parametrize("name", ALL)
def test_of_two_equal_samples_a_p_value_of_5_in_100_is_found_no_oftener(name):
    draw, repeats = np.random.default_rng(0), 100 if name in ("evened", "mean_discrepancy") else 300
    found = [ALL[name](draw.lognormal(size=60), draw.lognormal(size=32)) for _ in range(repeats)]
    # So many are found in one of 500 such tests.
    most = stats.binom.ppf(0.998, repeats, 0.05)
    assert sum(each.p_value <= 0.05 for each in found) <= most


@given(st.lists(st.integers(-3, 3), min_size=16, max_size=40), st.integers(0, 9))
@settings(max_examples=40)
def test_p_values_are_shares_whatever_is_equal(values, seed):
    reference = np.array(values, float)
    now = np.random.default_rng(seed).choice(reference, 16)
    for test in ALL.values():
        assert 0 <= test(reference, now).p_value <= 1
