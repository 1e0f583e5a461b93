"""What a model's outputs are is read from its last layer or its loss, or refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe.compress.outputs import Ending, ending, to_logits
from tfpipe.errors import RequestError
from tfpipe.train import SparseCategoricalFocalCrossentropy

layers, losses = keras.layers, keras.losses


def ends(*last, loss=None):
    model = keras.Sequential([keras.Input((4,)), *last], name="net")
    if loss is not None:
        model.compile("sgd", loss)
    return ending(model)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_the_last_layer_tells(kind):
    assert ends(layers.Dense(3, activation=kind)) == Ending(kind, logits=False)
    assert ends(layers.Dense(3), layers.Activation(kind)) == Ending(kind, logits=False)
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation=kind)])
    assert ends(inner) == Ending(kind, logits=False)
    x = keras.Input((4,))
    by_op = keras.Model(x, getattr(keras.ops, kind)(layers.Dense(3)(x)))
    assert ending(by_op) == Ending(kind, logits=False)


def test_a_softmax_layer_is_one():
    assert ends(layers.Dense(3), layers.Softmax()) == Ending("softmax", logits=False)


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        (losses.SparseCategoricalCrossentropy(from_logits=True), "softmax"),
        (losses.CategoricalCrossentropy(from_logits=True), "softmax"),
        (losses.BinaryCrossentropy(from_logits=True), "sigmoid"),
        (losses.BinaryFocalCrossentropy(from_logits=True), "sigmoid"),
    ],
)
def test_the_loss_tells_of_logits(loss, kind):
    assert ends(layers.Dense(3), loss=loss) == Ending(kind, logits=True)


@pytest.mark.parametrize(
    "loss",
    [
        None,
        "mse",
        "sparse_categorical_crossentropy",
        losses.SparseCategoricalCrossentropy(),
        SparseCategoricalFocalCrossentropy(),
    ],
)
def test_what_cannot_be_told_is_refused(loss):
    with pytest.raises(RequestError) as caught:
        ends(layers.Dense(3, name="last"), loss=loss)
    assert str(caught.value) == (
        "It cannot be told what the outputs of the model 'net' are: its last layer 'last' is no "
        "softmax and no sigmoid, and its loss does not take logits. Let it end in a layer with "
        "activation='softmax' or 'sigmoid'; or compile it with a loss such as "
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True) or "
        "keras.losses.BinaryCrossentropy(from_logits=True)."
    )


def test_several_outputs_are_refused():
    x = keras.Input((4,))
    two = keras.Model(x, [layers.Dense(3)(x), layers.Dense(3)(x)], name="two")
    with pytest.raises(RequestError) as caught:
        ending(two)
    assert str(caught.value) == (
        "Expected the model 'two' to be functional or Sequential, with one output. "
        "Received: 2 outputs"
    )


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_logits_come_back(kind):
    logits = np.random.default_rng(0).normal(scale=4, size=(5, 3)).astype(np.float32)
    outputs = getattr(tf.nn, kind)(logits)
    found = to_logits(outputs, Ending(kind, logits=False)).numpy()
    if kind == "softmax":
        found += (logits - found).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found, logits, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(to_logits(logits, Ending(kind, logits=True)), logits)


@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_certain_outputs_have_finite_logits_and_gradients(kind, value):
    outputs = tf.constant([[value, 1 - value]])
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        logits = to_logits(outputs, Ending(kind, logits=False))
    assert np.isfinite(logits).all()
    assert np.isfinite(tape.gradient(logits, outputs)).all()
