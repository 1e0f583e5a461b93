"""A function is called after every update, in whatever loop, and only then."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train
from tfpipe.compress.updates import after_updates, release, updating

X, Y = np.random.default_rng(0).random((40, 4), np.float32), np.zeros(40, np.int64)
SLOW = pytest.mark.slow
OTHERS = [{}, {"jit_compile": True}, {"run_eagerly": True}]
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)  # 5 steps


def classifier(optimizer="sgd", **compiled):
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2, activation="softmax", dtype="float32")(x))
    model.compile(optimizer, "sparse_categorical_crossentropy", **compiled)
    return model


def counted(model):
    """A variable that counts the updates, in each replica's copy."""
    with model.distribute_strategy.scope():
        calls = tf.Variable(0, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def hold(strategy):
        strategy.extended.update(calls, lambda v: v.assign_add(1), group=False)

    after_updates(model, hold)
    return calls


def copies(strategy, variable):
    return [int(part) for part in strategy.experimental_local_results(variable)]


@pytest.mark.parametrize(
    "compiled",
    [{"steps_per_execution": 3}, *(pytest.param(options, marks=SLOW) for options in OTHERS)],
    ids=str,
)
def test_in_keras_own_fit(compiled):
    model = classifier(**compiled)
    model.fit(TRAIN, verbose=0, shuffle=False)  # its graph is there already
    calls = counted(model)
    model.fit(TRAIN, verbose=0, shuffle=False)
    assert int(calls) == 5
    release(model)
    model.fit(TRAIN, verbose=0, shuffle=False)
    assert int(calls) == 5


@pytest.mark.parametrize(
    "options", [{"accumulate": 2}, pytest.param({"jit_compile": True}, marks=SLOW)], ids=str
)
def test_in_the_trainer(options):
    model = classifier()
    calls = counted(model)
    train.fit(model, TRAIN, epochs=2, **options)
    assert int(calls) == int(updating(model).iterations) == (6 if "accumulate" in options else 10)


def test_in_every_replica(two_devices):
    with two_devices.scope():
        model = classifier()
        calls = counted(model)
    train.fit(model, TRAIN, epochs=2)
    assert copies(two_devices, calls) == [10, 10]
    model.fit(X, Y, batch_size=8, verbose=0, shuffle=False)
    assert copies(two_devices, calls) == [15, 15]


@pytest.mark.parametrize("loop", [pytest.param("keras", marks=SLOW), "tfpipe"])
def test_not_where_a_loss_scale_skips_the_update(two_devices, loop):
    for strategy in (tf.distribute.get_strategy(), two_devices):
        with strategy.scope():
            # Its first gradients are infinite, until the scale has fallen.
            scaled = keras.optimizers.LossScaleOptimizer(
                keras.optimizers.SGD(), initial_scale=2.0**127
            )
            model = classifier(scaled, loss_weights=32.0)
            calls = counted(model)
        if loop == "keras":
            model.fit(X, Y, batch_size=8, epochs=3, verbose=0, shuffle=False)
        else:
            train.fit(model, TRAIN, epochs=3)
        done = int(tf.convert_to_tensor(model.optimizer.iterations.value))
        assert 0 < done < 15
        assert set(copies(strategy, calls)) == {done}


def test_what_was_called_before_is_replaced():
    model = classifier()
    first, second = counted(model), counted(model)
    model.fit(TRAIN, verbose=0, shuffle=False)
    assert (int(first), int(second)) == (0, 5)


def test_the_optimizer_is_saved_as_ever(tmp_path):
    model = classifier("adam")
    counted(model)
    model.fit(TRAIN, verbose=0, shuffle=False)
    model.save(tmp_path / "held.keras")
    loaded = keras.models.load_model(tmp_path / "held.keras")
    assert "apply" not in vars(loaded.optimizer)
    assert int(loaded.optimizer.iterations) == 5
