"""Models of one or two layers, by hand in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import models, train
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 3)).astype("float32")


def weights(model, name):
    return [variable.numpy() for variable in model.get_layer(name).weights]


def test_linear_finds_the_least_squares():
    y = (X @ [1.0, -2.0, 0.5] + 3 + 0.1 * RNG.standard_normal(200)).astype("float32")
    keras.utils.set_random_seed(0)
    model = models.linear((3,))
    data = tf.data.Dataset.from_tensors((X, y))
    train.fit(
        model, data, loss="mse", optimizer=keras.optimizers.SGD(0.4), clip_norm=None, epochs=60
    )
    solution, *_ = np.linalg.lstsq(np.c_[X, np.ones(200)], y, rcond=None)
    found = np.r_[weights(model, "numbers")[0][:, 0], weights(model, "numbers")[1]]
    np.testing.assert_allclose(found, solution, atol=1e-4)


def test_perceptron_is_a_sigmoid_of_a_line():
    model = models.perceptron((3,))
    kernel, bias = weights(model, "probabilities")
    np.testing.assert_allclose(model(X), 1 / (1 + np.exp(-(X @ kernel + bias))), atol=1e-6)


def test_perceptron_learns_labels_without_an_axis_of_their_own():
    """As `records.read` gives them: (B,)."""
    labels = (X @ [1.0, -2.0, 0.5] > 0).astype("int64")
    data = tf.data.Dataset.from_tensors((X, labels))
    optimizer = keras.optimizers.Adam(0.1)
    history = train.fit(
        models.perceptron((3,)), data, loss="binary_crossentropy", optimizer=optimizer,
        metrics=["accuracy"], epochs=60,
    )  # fmt: skip
    assert history.history["accuracy"][-1] > 0.97


def test_mlp_is_784_128_10():
    model = models.mlp()
    shapes = [layer.output.shape[1:] for layer in model.layers]
    assert shapes == [(28, 28, 1), (784,), (128,), (10,)]
    images = RNG.random((4, 28, 28, 1), np.float32)
    kernel, bias = weights(model, "hidden")
    hidden = np.maximum(images.reshape(4, 784) @ kernel + bias, 0)
    kernel, bias = weights(model, "probabilities")
    powers = np.exp(hidden @ kernel + bias)
    np.testing.assert_allclose(model(images), powers / powers.sum(-1, keepdims=True), atol=1e-6)


def test_features_need_no_flattening():
    model = models.mlp((7,), 3, activation="sigmoid", units=5)
    assert [layer.name for layer in model.layers] == ["features", "hidden", "probabilities"]


@pytest.mark.parametrize("shape", [(), 3, (0,), (2.5,), None])
def test_a_shape_of_nothing_is_refused(shape):
    with pytest.raises(RequestError) as caught:
        models.linear(shape)
    assert str(caught.value) == (
        "Expected `input_shape` to be (num_features,) or (height, width, channels). "
        f"Received: input_shape={shape!r}"
    )


def test_no_outputs_are_refused():
    with pytest.raises(RequestError) as caught:
        models.linear((3,), 0)
    assert str(caught.value) == (
        "Expected `num_outputs` to be a whole number from 1. Received: num_outputs=0"
    )
