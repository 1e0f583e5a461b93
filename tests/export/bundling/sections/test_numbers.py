"""Errors of numbers against scikit-learn."""

import re

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from tfpipe.export.bundling.sections import Results, evidence


@pytest.mark.parametrize("shape", [(50,), (50, 2)])
def test_the_errors_are_scikit_learns(shape):
    rng = np.random.default_rng(0)
    truths, given = rng.normal(size=shape), rng.normal(size=shape)
    scores = given[:, None] if len(shape) == 1 else given
    results = Results(np.zeros((50, 7, 2), np.float32), truths, {"model": scores, "f": scores})
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
    assert int(first) == worst
