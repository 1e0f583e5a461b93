"""Many numbers of an example as a few, which keep the distances between examples.

Example:

    few = projected(features)               # float32 (N, 32)
"""

import functools

import numpy as np

DIMENSIONS = 32


def projected(features: np.ndarray) -> np.ndarray:
    """Up to 32 numbers for each example's features (N, D), float32.

    A fixed random matrix keeps distances nearly as they are (Johnson and Lindenstrauss, 1984) and,
    unlike principal components, owes nothing to the examples of a profile, so that new ones are not
    judged by another measure.

    >>> projected(np.ones((2, 500))).shape
    (2, 32)
    """
    if features.shape[1] <= DIMENSIONS:
        return features.astype(np.float32)
    return features.astype(np.float32) @ _matrix(features.shape[1])


@functools.lru_cache(maxsize=4)
def _matrix(number: int) -> np.ndarray:
    # RandomState's numbers are the same in every version of NumPy; those of a Generator need not.
    matrix = np.random.RandomState(0).standard_normal((number, DIMENSIONS))
    return (matrix / np.sqrt(DIMENSIONS)).astype(np.float32)
