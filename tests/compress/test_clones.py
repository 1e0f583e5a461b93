"""A clone computes what the model computes, whatever its layers are made of."""

import keras
import numpy as np
import pytest

from tfpipe.compress.clones import clone
from tfpipe.errors import RequestError

L = keras.layers
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(5, 3, (20, 6)).astype(np.float32)
TOKENS = RNG.integers(1, 30, (20, 6)).astype(np.int32)
OFFSET = np.float32(0.5)  # a global of this module, which a function that went through text lacks


class Scaled(L.Layer):
    """It forgets its factor on the way through its config."""

    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return super().get_config()


def model(layer, dtype="float32"):
    x = keras.Input((6,), dtype=dtype)
    h = layer(x)
    return keras.Model(x, L.Dense(3)(L.Embedding(40, 4)(h) if "int" in dtype else h))


def assert_same(given, inputs):
    np.testing.assert_array_equal(clone(given)(inputs), given(inputs))


def normalization():
    layer = L.Normalization()
    layer.adapt(NUMBERS)
    return layer


def test_what_a_normalization_has_adapted_to_is_copied():
    assert_same(model(normalization()), NUMBERS)


def test_so_it_is_inside_another_model():
    assert_same(model(keras.Sequential([keras.Input((6,)), normalization()])), NUMBERS)


def test_the_vocabulary_of_a_lookup_is_copied():
    lookup = L.IntegerLookup()
    lookup.adapt(TOKENS[:, ::-1] % 25)
    assert_same(model(lookup, "int32"), TOKENS)


def test_the_function_of_a_lambda_is_used_as_it_is():
    assert_same(model(L.Lambda(lambda x: x + OFFSET)), NUMBERS)


def leaking(x):
    return keras.ops.maximum(x, x * 0.1)


def test_an_activation_need_not_be_registered():
    assert_same(model(L.Dense(4, activation=leaking)), NUMBERS)


def test_a_layer_that_forgets_a_number_is_refused():
    with pytest.raises(RequestError) as caught:
        clone(model(Scaled(3.0, name="scaled")))
    assert str(caught.value) == (
        "Expected layers whose `get_config()` holds all that they compute with. Received: "
        "'scaled', a Scaled with factor=3.0, whose copy has 1.0. Let `__init__` take it, and "
        "`get_config` return it."
    )
