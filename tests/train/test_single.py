"""The parts of a step: what is seen changes nothing that is trained, what counts does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.train.small import assert_close, fit
from tfpipe.train import compiling, finite, step
from tfpipe.train.single import single

X = np.float32([[1, 2], [3, 5]])
Y = np.int64([0, 0])
BATCH = (tf.constant(X), tf.constant(Y))

pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist")  # as they should not


def normalized(optimizer="sgd"):
    """Its first layer has a weight that the loss does not depend on."""
    keras.utils.set_random_seed(2)
    x = keras.Input((2,))
    h = keras.layers.BatchNormalization(momentum=0.5)(x)
    h = keras.layers.Lambda(lambda h: keras.ops.stop_gradient(h))(h)
    model = keras.Model(x, keras.layers.Dense(2, activation="softmax")(h))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    compiling.build(model, tf.data.Dataset.from_tensors(BATCH).element_spec)
    return model


def parts(model, clip_norm=None):
    watch = finite.Watch(stop=True)
    return single(model, step.Options(clip_norm, 1, False, False), watch), watch


def trained(model):
    return [weight.numpy() for weight in model.trainable_variables]


def test_looking_leaves_what_is_trained_and_counting_does_not():
    model = normalized()
    one, watch = parts(model)
    before = trained(model)
    seen = one.look(BATCH)
    for a, b in zip(before, trained(model), strict=True):
        np.testing.assert_array_equal(a, b)
    assert bool(one.is_fine(seen))
    assert bool(one.settle(seen))
    changed = [(a != b).any() for a, b in zip(before, trained(model), strict=True)]
    assert changed == [False, False, True, True]  # what has no gradient stays as it was
    assert watch.num_bad == 0


def test_gradients_are_those_of_keras_own_step_whatever_has_none():
    model, same = normalized("adam"), normalized("adam")
    for _ in range(3):
        one, _ = parts(model)
        one.settle(one.look(BATCH))
        same.train_on_batch(X, Y)
    assert_close(model.get_weights(), same.get_weights())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_batch_that_is_not_fine_is_dropped(value):
    model = normalized()
    one, watch = parts(model)
    before = model.get_weights()
    bad = (tf.constant(np.float32([[1, value], [3, 5]])), BATCH[1])
    seen = one.look(bad)
    assert not bool(one.is_fine(seen))
    assert not bool(one.settle(seen))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert watch.num_bad == 1
    np.testing.assert_array_equal(watch.batches[0][0], bad[0])


def test_weights_without_a_gradient_do_not_keep_the_others_from_training():
    """In the graph's loop, too, where no None can be carried along."""
    model, same = normalized(), normalized()
    dataset = tf.data.Dataset.from_tensors(BATCH).repeat(5)
    fit(model, dataset.apply(tf.data.experimental.assert_cardinality(5)), steps_per_call=5)
    same.fit(dataset, shuffle=False, verbose=0)
    assert_close(model.get_weights(), same.get_weights())
