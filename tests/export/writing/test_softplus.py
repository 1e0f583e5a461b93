"""Softplus is finite in a float32 TFLite file, as it is in Keras."""

import keras
import numpy as np
import pytest

from tfpipe import export
from tfpipe.export.writing.softplus import softplus, without_overflow


def test_it_is_keras_own_function():
    x = np.linspace(-120, 120, 999).astype(np.float32)
    np.testing.assert_allclose(softplus(x), keras.activations.softplus(x), atol=1e-6)


@pytest.mark.parametrize("mode", ["float32", "dynamic"])
def test_a_file_gives_large_numbers(tmp_path, mode):
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(2, activation="softplus")(x))
    inputs = np.random.default_rng(0).normal(0, 300, (20, 3)).astype(np.float32)
    expected = model.predict(inputs, verbose=0)
    assert expected.max() > 89  # where exp() is infinite
    path = export.to_tflite(model, tmp_path / "a.tflite", mode=mode)
    np.testing.assert_allclose(export.load(path).predict(inputs), expected, rtol=1e-5, atol=1e-6)


def test_other_models_stay_as_they_are():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="relu")])
    assert without_overflow(model) is model
