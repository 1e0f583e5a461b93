"""Gradients of replicas, against sums by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe.train import gradients


def model(strategy, scale=None):
    with strategy.scope():
        x = keras.Input((2,))
        made = keras.Model(x, keras.layers.Dense(1)(x))
        optimizer = keras.optimizers.SGD(1.0)
        if scale:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale)
        made.compile(optimizer, "mse")
        made.optimizer.build(made.trainable_variables)
    return made


def test_replicas_are_summed_and_none_stays_none(two_devices):
    made = model(two_devices)

    def run():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return gradients.joined(
            made, [tf.constant([3.0, 4.0]) * tf.cast(replica + 1, tf.float32), None]
        )

    (found, none), norm = tf.function(lambda: two_devices.run(run))()
    assert none is None
    for value in two_devices.experimental_local_results(found):
        np.testing.assert_array_equal(value, [9.0, 12.0])
    assert float(gradients.first(two_devices, norm)) == 15.0


def test_the_norm_is_without_the_loss_scale():
    one = tf.distribute.get_strategy()
    scaled = [tf.constant([3e38, 0.0]), tf.constant([0.0, 3e38])]  # their squares overflow
    norm = gradients.norm_of(model(one, scale=1e38), scaled)
    np.testing.assert_allclose(norm, np.hypot(3.0, 3.0), rtol=1e-6)
    assert not np.isfinite(gradients.norm_of(model(one), scaled))


@pytest.mark.parametrize(
    ("scale", "norm", "expected"),
    [
        (None, 1.0, True),
        (None, np.inf, False),
        (None, np.nan, False),
        (8.0, np.inf, True),  # the optimizer lowers its scale and tries again
        (1.0, np.inf, False),
    ],
)
def test_what_an_optimizer_can_go_on_from(scale, norm, expected):
    optimizer = model(tf.distribute.get_strategy(), scale).optimizer
    assert bool(gradients.usable(optimizer, tf.constant(norm))) is expected


def test_without_examples_a_gradient_is_0():
    nan = tf.constant([np.nan, 1.0])
    np.testing.assert_array_equal(gradients.whole(nan, tf.constant(0.0)), [0.0, 0.0])
    np.testing.assert_array_equal(gradients.whole(nan, tf.constant(0.5)), nan)
    assert gradients.whole(None, None) is None


def test_rows_that_are_named_twice_are_added():
    twice = tf.IndexedSlices(tf.ones((2, 1)), tf.constant([1, 1]), tf.constant([3, 1]))
    np.testing.assert_array_equal(gradients.whole(twice, None), [[0.0], [2.0], [0.0]])
