"""Out of memory: what to try."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train
from tfpipe.errors import RequestError


def greedy(batch):
    """Asks for more memory than there is, at any batch size."""
    size = tf.shape(batch)[0]
    return batch + tf.reduce_sum(tf.zeros(tf.stack([size, 2**20, 2**20]))[:, 0, 0])


@pytest.mark.parametrize(
    ("batch_size", "accumulate", "advice"),
    [
        (8, 1, "Try batches of 4 and accumulate=2: the steps are the same, and need about half"),
        (8, 3, "Try batches of 4 and accumulate=6: the steps are the same, and need about half"),
        (1, 1, "Try smaller inputs, a smaller model, or precision='mixed_bfloat16'."),
    ],
)
def test_a_step_that_does_not_fit_says_what_to_try(batch_size, accumulate, advice):
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Lambda(greedy, output_shape=(4,))(x)))
    data = tf.data.Dataset.from_tensor_slices((np.zeros((16, 4)), np.zeros(16)))
    with pytest.raises(RequestError) as caught:
        train.fit(model, data.batch(batch_size), loss="mse", accumulate=accumulate)
    size = "a batch of one example" if batch_size == 1 else "a batch of 8"
    assert str(caught.value).startswith(f"There is not enough memory for {size} (")
    assert advice in str(caught.value)
