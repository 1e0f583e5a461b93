"""A small job, trained without clipping, as Keras trains."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train
from tfpipe.errors import RequestError

RNG = np.random.default_rng(0)
X = RNG.random((42, 6), np.float32)
Y = (X[:, 0] * 3).astype(np.int64)
WEIGHTS = RNG.random(42, np.float32)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)  # 6 steps, the last one of 2
VAL = tf.data.Dataset.from_tensor_slices((X[:21], Y[:21])).batch(8)


def fit(*arguments, **options):
    """As Keras trains: it clips no gradient unless told to."""
    return train.fit(*arguments, **{"clip_norm": None, **options})


def classifier(optimizer="sgd", **compiled):
    keras.utils.set_random_seed(1)
    x = keras.Input((6,))
    hidden = keras.layers.Dense(5, activation="tanh")(x)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(hidden), name="small")
    settings = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **compiled}
    model.compile(optimizer, **settings)
    return model


def assert_close(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def assert_same_history(one, two):
    assert sorted(one) == sorted(two)
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-5, err_msg=name)


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        fit(*arguments, **options)
    return str(caught.value)
