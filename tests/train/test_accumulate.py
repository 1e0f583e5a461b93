"""Accumulated gradients: small batches in a group are one large batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train

RNG = np.random.default_rng(0)
X = RNG.random((23, 6), np.float32)
Y = RNG.integers(0, 3, 23)
WEIGHTS = RNG.random(23, np.float32) + 0.1


def batches(batch_size, *arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size)


def classifier(strategy, optimizer="adam", scaled=False):
    keras.utils.set_random_seed(1)
    with strategy.scope():
        x = keras.Input((6,))
        h = keras.layers.Dense(5, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.1))
        outputs = keras.layers.Dense(3, activation="softmax")(h(x))
        made = keras.optimizers.get(optimizer)
        made = keras.optimizers.LossScaleOptimizer(made) if scaled else made
        model = keras.Model(x, outputs)
        loss = "sparse_categorical_crossentropy"
        model.compile(made, loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
    return model


def trained(strategy, dataset, accumulate=1, clip_norm=None, **options):
    model = classifier(strategy, **options)
    with strategy.scope():  # as in the block of `distribute`
        history = train.fit(model, dataset, epochs=3, accumulate=accumulate, clip_norm=clip_norm)
    return model, history.history


def steps(model):
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations))


def assert_same(one, two):
    for a, b in zip(one[0].get_weights(), two[0].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)
    assert steps(one[0]) == steps(two[0])
    assert list(one[1]) == list(two[1])
    for name in one[1]:
        if name != "loss":  # the regularizer's is that of each batch's weights
            np.testing.assert_allclose(one[1][name], two[1][name], rtol=1e-5)


# 23 examples: groups of 3 batches of 4 make steps of 12 and 11, the last batch being of 3; groups
# of 4 batches of 2 make steps of 8, 8 and 7, of which one batch is of a single example.
@pytest.mark.parametrize(("replicas", "batch_size", "accumulate"), [(1, 2, 4), (2, 4, 3)])
@pytest.mark.parametrize(
    "options", [{}, {"clip_norm": 0.05}, {"scaled": True}], ids=["plain", "clipped", "scaled"]
)
def test_a_group_is_one_large_batch(two_devices, batch_size, accumulate, replicas, options):
    strategy = two_devices if replicas == 2 else tf.distribute.get_strategy()
    arrays = (X, Y, WEIGHTS)
    group = trained(strategy, batches(batch_size, *arrays), accumulate, **options)
    large = trained(
        tf.distribute.get_strategy(), batches(batch_size * accumulate, *arrays), **options
    )
    assert_same(group, large)


def test_callbacks_and_schedules_count_steps_not_batches():
    seen = []
    note = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model = classifier(tf.distribute.get_strategy())
    dataset = batches(4, X, Y)  # 6 batches: groups of 4 and 2
    train.fit(model, dataset, epochs=2, accumulate=4, steps_per_call=1, callbacks=[note])
    assert seen == [0, 1, 0, 1]
    assert steps(model) == 4


def test_a_group_longer_than_the_epoch_is_one_step():
    model = classifier(tf.distribute.get_strategy())
    train.fit(model, batches(4, X, Y), epochs=2, accumulate=50)
    assert steps(model) == 2
