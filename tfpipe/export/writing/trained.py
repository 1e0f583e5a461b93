"""Models from `compress.quantize_aware`, whose ranges were trained: tf_keras models, for int8 only.

Example:

    if is_trained(model): ...
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.export.writing.graph import Scoring
from tfpipe.ops import Op, ToFloat


def is_trained(model: Any) -> bool:
    """Whether it is a model from `quantize_aware`."""
    return type(model).__module__.startswith("tf_keras.")


def stand_in(model: Any, mode: str) -> keras.Model:
    """A Keras 3 model with the name, the input and the output of a trained one.

    Raises:
        RequestError: `mode` is not int8.
    """
    if mode != "int8":
        raise RequestError(
            f"Expected mode='int8' for {model.name!r}, which was trained for it. "
            f"Received: mode={mode!r}. For another mode, give the model from before "
            "`quantize_aware`."
        )
    x = keras.Input(model.input_shape[1:], dtype=model.inputs[0].dtype.name)
    y = keras.layers.Lambda(lambda x: x, output_shape=model.output_shape[1:])(x)
    return keras.Model(x, y, name=model.name)


def divided(ops: Sequence[Op]) -> tuple[Sequence[Op], Sequence[Op]]:
    """The ops before the network, and ToFloat if that is all that makes floats of pixels.

    ToFloat costs nothing: pixels are its results, in integers with a scale of 1/255. No scale
    stands for other ops; they compute in float32 before the network.
    """
    pixels = [op for op in ops if op.gives == "uint8"]
    if ops and ops[-1] == ToFloat() and len(pixels) == len(ops) - 1:
        return pixels, ops[-1:]
    return ops, ()


def trained_scoring(model: Any, *, pixels: bool) -> Scoring:
    """The function inside a file.

    Args:
        model: the trained model.
        pixels: whether it is called with what ToFloat gives.
    """

    def scores(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        if pixels:
            inputs = tf.quantization.fake_quant_with_min_max_args(inputs, 0.0, 1.0)
        return {"scores": model(inputs, training=False)}

    return scores
