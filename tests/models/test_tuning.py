"""Fine-tuning against the code of Keras' guide: BatchNormalization stays as it is."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import models, train
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
IMAGES = RNG.random((16, 16, 16, 1), np.float32)
LABELS = RNG.integers(0, 4, 16)
BATCH = tf.data.Dataset.from_tensors((IMAGES, LABELS))


def pretrained():
    """A model whose statistics are neither fresh nor those of the images."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(1)
    model = models.lenet5((16, 16, 1), 4, modern=True)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(rng.normal(0, 0.1, layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.5, 2, layer.moving_variance.shape))
    for layer in model.layers[:-1]:
        layer.trainable = False
    return model


def fit(model):
    optimizer = keras.optimizers.SGD(0.1)
    loss = "sparse_categorical_crossentropy"
    train.fit(model, BATCH, loss=loss, optimizer=optimizer, clip_norm=None, epochs=2)


def by_keras(from_layer):
    """Two steps by hand, with the layers before the head called as the guide says."""
    whole = pretrained()
    base = keras.Model(whole.input, whole.layers[-2].output)
    names = [layer.name for layer in base.layers]
    for layer in base.layers[names.index(from_layer) :]:
        if not isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = True
    model = keras.Sequential([base, whole.layers[-1]])
    optimizer = keras.optimizers.SGD(0.1)
    loss = keras.losses.SparseCategoricalCrossentropy()
    for _ in range(2):
        with tf.GradientTape() as tape:
            value = loss(LABELS, whole.layers[-1](base(IMAGES, training=False)))
        weights = model.trainable_weights
        optimizer.apply(tape.gradient(value, weights), weights)
    return whole


@pytest.mark.parametrize("from_layer", [pytest.param("conv1", marks=pytest.mark.slow), "dense1"])
def test_it_trains_as_the_guides_code_does(from_layer):
    expected, model = by_keras(from_layer), models.unfreeze(pretrained(), from_layer)
    fit(model)
    for weight, wanted in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_allclose(weight, wanted, atol=1e-5, err_msg=weight.path)


def test_moving_averages_do_not_move_and_the_rest_does():
    model, before = pretrained(), pretrained()
    for layer in model.layers:
        layer.trainable = True  # BatchNormalization, too
    fit(models.unfreeze(model))
    changed = {
        weight.path
        for weight, old in zip(model.weights, before.weights, strict=True)
        if np.abs(weight.numpy() - old.numpy()).max() > 0
    }
    layers = ("conv1", "conv2", "dense1", "dense2", "probabilities")
    assert changed == {f"{name}/kernel" for name in layers} | {"probabilities/bias"}


def test_layers_before_it_stay_frozen():
    model = models.unfreeze(pretrained(), "dense1")
    assert [layer.name for layer in model.layers if layer.trainable and layer.weights] == [
        "dense1",
        "dense2",
        "probabilities",
    ]


def test_it_stays_so_in_a_saved_model(tmp_path):
    models.unfreeze(pretrained(), "dense1").save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    assert [weight.path for weight in loaded.trainable_weights] == [
        "dense1/kernel",
        "dense2/kernel",
        "probabilities/kernel",
        "probabilities/bias",
    ]


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(RequestError) as caught:
        models.unfreeze(models.perceptron(), "featurs")
    assert str(caught.value) == (
        "Expected `from_layer` to be one of 'features', 'probabilities'. "
        "Received: from_layer='featurs'. Did you mean 'features'?"
    )
