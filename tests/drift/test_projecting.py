"""A projection keeps distances, and is the same for ever."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from tfpipe.drift.projecting import projected


def test_a_projection_keeps_distances_and_never_changes():
    rows = np.random.default_rng(0).normal(size=(30, 2000))
    ratio = pdist(projected(rows)) / pdist(rows)
    assert np.abs(ratio - 1).mean() < 0.15
    assert projected(np.ones((1, 64)))[0, :2] == pytest.approx([-0.3176, -1.5321], abs=1e-4)


def test_few_numbers_stay_as_they_are():
    assert (projected(np.eye(32)) == np.eye(32)).all()
