"""Overlaps of classes and their intervals: against scikit-learn and a bootstrap by hand."""

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.scoring.measures import overlap_rows
from tfpipe.export.scoring.overlaps import overlaps

RNG = np.random.default_rng(0)
TRUTHS = RNG.integers(0, 3, (40, 6, 7))
SCORES = RNG.random((40, 6, 7, 3)) + np.eye(3)[TRUTHS] * RNG.random((40, 1, 1, 1))
ROWS = overlap_rows(SCORES, TRUTHS, 3)


def test_each_class_is_scikit_learns():
    expected = jaccard_score(TRUTHS.ravel(), SCORES.argmax(-1).ravel(), average=None)
    np.testing.assert_allclose([found.iou for found in overlaps(ROWS)], expected)


def test_the_interval_is_a_bootstrap_over_the_images():
    """With pixels that are drawn one by one it would be far narrower."""
    ends = []
    for _ in range(1000):
        sums = ROWS[RNG.integers(0, 40, 40)].sum(0)
        ends.append(sums[:3] / sums[3:])
    expected = np.quantile(ends, (0.025, 0.975), axis=0)
    found = np.array([(o.low, o.high) for o in overlaps(ROWS)]).T
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_a_class_that_is_nowhere_has_none():
    nowhere = overlaps(np.array([[4.0, 0, 4, 0], [3, 0, 3, 0]]))[1]
    assert np.isnan([*nowhere]).all()
    assert str(nowhere) == "-"


def test_a_table_of_groups():
    groups = ["crack" if n % 2 else "hole" for n in range(40)]
    table = export.overlap_table(ROWS, ["a", "b", "c"], groups).splitlines()
    assert [line.split()[:2] for line in table[2:]] == [
        ["all", "40"],
        ["crack", "20"],
        ["hole", "20"],
    ]
    assert str(overlaps(ROWS[1::2])[2]) in table[3]


def test_what_does_not_fit_is_refused():
    with pytest.raises(RequestError) as caught:
        export.overlap_table(ROWS, ["a", "b"])
    assert str(caught.value) == (
        "Expected `rows` of shape (N, 4), for 2 classes. Received: shape=(40, 6)"
    )
    with pytest.raises(RequestError) as caught:
        export.overlap_table(ROWS, ["a", "b", "c"], ["x"])
    assert str(caught.value) == (
        "Expected `groups` to have an entry for each of the 40 rows. Received: entries=1"
    )
