"""What fit compiles a model with."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.uncompiled import TRAIN, X, Y, model_of, refused
from tfpipe import train


def test_a_model_is_compiled_with_what_is_given():
    model = model_of(None)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5))
    history = train.fit(model, TRAIN, loss=loss, optimizer=optimizer, metrics=["accuracy"])
    assert sorted(history.history) == ["accuracy", "loss"]
    assert model.optimizer is optimizer
    assert float(optimizer.learning_rate) == pytest.approx(0.05)


@pytest.mark.parametrize(
    "schedule",
    [
        keras.optimizers.schedules.CosineDecayRestarts(0.1, 3),
        keras.optimizers.schedules.CosineDecay(0.0, 9, warmup_target=0.1, warmup_steps=7),
    ],
    ids=["restarts", "warm-up"],
)
def test_keras_schedules_count_steps(schedule):
    model, optimizer = model_of(), keras.optimizers.SGD(schedule)
    train.fit(model, TRAIN, loss="sparse_categorical_crossentropy", optimizer=optimizer)
    assert float(optimizer.learning_rate) == pytest.approx(float(schedule(5)))  # 20 examples in 4s


def test_what_is_not_given_stays_as_it_was_compiled():
    model = model_of()
    model.compile("adam", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    history = train.fit(model, TRAIN, optimizer="sgd").history
    assert sorted(history) == ["accuracy", "loss"]
    assert isinstance(model.optimizer, keras.optimizers.SGD)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_an_optimizer_from_before_weights_were_thawed_is_refused(policy):
    x = keras.Input((6,))
    hidden = keras.layers.Dense(4, name="hidden", trainable=False)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(hidden(x)), name="two")
    optimizer = keras.optimizers.SGD()
    if policy == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    train.fit(model, TRAIN, loss="sparse_categorical_crossentropy", optimizer=optimizer)
    hidden.trainable = True
    assert refused(model, TRAIN) == (
        "Expected an optimizer that knows all weights of 'two' that train. Received: one from "
        "before hidden/kernel did. Give `fit` a new `optimizer`."
    )
    train.fit(model, TRAIN, optimizer="sgd")


def test_a_subclassed_model_trains():
    class Small(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(3, activation="softmax")

        def call(self, inputs):
            return self.head(inputs)

    history = train.fit(Small(), TRAIN, epochs=2, loss="sparse_categorical_crossentropy")
    assert history.history["loss"][1] < history.history["loss"][0]


def test_a_weight_without_a_gradient_stays():
    x = keras.Input((6,))
    fixed = keras.layers.Dense(4, name="fixed")
    h = keras.layers.Lambda(keras.ops.stop_gradient)(fixed(x))
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(h))
    before = fixed.get_weights()
    with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
        train.fit(model, TRAIN, accumulate=2)
    np.testing.assert_array_equal(fixed.get_weights()[0], before[0])


def recurrent(length=5):
    x = keras.Input((length, 2))
    h = keras.layers.Bidirectional(keras.layers.LSTM(4))(x)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(h))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("replicas", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_xla_changes_nothing_but_the_rounding(two_devices, replicas):
    strategy = two_devices if replicas == 2 else tf.distribute.get_strategy()
    x = np.random.default_rng(0).random((18, 5, 2), np.float32)
    data = tf.data.Dataset.from_tensor_slices((x, Y[:18])).batch(8)
    weights = []
    for jit in (False, True):
        keras.utils.set_random_seed(1)
        with strategy.scope():
            model = recurrent()
        train.fit(model, data, epochs=2, jit_compile=jit)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_xla_is_used_where_it_is_asked_for():
    def model():
        # XLA knows no Python functions.
        python = keras.layers.Lambda(
            lambda x: tf.ensure_shape(tf.numpy_function(np.copy, [x], tf.float32), (None, 6))
        )
        x = keras.Input((6,))
        return keras.Model(x, keras.layers.Dense(3, activation="softmax")(python(x)))

    train.fit(model(), TRAIN, jit_compile=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="PyFunc"):
        train.fit(model(), TRAIN, jit_compile=True)


def test_outputs_may_be_a_list_of_one():
    x = keras.Input((6,))
    model = keras.Model(x, [keras.layers.Dense(3, activation="softmax")(x)])
    history = train.fit(model, TRAIN, loss="sparse_categorical_crossentropy").history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    "made", [lambda: keras.metrics.F1Score("macro"), keras.metrics.R2Score], ids=["f1", "r2"]
)
def test_metrics_that_keras_builds_late_are_right_on_two_replicas(two_devices, made):
    y = np.eye(3, dtype=np.float32)[Y]
    dataset = tf.data.Dataset.from_tensor_slices((X, y)).batch(6)
    model = model_of()
    model.compile("sgd", "categorical_crossentropy", metrics=[made()])
    with two_devices.scope():
        copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    with two_devices.scope():
        copy.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy", metrics=[made()])
    history = train.fit(copy, dataset)
    expected = model.evaluate(X, y, verbose=0, return_dict=True)
    name = model.metrics[-1].metrics[0].name
    np.testing.assert_allclose(history.history[name][0], expected[name], rtol=1e-5)
