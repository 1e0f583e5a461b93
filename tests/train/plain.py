"""Twenty examples of three classes, and a model for them that is not compiled."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
X = RNG.random((20, 6), np.float32)
Y = RNG.integers(0, 3, 20)


def batches(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays or (X, Y)).batch(4)


def classifier():
    keras.utils.set_random_seed(1)
    x = keras.Input((6,))
    return keras.Model(x, keras.layers.Dense(3, activation="softmax")(x))


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        train.fit(*arguments, **options)
    return str(caught.value)
