"""Quantisation-aware training: the weights learn to live with int8 before the file is written.

    quantised = quantize_aware(model, train, val, epochs=3)
    to_tflite(quantised, "out/int8.tflite", mode="int8", prepare=prepare)

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018; the arithmetic is tfmot's.
"""

from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.compress import legacy
from tfpipe.compress.annotate import annotated
from tfpipe.compress.copying import require_compiled, require_graph
from tfpipe.compress.holding import holding
from tfpipe.compress.ranges import find_ranges
from tfpipe.compress.tfmot import load_tfmot
from tfpipe.errors import RequestError, received


def quantize_aware(
    model: keras.Model,
    train: tf.data.Dataset,
    val: tf.data.Dataset | None = None,
    *,
    epochs: int = 3,
    optimizer: keras.optimizers.Optimizer | None = None,
) -> Any:
    """Trains on while every weight and activation is rounded as in an int8 file.

    For models that lose too much when they are quantised after training. tfmot, which knows what
    TFLite computes, works on Keras 2 only: so the model is rebuilt in tf_keras, quantised and
    trained there, and what comes back is a tf_keras model. Make the file of it, and compare that
    with the Keras 3 model that you came with.

    Convolution, batch normalisation and activation are rounded once, as in the file, where they
    become one operator. Zeros of a pruned model stay zeros, and weights that share a few values
    (`cluster`) go on sharing them. The ranges of the activations begin where a few batches put
    them, and move with the training.

    Args:
        model: the trained, compiled model, with one input and one output; it stays as it is.
        train: batches, as `tfpipe.train.fit` takes them.
        val: looked at after every epoch.
        epochs: passes over `train`; a few are enough.
        optimizer: for this training; a new one like the model's own if None. A tenth of the
            learning rate that the model was trained with, or less, is a good choice.

    Returns:
        A `tf_keras.Model` with the ranges in it, with its training in `history`. It is trained
        on one device, in float32. `to_tflite(..., mode="int8")` writes it, and needs no
        calibration. Of the model's metrics it has those that Keras 2 has.

    Raises:
        RequestError: the model is not compiled, has several inputs or outputs, or has layers
            that tfmot cannot quantise (LSTM, GRU, Embedding, `keras.ops` and others): they are
            named, with what to do.

    Example:

    >>> x = keras.Input((8, 8, 1))
    >>> h = keras.layers.Conv2D(2, 3, activation="relu", name="conv")(x)
    >>> model = keras.Model(x, keras.layers.Dense(3)(keras.layers.Flatten()(h)))
    >>> model.compile("sgd", "mse")
    >>> train = tf.data.Dataset.from_tensors((tf.ones((4, 8, 8, 1)), tf.zeros((4, 3))))
    >>> quantised = quantize_aware(model, train, epochs=2)
    >>> list(quantised.history.history)
    ['loss']
    """
    _check(model, epochs)
    tfmot = load_tfmot()
    rebuilt = annotated(legacy.rebuild(model, flat=True))
    with tfmot.quantization.keras.quantize_scope():
        quantised = tfmot.quantization.keras.quantize_apply(rebuilt)
    find_ranges(quantised, legacy.batches(train).map(lambda inputs, *_: inputs))
    legacy.fit(
        quantised,
        model,
        train,
        val,
        epochs=epochs,
        optimizer=optimizer,
        after_update=holding(quantised),
    )
    return quantised


def _check(model: keras.Model, epochs: int) -> None:
    if epochs < 1:
        raise RequestError(received("`epochs` to be at least 1", epochs=epochs))
    require_compiled(model)
    require_graph(model)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise RequestError(
            "Expected a model with one input and one output. "
            f"Received: {model.name!r} with {len(model.inputs)} and {len(model.outputs)}."
        )
