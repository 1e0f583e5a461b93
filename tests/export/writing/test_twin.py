"""float32_twin(): the same weights and names, in float32."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import models
from tfpipe.errors import RequestError
from tfpipe.export.writing.twin import float32_twin, in_float32


def test_a_layer_that_cannot_be_copied_is_refused_by_name():
    class Scaled(keras.layers.Layer):
        def __init__(self, factor):
            super().__init__(name="twice")
            self.factor = factor

        def call(self, x):
            return x * self.factor

    x = keras.Input((8, 8, 1))
    with pytest.raises(RequestError) as caught:
        float32_twin(keras.Model(x, Scaled(2)(x)))
    assert str(caught.value) == (
        "Expected layers that can be made from their own `get_config()`. Received: 'twice', a "
        "Scaled that cannot. Let its `get_config` return the arguments of its `__init__`, and "
        "that take `**kwargs`."
    )


def test_the_float32_twin_has_the_same_weights_and_names(trained):
    twin = float32_twin(trained)
    assert [w.path for w in twin.weights] == [w.path for w in trained.weights]
    for a, b in zip(twin.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_twin_of_a_mixed_model_computes_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        mixed = models.lenet5()
    finally:
        keras.config.set_dtype_policy("float32")
    twin = float32_twin(mixed)
    assert {layer.compute_dtype for layer in twin.layers} == {"float32"}
    assert mixed.get_layer("conv1").compute_dtype == "float16"


def test_what_is_changed_is_in_the_copy_only():
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(3, activation="relu", name="dense")(x))
    twin = float32_twin(model, lambda layer, config: {**config, "activation": "tanh"})
    assert twin.get_layer("dense").activation is keras.activations.tanh
    assert model.get_layer("dense").activation is keras.activations.relu
    np.testing.assert_array_equal(twin.get_weights()[0], model.get_weights()[0])


class Forgetful(keras.layers.Layer):
    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return super().get_config()


def test_a_model_in_float32_is_not_copied():
    x = keras.Input((4,))
    model = keras.Model(x, Forgetful(3.0)(x))
    assert in_float32(model) is model


def test_one_of_another_precision_is():
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(3, dtype="mixed_bfloat16", name="dense")(x))
    assert in_float32(model).get_layer("dense").compute_dtype == "float32"


def test_so_is_one_on_replicas():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    assert in_float32(model) is not model
    np.testing.assert_array_equal(in_float32(model).get_weights()[0], model.get_weights()[0])
