"""What is held after every update of a tf_keras model's weights."""

import numpy as np
import pytest
import tensorflow as tf

from tfpipe.compress.holding import holding

RNG = np.random.default_rng(0)


@pytest.fixture
def kernel():
    return tf.Variable(RNG.normal(size=(20, 30)).astype(np.float32), name="dense/kernel")


class Model:
    """As much of a model as there is to hold."""

    def __init__(self, *variables):
        self.trainable_variables = variables


def trained(kernel, start):
    """The kernel after an update by 0.01 to 0.02, held."""
    kernel.assign(start)
    hold = holding(Model(kernel))
    update = RNG.uniform(0.01, 0.02, kernel.shape).astype(np.float32)
    kernel.assign_add(update)
    hold()
    return kernel.numpy(), start + update


def test_zeros_stay_zeros_and_the_others_move(kernel):
    start = kernel.numpy() * (RNG.random(kernel.shape) < 0.3)
    found, moved = trained(kernel, start)
    np.testing.assert_array_equal(found, np.where(start == 0, 0, moved))


def test_shared_values_become_the_mean_of_what_they_were_moved_to(kernel):
    start = RNG.integers(-2, 3, kernel.shape).astype(np.float32) / 4
    found, moved = trained(kernel, start)
    for value in (-0.5, -0.25, 0.25, 0.5):
        np.testing.assert_allclose(found[start == value], moved[start == value].mean(), rtol=1e-6)
    assert (found[start == 0] == 0).all()


def test_a_dense_kernel_is_free(kernel):
    found, moved = trained(kernel, kernel.numpy())
    np.testing.assert_array_equal(found, moved)


def test_biases_are_free():
    bias = tf.Variable(np.zeros(30, np.float32), name="dense/bias")
    found, moved = trained(bias, np.zeros(30, np.float32))
    np.testing.assert_array_equal(found, moved)
