"""What a batch leaves behind: a count, or nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe.train import finite, outcome, step

X = np.float32([[1, 2], [3, 4]])
Y = np.int64([0, 1])


@pytest.fixture
def model():
    x = keras.Input((2,))
    normalized = keras.layers.BatchNormalization(momentum=0.5)(x)
    made = keras.Model(x, keras.layers.Dense(2, activation="softmax")(normalized))
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    made.compute_metrics(X, Y, made(X))
    made.reset_metrics()
    return made


def test_a_batch_that_counts(model):
    batch = (tf.constant(X), tf.constant(Y))
    seen = step.forward(model, jit=False)(*batch)
    assert bool(outcome.counted(model, batch, seen))
    found = {name: float(value) for name, value in model.get_metrics_result().items()}
    assert found["loss"] == pytest.approx(float(seen.loss))
    assert found["accuracy"] == np.mean(np.argmax(seen.y_pred, -1) == Y)


def test_a_batch_that_is_dropped_leaves_no_trace_and_is_kept(model):
    batch = (tf.constant(X), tf.constant(Y))
    before = model.get_weights()
    seen = step.forward(model, jit=False)(*batch)
    moved = model.get_weights()
    assert any((a != b).any() for a, b in zip(before, moved, strict=True))
    watch = finite.Watch(stop=True)
    assert not bool(outcome.dropped(model, watch, batch, seen))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(watch.batches[0][0], X)
