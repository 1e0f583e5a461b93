"""int8 files take pixels as they are, whatever scale the converter gives their input."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe import export, ops

L = keras.layers
PREPARE = ops.Chain([ops.Decode(1), ops.Resize((16, 16)), ops.PreprocessInput("none")])
RANDOM = np.random.default_rng(0)
PIXELS = (RANDOM.random((120, 16, 16, 1)) * RANDOM.uniform(20, 255, (120, 1, 1, 1))).astype(
    np.uint8
)


def model(coloured):
    """Of greys from 0 to 255; coloured as in `resnet50`: three channels, their means taken off."""
    keras.utils.set_random_seed(0)
    x = images = keras.Input((16, 16, 1))
    if coloured:
        x = L.Rescaling(1.0, [-104.0, -117.0, -124.0])(L.Concatenate()([images] * 3))
    x = L.GlobalAveragePooling2D()(L.Conv2D(8, 3, strides=2, activation="relu")(x))
    return keras.Model(images, L.Dense(4)(x))


@pytest.mark.parametrize("coloured", [False, True])
def test_a_file_answers_as_the_model(tmp_path, coloured):
    net = model(coloured)
    batches = tf.data.Dataset.from_tensor_slices(PIXELS).batch(40)
    path = export.to_tflite(
        net, tmp_path / "a.tflite", mode="int8", prepare=PREPARE, calibration=batches
    )
    takes = Interpreter(str(path)).get_input_details()[0]
    assert (takes["dtype"], takes["quantization"]) == (np.uint8, (1.0, 0))
    expected = net.predict(PIXELS.astype(np.float32), verbose=0)
    found = export.load(path).predict(PIXELS)
    assert np.abs(found - expected).max() < 0.05 * np.ptp(expected)
