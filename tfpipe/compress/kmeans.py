"""K-means of numbers: one dimension, so that a cluster is a stretch of the sorted numbers.

Example:

    numbers = divided(kernel, 16, "kmeans++")
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfpipe.compress.tfmot import load_centroids

# Where k-means begins, and the names in tfmot.
INITIAL = {"kmeans++": "KMEANS_PLUS_PLUS", "linear": "LINEAR", "density": "DENSITY_BASED"}
MOST_ROUNDS = 300  # as scikit-learn's

Array = npt.NDArray[Any]


def divided(weights: Array, num_clusters: int, initial: str) -> Array:
    """Each weight's cluster: 0 for zeros, and from 1 on for the others.

    Args:
        weights: floats of any shape.
        num_clusters: the most clusters, that of the zeros included.
        initial: one of `INITIAL`.

    Returns:
        Numbers in the weights' shape, of the smallest type that holds `num_clusters`.

    >>> divided(np.array([[0.0, 5.1], [-2.0, 4.9]]), 3, "linear")
    array([[0, 2],
           [1, 2]], dtype=uint8)
    """
    used = weights != 0
    values = weights[used]
    count = num_clusters - (not used.all())
    centroids = np.unique(values)
    if len(centroids) > count:
        centroids = _settled(values, _first(values, count, initial))
    numbers = np.zeros(weights.shape, np.min_scalar_type(num_clusters))
    numbers[used] = 1 + np.searchsorted(_borders(centroids), values)
    return numbers


def _first(values: Array, count: int, initial: str) -> Array:
    centroids, kinds = load_centroids()
    make = centroids.CentroidsInitializerFactory.get_centroid_initializer(kinds[INITIAL[initial]])
    found = make(tf.constant(values, tf.float32), count).get_cluster_centroids()
    return np.unique(found.numpy().astype(np.float64))


def _settled(values: Array, centroids: Array) -> Array:
    """Lloyd's algorithm: means of the nearest, until they stay."""
    ordered = np.sort(values).astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    for _ in range(MOST_ROUNDS):
        ends = np.searchsorted(ordered, _borders(centroids), side="right")
        ends = np.concatenate([[0], ends, [len(ordered)]])
        counts = np.diff(ends)
        means = np.where(counts > 0, np.diff(sums[ends]) / np.maximum(counts, 1), centroids)
        if np.array_equal(means, centroids):
            break
        centroids = means
    return centroids


def _borders(centroids: Array) -> Array:
    return (centroids[1:] + centroids[:-1]) / 2
