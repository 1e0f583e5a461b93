"""A bundle's profile is that of the split that its files were verified on."""

import numpy as np
import pytest

from tfpipe import drift, records
from tfpipe.export.bundling.profiled import to_profile


def test_a_bundle_ships_the_profile_of_its_split(bundled, manifest, trained, prepare):
    found = drift.load_profile(bundled.path / "profile.json")
    assert {"profile.json", "profile.npz"} <= set(bundled.files)
    assert (found.task, found.num_examples) == ("label", manifest.split("test").num_examples)
    assert found.class_names == manifest.class_names
    assert set(np.unique(found.rows[:, found.columns.index("input/height_px")])) == {32}
    data = records.read(manifest, "test", prepare.outside(), batch_size=64)
    again = drift.compare(found, data, model=trained, prepare=prepare)
    assert again.drifted == ()
    accuracy = next(f for f in again.findings if f.feature == "accuracy")
    assert accuracy.now == pytest.approx(bundled.report.reference["score"], abs=1e-6)
    assert accuracy.reference == pytest.approx(accuracy.now, abs=1e-6)


def test_a_split_of_few_examples_has_no_profile(digits, trained, prepare, tmp_path, capsys):
    source = records.arrays(digits[0][:20], digits[1][:20], split={"test": 1.0}, name="few")
    manifest = records.write(source, tmp_path / "few")
    to_profile(tmp_path / "bundle", trained, manifest, prepare, split="test")
    assert capsys.readouterr().err.endswith(
        "No profile for drift: it takes 32 examples, and 'test' has 20.\n"
    )
    assert not (tmp_path / "bundle").exists()
