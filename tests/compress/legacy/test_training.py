"""What a tf_keras model gets of a dataset; the training itself is test_quantize_aware's."""

import numpy as np
import tensorflow as tf

from tfpipe.compress.legacy.training import batches


def test_batches_lose_their_ids_and_the_autotuner():
    inputs = {"id": [["a"], ["b"]], "image": np.arange(4.0).reshape(2, 1, 2)}
    given = tf.data.Dataset.from_tensor_slices((inputs, [[0], [1]], [[0.5], [1.0]]))
    bare = batches(given)
    found = [tuple(part.tolist() for part in batch) for batch in bare.as_numpy_iterator()]
    assert found == [([[0.0, 1.0]], [0], [0.5]), ([[2.0, 3.0]], [1], [1.0])]
    assert bare.options().autotune.enabled is False
