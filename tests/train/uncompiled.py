"""One layer, not compiled, and its data; what fit says where it refuses them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train
from tfpipe.errors import RequestError

X = np.random.default_rng(0).random((20, 6), np.float32)
Y = (X[:, 0] * 3).astype(np.int64)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


def model_of(head="softmax", kind=keras.Model):
    x = keras.Input((6,))
    return kind(x, keras.layers.Dense(3, activation=head, name="head")(x), name="small")


def refused(*arguments, **options):
    with pytest.raises(RequestError) as caught:
        train.fit(*arguments, **options)
    return str(caught.value)
