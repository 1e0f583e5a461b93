"""LeNet-5 against the figures of the paper, and as Keras users rely on it."""

import keras
import numpy as np
import pytest

from tfpipe import models

# Figure 2 of the paper, with the trainable parameters of today's layers:
# name, output (height, width, maps), parameters, activation.
LAYERS = [
    ("conv1", (28, 28, 6), 6 * (5 * 5 + 1), "tanh"),
    ("pool1", (14, 14, 6), 0, None),
    ("conv2", (10, 10, 16), 16 * (6 * 5 * 5 + 1), "tanh"),
    ("pool2", (5, 5, 16), 0, None),
    ("flatten", (400,), 0, None),
    ("dense1", (120,), 120 * (400 + 1), "tanh"),
    ("dense2", (84,), 84 * (120 + 1), "tanh"),
    ("probabilities", (10,), 10 * (84 + 1), "softmax"),
]

IMAGES = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def test_the_layers_are_those_of_the_paper():
    found = [
        (
            layer.name,
            layer.output.shape[1:],
            layer.count_params(),
            layer.activation.__name__ if hasattr(layer, "activation") else None,
        )
        for layer in models.lenet5().layers[1:]
    ]
    assert found == LAYERS


def test_it_has_61706_parameters_and_all_are_trained():
    model = models.lenet5()
    assert model.count_params() == sum(parameters for _, _, parameters, _ in LAYERS) == 61_706
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == 61_706


def test_it_computes_what_numpy_computes():
    model = models.lenet5()
    weights = {weight.path: weight.numpy() for weight in model.weights}

    def convolve(x, name):
        windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(0, 1))
        kernel = weights[f"{name}/kernel"]
        return np.tanh(np.einsum("hwcij,ijco->hwo", windows, kernel) + weights[f"{name}/bias"])

    def pool(x):
        return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, -1).mean((1, 3))

    def dense(x, name):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    for image, probabilities in zip(IMAGES, model.predict(IMAGES, verbose=0), strict=True):
        x = pool(convolve(pool(convolve(image, "conv1")), "conv2")).ravel()
        x = dense(np.tanh(dense(np.tanh(dense(x, "dense1")), "dense2")), "probabilities")
        np.testing.assert_allclose(probabilities, np.exp(x) / np.exp(x).sum(), atol=1e-6)


def test_other_sizes_and_classes():
    model = models.lenet5(input_shape=(40, 36, 3), num_classes=2)
    assert model.input_shape == (None, 40, 36, 3)
    assert model.output_shape == (None, 2)
    assert model.get_layer("pool2").output.shape == (None, 7, 6, 16)


@pytest.mark.usefixtures("mixed_float16")
def test_probabilities_are_float32_in_mixed_precision():
    model = models.lenet5()
    assert model.get_layer("dense2").compute_dtype == "float16"
    probabilities = model.predict(IMAGES, verbose=0)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-6)


def test_a_saved_model_gives_the_same_outputs(tmp_path):
    model = models.lenet5()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    )
