"""K-means of numbers, beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from tfpipe.compress.kmeans import INITIAL, divided

RNG = np.random.default_rng(0)


def spread(values, numbers):
    """The sum of squares around each cluster's mean, which k-means makes small."""
    return sum(
        ((values[numbers == n] - values[numbers == n].mean()) ** 2).sum() for n in set(numbers)
    )


@pytest.mark.parametrize("initial", list(INITIAL))
@pytest.mark.parametrize("count", [2, 5, 16])
def test_the_clusters_are_settled_as_scikit_learn_settles_them(initial, count):
    values = RNG.normal(size=600).astype(np.float32)
    numbers = divided(values, count, initial)
    centroids = np.array([[values[numbers == n].mean()] for n in sorted(set(numbers))])
    again = KMeans(len(centroids), init=centroids, n_init=1, tol=0).fit(values[:, None])
    assert again.n_iter_ <= 2  # nothing moves any more
    np.testing.assert_allclose(again.cluster_centers_, centroids, atol=1e-5)


def test_kmeans_plus_plus_is_about_as_good_as_scikit_learns_best():
    values = RNG.normal(size=400).astype(np.float32)
    numbers = divided(values, 12, "kmeans++")
    best = KMeans(12, n_init=5, random_state=0).fit(values[:, None]).inertia_
    assert spread(values, numbers) < 1.25 * best


@pytest.mark.parametrize("initial", list(INITIAL))
def test_zeros_have_a_cluster_of_their_own(initial):
    values = RNG.normal(size=(20, 30)).astype(np.float32)
    values[np.abs(values) < 1.2] = 0
    numbers = divided(values, 8, initial)
    np.testing.assert_array_equal(numbers == 0, values == 0)
    assert len(set(numbers.flat)) <= 8
    for number in set(numbers.flat) - {0}:  # and none reaches over it
        assert len(set(np.sign(values[numbers == number]))) == 1


def test_without_zeros_all_clusters_are_used():
    numbers = divided(RNG.normal(size=500).astype(np.float32), 8, "kmeans++")
    assert set(numbers) == set(range(1, 9))


def test_few_distinct_values_stay_as_they_are():
    values = np.array([0.0, 3, 3, -1, 2, 0], np.float32)
    np.testing.assert_array_equal(divided(values, 16, "kmeans++"), [0, 3, 3, 1, 2, 0])
    np.testing.assert_array_equal(divided(np.zeros(3, np.float32), 2, "linear"), [0, 0, 0])


def test_the_result_is_the_same_every_time():
    values = RNG.normal(size=1000).astype(np.float32)
    np.testing.assert_array_equal(*(divided(values, 9, "kmeans++") for _ in range(2)))


def test_many_clusters_have_larger_numbers():
    assert divided(RNG.normal(size=999).astype(np.float32), 300, "linear").dtype == np.uint16
