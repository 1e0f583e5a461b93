"""fused_twin(): it computes what the model does, from any state; and a state may grow."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tfpipe import export
from tfpipe.export.writing import fused
from tfpipe.export.writing.fused import fused_twin

RNG = np.random.default_rng(0)
SEQUENCES = RNG.normal(size=(6, 9, 5)).astype(np.float32)


def model_of(*lstms):
    keras.utils.set_random_seed(0)
    x = y = keras.Input((9, 5))
    for lstm in lstms:
        y = lstm(y)
    return keras.Model(x, y)


@pytest.mark.parametrize("inputs", [None, SEQUENCES * 3], ids=["float32", "int8"])
@pytest.mark.parametrize("backwards", [False, True])
def test_the_twin_computes_what_the_model_does(inputs, backwards):
    model = model_of(
        keras.layers.LSTM(7, return_sequences=True, go_backwards=backwards), keras.layers.LSTM(3)
    )
    twin = fused_twin(model, inputs)
    for sequence in SEQUENCES:
        np.testing.assert_allclose(twin(sequence[None]), model(sequence[None]), atol=1e-6)


@pytest.mark.parametrize(("inputs", "left"), [(None, 1e-8), (SEQUENCES, 1e-3)])
def test_the_first_step_closes_the_gates_from_any_state(inputs, left):
    """The step as the twin has it, from the largest state that there is, by tf_keras' own cell."""
    model = model_of(keras.layers.LSTM(7))
    kernel, recurrent, bias = model.get_weights()
    model.set_weights([kernel, recurrent * 4, bias + 1])
    twin = fused_twin(model, inputs)
    (lstm,) = (layer for layer in twin.layers if "lstm" in layer.name)
    features = lstm.get_weights()[0].shape[0]
    largest = 1.0 if inputs is None else np.abs(inputs).max()
    value = fused._closing(model.layers[1], None if inputs is None else largest)[1]
    step = np.zeros((1, features), np.float32)
    step[:, 5:] = value
    for hidden in (np.ones((1, 7)), -np.ones((1, 7))):
        state = [tf.constant(hidden, tf.float32), tf.fill((1, 7), 10.0)]
        _, (_, cell) = lstm.cell(tf.constant(step), state)
        assert np.abs(cell).max() <= left * 10 + left


def test_in_int8_no_weight_and_no_input_is_larger_than_before():
    model = model_of(keras.layers.LSTM(7))
    features, value = fused._closing(model.layers[1], 2.5)
    assert value == 2.5
    kernel = fused._widened(model.layers[1], features)[0]
    assert kernel.shape == (5 + features, 28)
    before = model.get_weights()[0]
    np.testing.assert_array_equal(kernel[:5], before)
    assert np.abs(kernel[:, :14]).max() == np.abs(before[:, :14]).max()
    np.testing.assert_array_equal(kernel[5:, 14:], 0)


def test_a_state_grows_beyond_ten(tmp_path):
    """It counts: up by nearly one a step, then down. Clipped at 10, it would end below nought."""
    x = keras.Input((30, 1))
    model = keras.Model(x, keras.layers.LSTM(1)(x))
    kernel, bias = np.zeros((1, 4), np.float32), np.full(4, 20, np.float32)
    kernel[0, 2], bias[2] = 20, 0  # the candidate follows the input; all gates are open
    model.set_weights([kernel, np.zeros((1, 4), np.float32), bias])
    sequence = np.concatenate([np.ones((1, 17, 1)), -np.ones((1, 13, 1))], 1).astype(np.float32)
    path = export.to_tflite(model, tmp_path / "a.tflite")
    run = Interpreter(str(path)).get_signature_runner("serving_default")
    found = run(sequences=sequence)["scores"]
    np.testing.assert_allclose(found, np.tanh([[4.0]]), atol=1e-5)
    np.testing.assert_allclose(found, model(sequence), atol=1e-6)
