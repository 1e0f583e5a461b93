"""The rules that tfmot lacks: each layer by itself, in an int8 file."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import compress, export
from tfpipe.compress.annotate import _MOVES, _ROUNDED

L = keras.layers
X = np.random.default_rng(0).uniform(-1, 1, (64, 12, 4)).astype(np.float32)
LAYERS = {
    "MaxPooling1D": L.MaxPooling1D(2),
    "RepeatVector": lambda h: L.Flatten()(L.RepeatVector(3)(L.Flatten()(h))),
    "Rescaling": lambda h: L.Rescaling(3.0)(L.Rescaling(1.0, [1.0, -2.0, 3.0, 4.0, 5.0])(h)),
    "Maximum": lambda h: L.Maximum()([h, L.Dense(5)(h)]),
    "Minimum": lambda h: L.Minimum()([h, L.Dense(5)(h)]),
    "Multiply": lambda h: L.Multiply()([h, L.Dense(5)(h)]),
    "Subtract": lambda h: L.Subtract()([h, L.Dense(5)(h)]),
}


def test_every_rule_is_tried_here():
    assert set(LAYERS) == _MOVES | _ROUNDED


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_rounded_as_in_the_file(name, tmp_path):
    keras.utils.set_random_seed(0)
    x = keras.Input((12, 4))
    h = LAYERS[name](L.Dense(5)(x))
    model = keras.Model(x, L.Dense(3)(L.Flatten()(h)), name="one")
    model.compile("sgd", "mse")
    train = tf.data.Dataset.from_tensor_slices((X, model.predict(X, verbose=0))).batch(16)
    quantised = compress.quantize_aware(model, train, epochs=2, optimizer=keras.optimizers.SGD(0.0))
    path = export.to_tflite(quantised, tmp_path / "a.tflite", mode="int8")
    expected = model.predict(X, verbose=0)
    found = export.load(path).predict(X)
    assert np.abs(found - expected).mean() < 0.02 * np.ptp(expected)
    assert np.abs(found - quantised.predict(X, verbose=0)).max() < 0.04 * np.ptp(expected)
