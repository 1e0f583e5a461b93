"""What follows from a batch, on all replicas: an update, its place in the metrics, or nothing.

Each function returns whether the batch was fine, for the branches of a `tf.cond`.
"""

from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train import gradients, step
from tfpipe.train.finite import Watch


def updated(model: keras.Model, update: step.Step, means: Any, norm: Any) -> tf.Tensor:
    """The optimizer applies gradients that were summed over the replicas."""
    with gradients.summed_already(model.optimizer):
        model.distribute_strategy.run(update, args=(means, norm))
    return tf.constant(True)


def counted(model: keras.Model, batch: Any, seen: Any) -> tf.Tensor:
    """The batch counts in the loss' mean and in the metrics."""
    x, y, sample_weight = (*batch, None)[:3]
    args = (x, y, sample_weight, seen.y_pred, seen.loss, seen.count)
    model.distribute_strategy.run(step.count_in(model), args=args)
    return tf.constant(True)


def dropped(model: keras.Model, watch: Watch, batch: Any, seen: Any) -> tf.Tensor:
    """The batch leaves no trace in the model, and is kept for the error."""
    model.distribute_strategy.run(step.put_back(model), args=(seen.before,))
    watch.keep(model.distribute_strategy, batch)
    return tf.constant(False)
