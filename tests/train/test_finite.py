"""A loss or gradient that is not finite stops the training, or its step is left out and counted."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train
from tfpipe.train import state

RNG = np.random.default_rng(0)
X = RNG.random((40, 6), np.float32) + 0.5
Y = RNG.integers(0, 3, 40)


def batches(x=X, y=Y, batch_size=8):
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size)


def with_bad(value, *rows):
    x = X.copy()
    x[list(rows), 2] = value
    return x


def logarithmic(strategy=None, optimizer="sgd"):
    """A layer named `log` takes the logarithm of the inputs: NaN for those below 0."""
    keras.utils.set_random_seed(1)
    with (strategy or tf.distribute.get_strategy()).scope():
        x = keras.Input((6,))
        h = keras.layers.BatchNormalization(name="bn")(x)
        h = keras.layers.Lambda(lambda pair: keras.ops.log(pair[0]) + pair[1], name="log")([x, h])
        model = keras.Model(x, keras.layers.Dense(3, activation="softmax", name="head")(h))
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def rooted():
    """The loss is finite at 0, and the gradient of its square root is not."""
    x = keras.Input((6,))
    h = keras.layers.Dense(4, kernel_initializer="zeros", name="below")(x)
    root = keras.layers.Lambda(lambda h: keras.ops.sqrt(keras.ops.relu(h)), name="root")(h)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax", name="head")(root))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def stopped(model, dataset, **options):
    with pytest.raises(train.NotFiniteError) as caught:
        train.fit(model, dataset, **options)
    return str(caught.value)


REST = (
    ". The weights are those from before this step. A smaller learning rate or `clip_norm` may "
    "help; `on_nan='skip'` leaves such steps out."
)


@pytest.mark.parametrize(("steps_per_call", "replicas"), [(1, 1), (4, 1), (4, 2)])
def test_it_stops_with_the_step_and_the_layer(two_devices, steps_per_call, replicas):
    strategy = two_devices if replicas == 2 else tf.distribute.get_strategy()
    model, expected = logarithmic(strategy), logarithmic(strategy)
    data = batches(with_bad(-1.0, 21))
    assert stopped(model, data, epochs=2, steps_per_call=steps_per_call) == (
        "The loss or a gradient is not finite in epoch 1, step 3 of 5, batch 3 of the pass "
        "(`records.read(..., start=(0, 2))` begins with its examples). The first layer whose "
        "output is not finite is 'log'" + REST
    )
    train.fit(expected, data.take(2))
    for name in ("head", "bn"):  # neither the weights nor the batch statistics have seen it
        for a, b in zip(
            model.get_layer(name).get_weights(), expected.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(a, b)


def test_inputs_that_are_not_finite_are_named():
    sentence = stopped(logarithmic(), batches(with_bad(np.inf, 0)))
    assert "examples). The inputs of the batch are not finite." in sentence


def test_a_gradient_that_is_not_finite_is_named():
    sentence = stopped(rooted(), batches())
    assert "The loss is finite; the first gradient that is not is that of 'below/" in sentence


def test_weights_that_were_not_finite_before_are_named():
    model = logarithmic()
    model.get_layer("head").kernel.assign(np.full((6, 3), np.nan))
    assert "The weights 'head/kernel' are not finite." in stopped(model, batches())


def test_in_a_group_the_batch_is_named():
    sentence = stopped(logarithmic(), batches(with_bad(-1.0, 21)), accumulate=2)
    assert "in epoch 1, step 2 of 3, batch 3 of the pass (" in sentence
    assert "The first layer whose output is not finite is 'log'." in sentence


def test_examples_that_carry_an_id_are_named():
    x = {"features": with_bad(np.inf, 9), "id": [f"image{number}" for number in range(40)]}
    features = keras.Input((6,), name="features")
    head = keras.layers.Dense(3, activation="softmax")
    model = keras.Model({"features": features}, head(features))
    sentence = stopped(model, tf.data.Dataset.from_tensor_slices((x, Y)).batch(4))
    assert "batch 3 of the pass (examples image8, image9, image10, image11). The inputs" in sentence


@pytest.mark.parametrize(("replicas", "optimizer"), [(1, "adam"), (2, "sgd")])
def test_a_bad_step_is_skipped_and_counted(two_devices, replicas, optimizer):
    strategy = two_devices if replicas == 2 else tf.distribute.get_strategy()
    model, expected = logarithmic(strategy, optimizer), logarithmic(strategy, optimizer)
    history = train.fit(model, batches(with_bad(-1.0, 21)), on_nan="skip").history
    without = np.delete(np.arange(40), range(16, 24))
    same = train.fit(expected, batches(X[without], Y[without])).history
    assert history.pop("skipped") == [1.0]
    assert history == same
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# Five batches in calls of five or of two: the first of a call, its last, two in turn, all of one.
@pytest.mark.parametrize("steps_per_call", [5, 2])
@pytest.mark.parametrize("bad", [[0], [4], [1, 2], [0, 1], [0, 2, 4]])
def test_bad_steps_are_skipped_wherever_they_are(bad, steps_per_call):
    model, expected = logarithmic(), logarithmic()
    x = with_bad(-1.0, *(8 * number for number in bad))
    options = {"on_nan": "skip", "steps_per_call": steps_per_call}
    history = train.fit(model, batches(x), **options).history
    without = np.delete(np.arange(40), [row for n in bad for row in range(8 * n, 8 * n + 8)])
    same = train.fit(expected, batches(X[without], Y[without])).history
    assert history.pop("skipped") == [len(bad)]
    assert history == same
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# A loss scale is lowered where gradients overflow; a loss that is not finite is another matter.
@pytest.mark.parametrize("scaled", [False, True])
def test_a_group_with_a_bad_batch_is_skipped_whole(scaled):
    optimizers = [keras.optimizers.SGD(0.01) for _ in range(2)]
    if scaled:
        optimizers = [keras.optimizers.LossScaleOptimizer(optimizer) for optimizer in optimizers]
    model, expected = (logarithmic(optimizer=optimizer) for optimizer in optimizers)
    history = train.fit(model, batches(with_bad(-1.0, 21)), on_nan="skip", accumulate=2).history
    assert history["skipped"] == [1.0]
    # Batches 1 and 2, and 5; of 3 and 4, only the batch statistics of 4 remain.
    train.fit(expected, batches().take(2), accumulate=2)
    train.fit(expected, batches().skip(4), accumulate=2)
    for a, b in zip(
        model.get_layer("head").get_weights(),
        expected.get_layer("head").get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_an_overflow_in_float16_is_the_loss_scales_affair():
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=3e38)
    model = logarithmic(optimizer=optimizer)
    start = model.get_layer("head").get_weights()
    train.fit(model, batches(X * 100), epochs=10)
    assert float(model.optimizer.dynamic_scale) < 3e38
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert (start[0] != model.get_layer("head").get_weights()[0]).any()


def test_a_batch_that_is_skipped_leaves_a_stateful_layer_as_it_was():
    x = np.random.default_rng(0).random((6, 3, 1), np.float32)
    x[2] = np.nan
    model = keras.Sequential(
        [keras.Input(batch_shape=(2, 3, 1)), keras.layers.GRU(2, stateful=True)]
    )
    dataset = batches(x, np.zeros((6, 2), np.float32), 2)
    train.fit(model, dataset, optimizer="sgd", loss="mse", on_nan="skip")
    assert all(np.isfinite(value).all() for value in map(np.array, state.carried(model)))
