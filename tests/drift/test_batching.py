"""Whatever holds examples gives batches of inputs and targets."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.drift.batching import batches

X, Y = np.arange(600.0).reshape(300, 2), np.arange(300)


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        tf.data.Dataset.from_tensor_slices((X, Y)).batch(64),
        [(X[:100], Y[:100]), (X[100:], Y[100:])],
    ],
)
def test_inputs_and_targets(data):
    inputs, targets = (np.concatenate(part) for part in zip(*batches(data), strict=True))
    assert (inputs == X).all()
    assert (targets == Y).all()


@pytest.mark.parametrize("data", [X, tf.data.Dataset.from_tensor_slices(X).batch(64), [X]])
def test_inputs_alone(data):
    inputs, targets = zip(*batches(data), strict=True)
    assert (np.concatenate(inputs) == X).all()
    assert set(targets) == {None}


def test_texts_are_not_taken_for_batches():
    assert list(batches(["a film", "another"])) == [(["a film", "another"], None)]


def test_as_many_targets_as_inputs(refused):
    assert refused(list, batches((X, Y[:9]))) == (
        "Expected as many targets as inputs. Received: inputs=300, targets=9"
    )
