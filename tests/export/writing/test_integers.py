"""require_integers(): an int8 file that would compute in float32 is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import export
from tfpipe.errors import RequestError
from tfpipe.export.writing.integers import require_integers

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


@pytest.mark.parametrize("mode", ["int8", "int16x8"])
def test_a_layer_without_an_integer_form_is_refused_by_name_and_operators(tmp_path, mode):
    with pytest.raises(RequestError) as caught:
        export.to_tflite(
            network(Wave(name="wave")), tmp_path / "a.tflite", mode=mode, calibration=CALIBRATION
        )
    assert str(caught.value) == (
        f"Expected a model whose operators have an {mode} form in TFLite. "
        "Received: 'wave' in 'small' with FLOOR, SIN, which would compute in float32. "
        "Replace the layer, or use mode='float32'."
    )
    assert list(tmp_path.iterdir()) == []


class Spread(keras.layers.Layer):
    def call(self, x):
        return tf.math.squared_difference(x, tf.reduce_mean(x, axis=-1, keepdims=True))


def test_what_litert_has_in_8_bits_only_is_refused_in_16(tmp_path):
    model = network(Spread(name="spread"))
    path = export.to_tflite(model, tmp_path / "a.tflite", mode="int8", calibration=CALIBRATION)
    assert np.isfinite(export.load(path).predict(IMAGES[:2])).all()
    with pytest.raises(RequestError) as caught:
        export.to_tflite(model, tmp_path / "b.tflite", mode="int16x8", calibration=CALIBRATION)
    assert str(caught.value) == (
        "Expected a model whose operators have an int16x8 form in TFLite. Received: 'spread' in "
        "'small' with SQUARED_DIFFERENCE, which would compute in float32. Replace the layer, or "
        "use mode='float32'."
    )


def test_integers_between_quantize_and_dequantize_are_fine(tmp_path):
    model = network(keras.layers.ReLU())
    path = export.to_tflite(model, tmp_path / "a.tflite", mode="int8", calibration=CALIBRATION)
    require_integers(model, path.read_bytes(), "int8")


def test_a_float32_file_is_not(tmp_path):
    model = network()
    path = export.to_tflite(model, tmp_path / "a.tflite")
    with pytest.raises(RequestError, match=r"with CONV_2D, FULLY_CONNECTED, RESHAPE, which"):
        require_integers(model, path.read_bytes(), "int8")


def test_the_mask_of_attention_is_refused(tmp_path):
    x = keras.Input((6, 4))
    attended = keras.layers.MultiHeadAttention(1, 4, name="attention")(x, x, use_causal_mask=True)
    model = keras.Model(x, keras.layers.Flatten()(attended), name="small")
    sequences = np.random.default_rng(0).normal(size=(150, 6, 4)).astype(np.float32)
    calibration = tf.data.Dataset.from_tensor_slices(sequences).batch(50)
    with pytest.raises(RequestError) as caught:
        export.to_tflite(model, tmp_path / "a.tflite", mode="int8", calibration=calibration)
    assert str(caught.value) == (
        "Expected activations that int8 has a scale for. Received: 'attention' in 'small' with "
        "numbers near the largest that float32 has, as masks of attention are. Leave the mask "
        "out, or use mode='float32', 'float16' or 'dynamic'."
    )
