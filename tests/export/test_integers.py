"""require_integers(): an int8 file that would compute in float32 is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.integers import require_integers

IMAGES = np.random.default_rng(0).normal(size=(150, 8, 8, 1)).astype(np.float32)
CALIBRATION = tf.data.Dataset.from_tensor_slices(IMAGES).batch(50)


def network(*middle):
    x = keras.Input((8, 8, 1))
    y = keras.layers.Conv2D(2, 3)(x)
    for layer in middle:
        y = layer(y)
    return keras.Model(x, keras.layers.Dense(3)(keras.layers.Flatten()(y)), name="small")


class Wave(keras.layers.Layer):
    def call(self, x):
        return tf.sin(x) + tf.floor(x)


def test_a_layer_without_an_integer_form_is_refused_by_its_operators(tmp_path):
    with pytest.raises(RequestError) as caught:
        export.to_tflite(
            network(Wave()), tmp_path / "a.tflite", mode="int8", calibration=CALIBRATION
        )
    assert str(caught.value) == (
        "Expected a model whose operators have an int8 form in TFLite. "
        "Received: 'small' with FLOOR, SIN, which would compute in float32. "
        "Replace the layer, or use mode='float32'."
    )
    assert list(tmp_path.iterdir()) == []


def test_integers_between_quantize_and_dequantize_are_fine(tmp_path):
    model = network(keras.layers.ReLU())
    path = export.to_tflite(model, tmp_path / "a.tflite", mode="int8", calibration=CALIBRATION)
    require_integers("small", path.read_bytes())


def test_a_float32_file_is_not(tmp_path):
    path = export.to_tflite(network(), tmp_path / "a.tflite")
    with pytest.raises(RequestError, match=r"with CONV_2D, FULLY_CONNECTED, RESHAPE, which"):
        require_integers("small", path.read_bytes())
