"""Errors of numbers against scikit-learn."""

import re

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from tfpipe import ops
from tfpipe.export.bundling.sections import evidence


@pytest.mark.parametrize("shape", [(50,), (50, 2)])
def test_the_errors_are_scikit_learns(results_of, shape):
    rng = np.random.default_rng(0)
    truths, given = rng.normal(size=shape), rng.normal(size=shape).astype(np.float32)
    scores = given[:, None] if len(shape) == 1 else given
    results = results_of(np.zeros((50, 7), np.float32), truths, {"model": scores, "f": scores})
    sections = dict(evidence("target", results, []))
    who, *numbers = re.findall("<td[^>]*>(.*?)</td>", sections["Errors"])[:4]
    assert who == "model"
    expected = [
        mean_absolute_error(truths, given),
        root_mean_squared_error(truths.ravel(), given.ravel()),
        np.abs(truths - given).max(),
    ]
    assert list(map(float, numbers)) == pytest.approx(expected, rel=1e-3)
    first = re.findall("<td[^>]*>(.*?)</td>", sections["The largest errors"])[0]
    worst = np.abs(truths - given).reshape(50, -1).max(axis=1).argmax()
    assert first == f"example {worst}"


def test_forecasts_are_told_in_the_units_of_the_data(results_of):
    standardize = ops.Standardize((100.0, 7.0), (10.0, 1.0), target=(0,))
    truths, given = np.array([0.0, 1.0, 2.0]), np.array([[0.0], [1.5], [2.0]])
    series = np.zeros((3, 5, 2), np.float32)
    results = results_of(series, truths, {"model": given}, standardize.restored)
    sections = dict(evidence("target", results, []))
    assert re.findall("<td[^>]*>(.*?)</td>", sections["Errors"])[3] == "5"
    assert (
        "<figcaption>model: 115<br>target: 110<br>example 1</figcaption>"
        in sections["The largest errors"]
    )
    assert sections["The largest errors"].count("<polyline") == 3 * 2
