"""The trained digits model as files, written once."""

import pytest
import tensorflow as tf

from tfpipe import export, records, report


@pytest.fixture(scope="session")
def calibration(digits):
    """Pixels from the images that the model was trained with."""
    return tf.data.Dataset.from_tensor_slices(digits[0][:200]).batch(64)


@pytest.fixture(scope="session")
def files(trained, prepare, calibration, tmp_path_factory):
    """The paths of the float32 and the int8 file, by mode."""
    folder = tmp_path_factory.mktemp("files")
    return {
        mode: export.to_tflite(
            trained, folder / f"{mode}.tflite", mode=mode, prepare=prepare, calibration=calibration
        )
        for mode in ("float32", "int8")
    }


@pytest.fixture(scope="session")
def manifest(digits, tmp_path_factory):
    """Real digits as records: 400 to train with, 120 to test with, and 80 more."""
    images, labels = digits
    source = records.arrays(
        images[:600],
        labels[:600],
        split={"train": 0.66, "test": 0.2, "val": 0.14},
        stratify=True,
        name="digits",
    )
    return records.write(source, tmp_path_factory.mktemp("records") / "digits")


@pytest.fixture(scope="session")
def bundled(trained, prepare, manifest, tmp_path_factory):
    """A bundle of the trained digits model; tests must not change it."""
    path = tmp_path_factory.mktemp("bundled") / "digits"
    picture = report.curves({"loss": [0.9, 0.4]})
    notes = {"Training": picture, "Intended use": "Digits. Not for clinical use."}
    return export.bundle(trained, manifest, path, prepare=prepare, notes=notes)
