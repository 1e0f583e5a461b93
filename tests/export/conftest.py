"""The trained digits model as files, written once."""

import pytest
import tensorflow as tf

from tfpipe import export


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
