"""The geometry by hand, and known sizes against unknown ones."""

import numpy as np
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tfpipe.ops.clahe.geometry import geometry

SIZES = st.integers(1, 300)
TILES = st.integers(1, 12)


def test_an_axis_by_hand():
    found = geometry(6, 8, (2, 1), 0.0)
    np.testing.assert_array_equal(found.columns.tile, [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(found.columns.cell, [0, 0, 1, 1, 1, 1, 2, 2])
    np.testing.assert_array_equal(found.columns.weight, [0.5, 0.75, 0, 0.25, 0.5, 0.75, 0, 0.25])
    assert (found.area, found.limit, found.scale) == (24, 24, np.float32(255 / 24))


def test_the_axis_that_the_grid_divides_is_padded_too():
    rows = geometry(8, 3, (2, 4), 0.0).rows
    np.testing.assert_array_equal(rows.source, [0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 3])
    assert len(geometry(8, 4, (2, 4), 0.0).rows.source) == 8


def test_a_tiny_image_is_reflected_more_than_once():
    np.testing.assert_array_equal(geometry(2, 3, (8, 1), 0.0).columns.source, [0, 1, 2, 1] * 2)
    np.testing.assert_array_equal(geometry(1, 1, (3, 2), 0.0).rows.source, [0, 0])


def test_the_limit():
    limits = [int(geometry(64, 64, (2, 2), clip).limit) for clip in (-1, 0, 0.01, 2, 2.2, 1e9)]
    assert limits == [1024, 1024, 1, 8, 8, 1]


@settings(max_examples=40)
@given(SIZES, SIZES, TILES, TILES, st.floats(-1, 1000))
def test_unknown_sizes_give_the_same(height, width, columns, rows, clip_limit):
    sizes = tf.constant(height), tf.constant(width)
    known = geometry(height, width, (columns, rows), clip_limit)
    unknown = geometry(*sizes, (columns, rows), clip_limit)
    for a, b in zip(tf.nest.flatten(known), tf.nest.flatten(unknown), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


@settings(max_examples=40)
@given(SIZES, TILES)
@example(94, 1)  # a place just before a centre: its weight rounds to 1
def test_weights_are_shares(size, tiles):
    weights = geometry(size, 1, (1, tiles), 0.0).rows.weight
    assert weights.min() >= 0
    assert weights.max() <= 1
