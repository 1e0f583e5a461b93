"""A small training that ends in the middle, as a kill would end it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfpipe import train

X = np.random.default_rng(0).random((40, 6), np.float32)
Y = (X[:, 0] * 3).astype(np.int64)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)


def classifier(units=5, name="small"):
    keras.utils.set_random_seed(1)
    x = keras.Input((6,))
    h = keras.layers.Dense(units, activation="tanh", name="hidden")(x)
    return keras.Model(x, keras.layers.Dense(3, activation="softmax", name="head")(h), name=name)


class Stop(keras.callbacks.Callback):
    """Ends the process' part, as a kill would, at a call of the graph."""

    def __init__(self, at=2):
        super().__init__()
        self.at, self.calls = at, 0

    def on_train_batch_end(self, batch, logs=None):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt


def interrupted(path, model=None, dataset=TRAIN, **options):
    with pytest.raises(KeyboardInterrupt):
        train.fit(
            model or classifier(),
            dataset,
            resume=path,
            checkpoint_s=0,
            steps_per_call=2,
            callbacks=[Stop()],
            **options,
        )


def names(folder):
    return sorted(path.name for path in folder.iterdir())
