"""int8 LSTMs: one scale for what they give and keep, without which they compute wrong."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe.compress.legacy import rebuild
from tfpipe.export.writing.states import with_one_scale

L = keras.layers
X = np.random.default_rng(0).normal(0, 1, (120, 30, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    x = keras.Input((30, 12))
    h = L.Bidirectional(L.LSTM(16, return_sequences=True))(x)
    return keras.Model(x, L.Dense(5)(L.Bidirectional(L.LSTM(16))(h)))


@pytest.fixture(scope="module")
def data(model):
    """What TensorFlow's converter makes of the model."""
    rebuilt = rebuild(model, batch_size=1)
    run = tf.function(lambda x: rebuilt(x, training=False))
    spec = tf.TensorSpec((1, 30, 12), tf.float32)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [run.get_concrete_function(spec)], rebuilt
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: ([x[None]] for x in X[:100])
    return converter.convert()


def error(model, data):
    """The largest difference to the model, as a share of the range of its outputs."""
    litert = Interpreter(model_content=data)
    litert.allocate_tensors()
    expected = model.predict(X[100:], verbose=0)
    found = []
    for sequence in X[100:]:
        litert.reset_all_variables()
        litert.set_tensor(litert.get_input_details()[0]["index"], sequence[None])
        litert.invoke()
        found.append(litert.get_tensor(litert.get_output_details()[0]["index"])[0])
    return np.abs(np.stack(found) - expected).max() / np.ptp(expected)


@pytest.mark.slow
def test_a_bilstm_computes_what_it_should(model, data):
    before = error(model, data)
    assert before > 0.08  # or the converter has been mended, and this module can go
    assert error(model, with_one_scale(data)) < 0.6 * before


@pytest.mark.slow
def test_a_file_without_int8_lstms_stays_as_it_is(trained):
    rebuilt = rebuild(trained, batch_size=1)
    run = tf.function(lambda x: rebuilt(x, training=False))
    spec = tf.TensorSpec((1, 32, 32, 1), tf.float32)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [run.get_concrete_function(spec)], rebuilt
    )
    data = converter.convert()
    assert with_one_scale(data) is data
