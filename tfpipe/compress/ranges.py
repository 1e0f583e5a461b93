"""Where the ranges of a quantisation-aware model begin.

tfmot lets every range begin at -6 to 6, and moves it by a thousandth of the way with each batch: a
tanh, between -1 and 1, has had 5 of 6 parts of its steps for nothing after hundreds of batches.
So the ranges are found before the training, from a few batches.
"""

import re
from typing import Any

import tensorflow as tf

_DECAY = 0.999  # of tfmot's moving averages
_RANGES = re.compile(r"(activation|output\d*)_(min|max):0$")
_ROUNDS, _BATCHES = 3, 8


def find_ranges(model: Any, inputs: tf.data.Dataset) -> None:
    """Sets the ranges of the activations to their means over a few batches.

    A range is seen through the ranges before it, so there are several rounds.

    Args:
        model: a tf_keras model, quantised by tfmot; its other variables stay as they are.
        inputs: batches of what it takes.
    """
    ranges = [v for v in model.non_trainable_variables if _RANGES.search(v.name)]
    others = [v for v in model.non_trainable_variables if not _RANGES.search(v.name)]
    before = [tf.identity(v) for v in others]
    run = tf.function(lambda batch: model(batch, training=True), reduce_retracing=True)
    for _ in range(_ROUNDS):
        begun = [tf.identity(v) for v in ranges]
        count = 0
        for batch in inputs.take(_BATCHES):
            run(batch)
            count += 1
        share = _DECAY**count  # of where a moving average began, in where it is
        for variable, start in zip(ranges, begun, strict=True):
            variable.assign((variable - share * start) / (1 - share))
    for variable, value in zip(others, before, strict=True):
        variable.assign(value)
