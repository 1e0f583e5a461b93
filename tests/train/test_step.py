"""A step is the same step however many replicas take their share of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train

RNG = np.random.default_rng(0)
X = RNG.random((17, 6), np.float32)
Y = RNG.integers(0, 3, 17)
WEIGHTS = RNG.random(17, np.float32) + 0.1


def batches(*arrays, batch_size=8):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)


def classifier(strategy, optimizer="sgd", regularizer=None, **compiled):
    keras.utils.set_random_seed(1)
    with strategy.scope():
        x = keras.Input((6,))
        hidden = keras.layers.Dense(5, activation="tanh", kernel_regularizer=regularizer)(x)
        model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(hidden))
        settings = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **compiled}
        model.compile(keras.optimizers.get(optimizer), **settings)
    return model


def trained(strategy, dataset, **options):
    model = classifier(strategy, **options)
    history = train.fit(model, dataset, dataset, epochs=3).history
    return model.get_weights(), history


def assert_same(one, two):
    for a, b in zip(one[0], two[0], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert list(one[1]) == list(two[1])
    for name in one[1]:
        np.testing.assert_allclose(one[1][name], two[1][name], rtol=1e-5)


@pytest.fixture(scope="module")
def one_device():
    return tf.distribute.get_strategy()


@pytest.mark.parametrize(
    ("arrays", "options"),
    [
        # full batches
        ((X[:16], Y[:16]), {}),
        # the last batch is 5, as 3 and 2
        ((X[:13], Y[:13], WEIGHTS[:13]), {"weighted_metrics": ["accuracy"]}),
        # the last batch is 1: a replica has none
        ((X, Y), {"optimizer": "adam", "regularizer": keras.regularizers.L2(0.1)}),
    ],
    ids=["even", "uneven, with weights", "an empty replica, with losses of layers"],
)
def test_two_replicas_are_one_of_the_same_global_batch(two_devices, one_device, arrays, options):
    dataset = batches(*arrays)
    one = trained(one_device, dataset, **options)
    two = trained(two_devices, dataset, **options)
    assert np.isfinite(list(two[1].values())).all()
    assert_same(one, two)


def test_a_replica_without_examples_is_harmless_to_a_loss_that_is_a_mean_by_itself(two_devices):
    def squared(y_true, y_pred):  # of no examples: not a number
        return keras.ops.mean(keras.ops.square(y_pred - keras.ops.one_hot(y_true, 3)))

    weights, history = trained(two_devices, batches(X, Y), loss=squared)
    assert np.isfinite(list(history.values())).all()
    assert all(np.isfinite(value).all() for value in weights)


def test_the_gradient_is_that_of_the_mean_over_the_batch(two_devices):
    model = classifier(two_devices, optimizer=keras.optimizers.SGD(1.0))
    before = model.get_weights()
    inputs, hidden, outputs = X[:5], before[:2], before[2:]

    with tf.GradientTape() as tape:
        variables = [tf.Variable(value) for value in (*hidden, *outputs)]
        h = tf.tanh(inputs @ variables[0] + variables[1])
        log_probabilities = tf.nn.log_softmax(h @ variables[2] + variables[3])
        loss = -tf.reduce_mean(tf.gather(log_probabilities, Y[:5], batch_dims=1))
    gradients = tape.gradient(loss, variables)

    history = train.fit(model, batches(inputs, Y[:5])).history
    np.testing.assert_allclose(history["loss"], [loss], rtol=1e-5)
    for old, new, gradient in zip(before, model.get_weights(), gradients, strict=True):
        np.testing.assert_allclose(new, old - gradient, atol=1e-6)


def test_a_loss_without_a_mean_is_what_keras_makes_of_it(one_device):
    options = {"loss": keras.losses.SparseCategoricalCrossentropy(reduction="sum")}
    ours = trained(one_device, batches(X, Y), **options)
    model = classifier(one_device, **options)
    dataset = batches(X, Y)
    theirs = model.fit(dataset, validation_data=dataset, epochs=3, verbose=0, shuffle=False)
    assert_same(ours, (model.get_weights(), theirs.history))
