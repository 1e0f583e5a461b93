"""Records in the form in which most can be told of them."""

import numpy as np
import pytest

from tfpipe import drift, ops, records


def test_images_come_encoded_with_their_labels(known, prepare, tmp_path):
    source = records.arrays(known[0][:40], known[1][:40], split={"test": 1.0}, name="x")
    manifest = records.write(source, tmp_path / "x")
    inputs, labels = next(drift.stored(manifest, "test", prepare).as_numpy_iterator())
    assert inputs[0].startswith(b"\x89PNG")
    assert sorted(labels) == sorted(known[1][:40])


def test_sequences_come_as_a_file_takes_them(tmp_path):
    values = np.random.default_rng(0).normal(5, 2, (40, 6, 1)).astype(np.float32)
    source = records.arrays(
        values, np.zeros(40, np.float32), kind="sequence", split={"train": 1.0}, name="x"
    )
    manifest = records.write(source, tmp_path / "x")
    prepare = ops.Chain([ops.Standardize((5.0,), (2.0,))])
    inputs, _ = next(drift.stored(manifest, "train", prepare).as_numpy_iterator())
    assert np.sort(inputs.ravel()) == pytest.approx(np.sort((values.ravel() - 5) / 2), abs=1e-5)
