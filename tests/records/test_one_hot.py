"""`records.one_hot`: what the loss of whole labels is, its loss of rows is, too."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import records
from tfpipe.errors import RequestError


def test_batches_keep_their_number_their_inputs_and_their_weights(digits):
    images, labels = digits[0][:10], digits[1][:10]
    weights = np.arange(10.0)
    batches = tf.data.Dataset.from_tensor_slices((images, labels, weights)).batch(4)
    changed = batches.map(records.one_hot(10))
    assert len(changed) == 3
    parts = list(changed.as_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), images)
    np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), np.eye(10)[labels])
    np.testing.assert_array_equal(np.concatenate([part[2] for part in parts]), weights)


def test_the_loss_is_that_of_whole_labels():
    labels, scores = tf.constant([1, 0, 2]), tf.nn.softmax(tf.random.normal((3, 3), seed=0))
    _, rows = records.one_hot(3)(scores, labels)
    found = keras.losses.CategoricalCrossentropy()(rows, scores)
    assert float(found) == pytest.approx(
        float(keras.losses.SparseCategoricalCrossentropy()(labels, scores))
    )


def test_one_class_is_refused():
    with pytest.raises(RequestError) as caught:
        records.one_hot(1)
    assert str(caught.value) == "Expected `num_classes` to be at least 2. Received: num_classes=1"
