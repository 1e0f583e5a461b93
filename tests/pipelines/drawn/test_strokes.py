"""Strokes: where an ellipse is, and which part of its edge."""

import numpy as np

from pipelines.drawn.strokes import ellipse


def test_an_ellipse_is_filled_where_it_says():
    image = np.zeros((100, 100), np.float32)
    ellipse(image, (0.3, 0.6), (0.1, 0.2), 50)
    rows, columns = np.nonzero(image == 50)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (40, 80, 20, 40)
    assert image[60, 30] == 50
    assert set(np.unique(image)) == {0, 50}


def test_an_arc_is_the_upper_edge_alone():
    image = np.zeros((100, 100), np.float32)
    ellipse(image, (0.5, 0.5), (0.2, 0.2), 50, arc=True)
    rows, _ = np.nonzero(image)
    assert rows.max() < 50
    assert image[40, 50] == 0
