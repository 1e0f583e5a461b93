"""One training step and one evaluation step, as small functions of a batch on one replica."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras

Step = Callable[..., None]


def train_step(model: keras.Model, after_update: Callable[[], Any] | None) -> Step:
    """A function of (x, y[, sample_weight]): one gradient step, and the metrics' update."""

    def step(x: Any, y: Any, sample_weight: Any = None) -> None:
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            mean_loss, count, share = _loss(model, x, y, y_pred, sample_weight)
            scaled = model.optimizer.scale_loss(mean_loss * share)
        gradients = tape.gradient(scaled, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)
        if after_update is not None:
            after_update()
        _update_metrics(model, x, y, y_pred, sample_weight, mean_loss, count)

    return step


def eval_step(model: keras.Model) -> Step:
    """A function of (x, y[, sample_weight]): the metrics' update, without training."""

    def step(x: Any, y: Any, sample_weight: Any = None) -> None:
        y_pred = model(x, training=False)
        mean_loss, count, _ = _loss(model, x, y, y_pred, sample_weight)
        _update_metrics(model, x, y, y_pred, sample_weight, mean_loss, count)

    return step


def _loss(
    model: keras.Model, x: Any, y: Any, y_pred: Any, sample_weight: Any
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The mean loss of the replica's examples, how many they are, and their share of the batch.

    Summed over the replicas, loss times share is the mean over the whole batch, however the
    batch was split; a replica without examples adds 0.
    """
    context = tf.distribute.get_replica_context()
    # Keras divides its losses by the number of replicas, as if all had the same share.
    loss = model.compute_loss(x, y, y_pred, sample_weight) * context.num_replicas_in_sync
    count = tf.cast(tf.shape(tf.nest.flatten(x)[0])[0], tf.float32)
    share = count / context.all_reduce(tf.distribute.ReduceOp.SUM, count)
    return tf.where(count > 0, loss, 0.0), count, share


def _update_metrics(
    model: keras.Model, x: Any, y: Any, y_pred: Any, sample_weight: Any, mean_loss: Any, count: Any
) -> None:
    model.metrics[0].update_state(mean_loss, sample_weight=count)  # Keras keeps the loss first
    model.compute_metrics(x, y, y_pred, sample_weight)
