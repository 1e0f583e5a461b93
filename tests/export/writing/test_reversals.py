"""What is reversed in an integer file means what it meant."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export, ops

L = keras.layers
RNG = np.random.default_rng(0)


def assert_close(model, path, given, inputs):
    expected = model.predict(inputs, verbose=0)
    found = export.load(path).predict(given)
    assert np.abs(found - expected).max() < 0.05 * np.ptp(expected)


def test_pixels_of_the_caffe_style(tmp_path):
    keras.utils.set_random_seed(0)
    prepare = ops.Chain([ops.Decode(3), ops.Resize((16, 16)), ops.PreprocessInput("caffe")])
    bright = RNG.uniform(40, 255, (120, 1, 1, 3))
    pixels = (RNG.random((120, 16, 16, 3)) * bright).astype(np.uint8)
    x = keras.Input((16, 16, 3))
    model = keras.Model(x, L.Dense(3)(L.GlobalAveragePooling2D()(L.Conv2D(8, 3)(x))))
    calibration = tf.data.Dataset.from_tensor_slices(pixels).batch(40)
    path = export.to_tflite(
        model, tmp_path / "a.tflite", mode="int8", prepare=prepare, calibration=calibration
    )
    inputs = prepare.inside()({"image": pixels})["image"].numpy()
    assert_close(model, path, pixels, inputs)


@pytest.mark.parametrize("mode", ["int8", "int16x8"])
def test_sequences_backwards(tmp_path, mode):
    keras.utils.set_random_seed(0)
    sequences = (RNG.random((120, 12, 4)) * RNG.uniform(1, 9, (120, 1, 1))).astype(np.float32)
    x = keras.Input((12, 4))
    reversed_means = keras.ops.flip(L.Conv1D(6, 3)(x), axis=1) - 3.0
    model = keras.Model(x, L.Dense(3)(L.Flatten()(reversed_means)))
    calibration = tf.data.Dataset.from_tensor_slices(sequences).batch(40)
    path = export.to_tflite(model, tmp_path / "a.tflite", mode=mode, calibration=calibration)
    assert_close(model, path, sequences, sequences)
