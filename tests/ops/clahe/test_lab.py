"""8-bit L*a*b* against OpenCV's, colour by colour."""

import cv2
import numpy as np
import pytest

from tfpipe.ops.clahe import lab


def colours(reds):
    """All colours with one of these reds, uint8 (len(reds) * 256, 256, 3)."""
    grids = [np.stack(np.mgrid[red : red + 1, 0:256, 0:256], axis=-1)[0] for red in reds]
    return np.concatenate(grids).astype(np.uint8)


def to_lab(rgb):
    return np.stack(lab.to_lab(rgb), axis=-1)


def to_rgb(planes):
    return lab.to_rgb(*np.moveaxis(planes, -1, 0)).numpy()


def require_equal(some):
    np.testing.assert_array_equal(to_lab(some), cv2.cvtColor(some, cv2.COLOR_RGB2LAB))
    np.testing.assert_array_equal(to_rgb(some), cv2.cvtColor(some, cv2.COLOR_LAB2RGB))


def test_colours_both_ways():
    """416 of these need the two corrected entries of the table of roots."""
    require_equal(colours(range(0, 256, 4)))


@pytest.mark.slow
def test_all_colours_both_ways():
    for first in range(0, 256, 16):
        require_equal(colours(range(first, first + 16)))


@pytest.mark.slow
def test_what_the_round_trip_costs():
    """The figures in `Clahe`'s docstring."""
    every = colours(range(256))
    moved = np.abs(to_rgb(to_lab(every)).astype(int) - every)
    assert (moved.max(axis=-1) == 0).mean() == pytest.approx(0.117, abs=1e-3)
    assert moved.mean() == pytest.approx(0.70, abs=1e-2)
    assert moved.max() == 27
