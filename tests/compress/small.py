"""The small model that pruning is tested on, its data, and the zeros that it should have."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

RNG = np.random.default_rng(0)
X = RNG.random((80, 8, 8, 1), np.float32)
Y = (X.mean((1, 2, 3)) > 0.5).astype(np.int64)
TRAIN = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)  # 10 steps


def classifier(optimizer="adam"):
    keras.utils.set_random_seed(1)
    x = keras.Input((8, 8, 1))
    h = keras.layers.Conv2D(4, 3, activation="tanh", name="conv")(x)
    h = keras.layers.DepthwiseConv2D(3, name="depthwise")(h)
    h = keras.layers.Dense(10, name="dense")(keras.layers.Flatten()(h))
    probabilities = keras.layers.Dense(2, activation="softmax", dtype="float32", name="head")(h)
    model = keras.Model(x, probabilities, name="small")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


KERNELS = {"conv/kernel": 36, "depthwise/kernel": 36, "dense/kernel": 640, "head/kernel": 20}


@contextlib.contextmanager
def mixed_precision():
    """Models that are built in this block compute in float16."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


def zeros(model):
    return {v.path: int(np.sum(v.numpy() == 0)) for v in model.weights if "kernel" in v.path}


def asked_for(sparsity):
    """tfmot keeps round(size * (1 - sparsity)) weights of each kernel."""
    return {path: size - round(size * (1 - sparsity)) for path, size in KERNELS.items()}
