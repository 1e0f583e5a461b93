"""`sources.windows`: the lengths that windows may have, and numbers by argument."""

import numpy as np
import pytest

from tfpipe.errors import RequestError
from tfpipe.records.sources.windows import as_stride, read_numbers, windows


def test_numbers_are_read_for_each_argument(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("x\ty\tz\n1\t2\t-\n3\t4e-1\t-\n")
    found = read_numbers(path, columns=["y", "x"], target=["y"])
    assert {key: value.tolist() for key, value in found.items()} == {
        "columns": [[2, 1], [np.float32(0.4), 3]],
        "target": [[2], [np.float32(0.4)]],
    }
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}


def test_the_shortest_series_of_one_window():
    assert windows("t.csv", ["a", "b", "b"], length=2, stride=5).starts == [1]


@pytest.mark.parametrize(("window", "horizon", "stride"), [(0, 0, 1), (3, 0, 0), (3, -1, 2)])
def test_lengths_that_are_too_small(window, horizon, stride):
    with pytest.raises(RequestError) as caught:
        as_stride(stride, window, horizon)
    assert str(caught.value) == (
        "Expected `window` and `stride` to be at least 1, and `horizon` at least 0. "
        f"Received: window={window}, stride={stride}, horizon={horizon}"
    )
