"""Histograms' distances against scipy and by hand; distances of rows against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from tfpipe.drift import distances

NUMBERS = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60)


def test_shares_are_of_ten_bins_by_the_references_quantiles():
    reference, now = np.arange(1000.0), np.r_[np.arange(0.0, 500.0), np.full(10, -1.0)]
    p, q = distances.shares(reference, now)
    assert p == pytest.approx(np.r_[0.5, np.full(10, 100.5), 0.5] / (1000 + 0.5 * 12))
    assert q[0] == pytest.approx(10.5 / (510 + 0.5 * 12))


def test_a_highest_value_that_many_share_has_a_bin_of_its_own():
    p, _ = distances.shares(np.r_[np.arange(30.0), np.full(270, 99.0)], np.zeros(1))
    assert p == pytest.approx(np.array([0.5, 30.5, 270.5, 0.5]) / (300 + 0.5 * 4))


def test_jensen_shannon_and_the_stability_index_are_those_of_the_shares():
    draw = np.random.default_rng(0)
    reference, now = draw.normal(size=500), draw.normal(size=300) + 0.5
    p, q = distances.shares(reference, now)
    middle = (p + q) / 2
    divergence = (stats.entropy(p, middle, base=2) + stats.entropy(q, middle, base=2)) / 2
    assert distances.jensen_shannon(reference, now) == pytest.approx(np.sqrt(divergence))
    by_hand = stats.entropy(p, q) + stats.entropy(q, p)
    assert distances.stability_index(reference, now) == pytest.approx(by_hand)


@given(NUMBERS, NUMBERS)
@settings(max_examples=60)
def test_distances_are_finite_and_nought_of_the_same(reference, now):
    reference, now = np.array(reference), np.array(now)
    assert 0 <= distances.jensen_shannon(reference, now) <= 1
    assert 0 <= distances.stability_index(reference, now) < np.inf
    assert distances.jensen_shannon(reference, reference) == pytest.approx(0, abs=1e-6)
    p, q = distances.shares(reference, now)
    assert (p.sum(), q.sum()) == (pytest.approx(1), pytest.approx(1))


def test_a_constant_that_changes_is_far_from_what_it_was():
    assert distances.jensen_shannon(np.full(50, 224.0), np.full(50, 512.0)) > 0.9
    assert distances.stability_index(np.full(50, 224.0), np.full(50, 224.0)) == 0


def test_a_rows_distance_is_that_to_the_third_nearest():
    draw = np.random.default_rng(0)
    reference, rows = draw.normal(size=(300, 4)) * [1, 10, 100, 1e-3], draw.normal(size=(7, 4))
    low, middle, high = np.quantile(reference, (0.25, 0.5, 0.75), axis=0)
    known, new = (np.arcsinh((x - middle) / (high - low) * 2) for x in (reference, rows))
    neighbours = NearestNeighbors(n_neighbors=3).fit(known)
    found = distances.Distances(reference)
    assert found.of(rows) == pytest.approx(neighbours.kneighbors(new)[0][:, -1] / 2)
    assert found.own == pytest.approx(neighbours.kneighbors()[0][:, -1] / 2)  # each without itself


def test_columns_of_one_unit_are_taken_as_they_are():
    draw = np.random.default_rng(0)
    reference, rows = draw.normal(size=(300, 4)) * [1, 2, 3, 4], draw.normal(size=(7, 4)) + 5
    neighbours = NearestNeighbors(n_neighbors=3).fit(reference)
    found = distances.Distances(reference, one_unit=True)
    assert found.of(rows) == pytest.approx(neighbours.kneighbors(rows)[0][:, -1] / 2)
    assert found.own == pytest.approx(neighbours.kneighbors()[0][:, -1] / 2)


def test_what_is_not_known_counts_as_typical():
    reference = np.random.default_rng(0).normal(size=(100, 2))
    unknown = np.column_stack([reference, np.full(100, np.nan)])
    found = distances.Distances(unknown)
    assert np.isfinite(found.own).all()
    assert found.own * np.sqrt(3 / 2) == pytest.approx(distances.Distances(reference).own)


def test_a_constant_column_shows_any_change():
    reference = np.column_stack([np.random.default_rng(0).normal(size=100), np.full(100, 224.0)])
    far = distances.Distances(reference).of(np.array([[0.0, 512.0]]))
    assert far > 4 * distances.Distances(reference).own.max()
