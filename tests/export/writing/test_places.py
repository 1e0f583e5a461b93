"""From TensorFlow's names of operators to layers."""

import keras
import pytest

from tfpipe.export.writing.places import layer_named, layer_of, layers_of


@pytest.fixture(scope="module")
def model():
    x = keras.Input((4,))
    y = keras.layers.Dense(3, name="dense")(x)
    layers = [keras.Input((3,)), keras.layers.Dense(3, name="dense_1")]
    inner = keras.Sequential(layers, name="inner")
    return keras.Model(x, inner(y), name="outer")


@pytest.mark.parametrize(
    ("operator", "layer"),
    [
        ("outer_1/dense_1/MatMul", "dense"),  # the second call of `dense`
        ("outer_1/inner_1/dense_1_1/MatMul", "dense_1"),
        ("outer_1/inner_1/dense_1_12/BiasAdd", "dense_1"),
        ("outer_1/inner_1/add", "inner"),
        ("outer_1/mul", None),
        ("StatefulPartitionedCall:0", None),
    ],
)
def test_the_innermost_layer_is_found(model, operator, layer):
    assert layer_of(model, operator) == layer


def test_layers_come_once_and_in_order(model):
    operators = ["outer_1/inner_1/dense_1_1/x", "outer_1/dense_1/x", "outer_1/dense_1/y", "z"]
    assert layers_of(model, operators) == ["dense", "dense_1"]


def test_the_layer_that_the_converter_speaks_of(model):
    said = 'loc(fused["A:", "B@__inference"]): error: loc("outer_1/inner_1/dense_1_1/Sin@f"("x"))'
    assert layer_named(model, said) == "dense_1"
    assert layer_named(model, "nothing of the kind") is None
