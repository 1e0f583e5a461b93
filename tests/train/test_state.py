"""What a training depends on, to arrays and JSON and back."""

import json
import random

import keras
import numpy as np
import tensorflow as tf

from tfpipe.train import state


def test_random_numbers_go_on_where_they_were():
    arrays = {"numpy_keys": np.random.get_state(legacy=False)["state"]["key"]}
    facts = json.loads(json.dumps(state.random_facts()))
    expected = random.random(), np.random.random(), np.random.normal()
    state.put_back_random(facts, arrays)
    assert (random.random(), np.random.random(), np.random.normal()) == expected


def test_every_variable_is_read_once_and_put_back(two_devices):
    with two_devices.scope():
        x = keras.Input((4,))
        h = keras.layers.BatchNormalization()(keras.layers.Dropout(0.5, seed=1)(x))
        model = keras.Model(x, keras.layers.Dense(2)(h))
        model.compile("adam", "mse", metrics=["mae"])
        model.optimizer.build(model.trainable_variables)
    extra = [tf.Variable(3)]
    found = state.variables(model, extra)
    assert len({id(variable) for variable in found}) == len(found)
    seeds = [v for v in model.variables if "seed" in v.path]
    assert len(seeds) == 1
    arrays = state.read(model, extra)
    assert {name for name in arrays if name != "numpy_keys"} == {
        *(f"v{number}/{replica}" for number in range(len(found)) for replica in range(2)),
    } - {f"v{len(found) - 1}/1"}
    extra[0].assign(4)
    model.set_weights([w + 1 for w in model.get_weights()])
    state.put_back(model, extra, arrays)
    again = state.read(model, extra)
    for name, value in arrays.items():
        np.testing.assert_array_equal(value, again[name])


def test_what_a_stateful_layer_carries_from_batch_to_batch_is_kept():
    rnn = keras.layers.Bidirectional(keras.layers.LSTM(2, stateful=True))
    model = keras.Sequential([keras.Input(batch_shape=(2, 3, 1)), rnn])
    model.compile("sgd", "mse")
    model(np.ones((2, 3, 1)))
    arrays = state.read(model, [])
    before = [np.array(value) for value in state.carried(model)]
    assert len(before) == 4  # two of each direction
    assert all(value.any() for value in before)
    rnn.reset_states()
    state.put_back(model, [], arrays)
    for variable, value in zip(state.carried(model), before, strict=True):
        np.testing.assert_array_equal(np.array(variable), value)
