"""Means and deviations of the train split alone, as NumPy finds them."""

import numpy as np
import pytest

from tfpipe import records
from tfpipe.errors import RequestError


def written(path, x, y=None):
    y = np.zeros(len(x), np.int64) if y is None else y
    kind = "image" if x.dtype == np.uint8 else "sequence"
    return records.write(records.arrays(x, y, kind=kind, split=(0.6, 0.2, 0.2)), path)


def test_they_are_numpys_of_the_train_split_and_no_other(tmp_path):
    x = (np.random.default_rng(0).normal(size=(400, 5, 3)) * [1, 1e-3, 1e4] + [0, 5, 1e6]).astype(
        np.float32
    )
    manifest = written(tmp_path / "x", x)
    batches = records.read(manifest, "train", batch_size=64)
    train = np.concatenate([b for b, _ in batches]).astype(np.float64).reshape(-1, 3)
    mean, std = records.moments(manifest)
    np.testing.assert_allclose(mean, train.mean(0), rtol=1e-12)
    np.testing.assert_allclose(std, train.std(0), rtol=1e-9)
    assert mean != tuple(x.reshape(-1, 3).mean(0))


def test_what_has_no_moments_is_refused(tmp_path):
    x = np.arange(200, dtype=np.float32).reshape(40, 5, 1)
    x[:, 2] = np.nan
    for name, array, sentence in (
        ("x", x, f"Expected sequences of finite numbers in '{tmp_path}/x'."),
        (
            "y",
            np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1), np.uint8),
            "Expected records with a `sequence`. 'arrays' has: image, label",
        ),
    ):
        manifest = written(tmp_path / name, array)
        with pytest.raises(RequestError) as caught:
            records.moments(manifest)
        assert str(caught.value) == sentence
