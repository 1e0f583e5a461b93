"""What one replica does with one batch: gradients, an update, an evaluation.

Example:

    seen = forward(model, jit=False)(x, y, sample_weight)
    update(model, options)(*joined(model, seen.gradients))
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train.data import model_inputs
from tfpipe.train.gradients import all_sum, num_replicas, whole
from tfpipe.train.state import carried

Step = Callable[..., Any]


class Options(NamedTuple):
    """What a step is made of."""

    clip_norm: float | None
    accumulate: int
    skip_bad: bool
    jit: bool
    jit_update: bool = False


class Seen(NamedTuple):
    """What a replica has seen in its share of a batch."""

    gradients: list[tf.Tensor | None]  # this replica's part of the mean's gradient, as scaled
    loss: tf.Tensor  # the mean over the replica's examples
    count: tf.Tensor  # the replica's examples
    total: tf.Tensor  # all replicas' examples
    finite: tf.Tensor  # the whole batch's loss
    y_pred: Any
    before: list[tf.Tensor]  # what is not trained (batch statistics, seeds), from before


def forward(model: keras.Model, *, jit: bool) -> Step:
    """A function of (x, y[, sample_weight]) to `Seen`.

    Summed over the replicas, the gradients are those of the mean over the whole batch, however
    the batch was split; a replica without examples adds 0.
    """
    local = _compiled(_local(model), jit)

    @tf.autograph.experimental.do_not_convert
    def run(x: Any, y: Any, sample_weight: Any = None) -> Seen:
        """A replica without examples keeps its statistics, and adds no gradient."""
        x = model_inputs(x)
        before = [tf.convert_to_tensor(v.value) for v in _not_trained(model)]
        count = tf.cast(tf.shape(tf.nest.flatten(x)[0])[0], tf.float32)
        total, share = all_sum(count), None
        if num_replicas() > 1:
            share = count / total
        gradients, loss, y_pred = local(x, y, sample_weight, share)
        if num_replicas() > 1:
            # The mean of no examples is not a number, nor would a moving average be from then on.
            for variable, value in zip(_not_trained(model), before, strict=True):
                variable.assign(tf.where(count > 0, variable.value, value))
        finite = tf.math.is_finite(loss if share is None else all_sum(loss * share))
        return Seen(gradients, loss, count, total, finite, y_pred, before)

    return run


def evaluate(model: keras.Model) -> Step:
    """A function of (x, y[, sample_weight]): the metrics' update, without training."""
    call = _caller(model, training=False)

    @tf.autograph.experimental.do_not_convert
    def run(x: Any, y: Any, sample_weight: Any = None) -> None:
        """The loss of no examples is not a number, and counts nothing."""
        x = model_inputs(x)
        y_pred = call(x)
        count = tf.cast(tf.shape(tf.nest.flatten(x)[0])[0], tf.float32)
        loss = _mean_loss(model, x, y, y_pred, sample_weight, training=False)
        count_in(model)(x, y, sample_weight, y_pred, tf.where(count > 0, loss, 0.0), count)

    return run


def update(model: keras.Model, options: Options) -> Step:
    """A function of (gradients, norm): clips them, and has the optimizer apply them.

    The gradients are those of the whole batch, the same on every replica, and multiplied by the
    loss scale, as a `LossScaleOptimizer` wants them; the norm is not.
    """
    clip_norm = options.clip_norm

    @tf.autograph.experimental.do_not_convert
    def apply(gradients: list[tf.Tensor | None], norm: tf.Tensor) -> None:
        if clip_norm is not None:
            factor = clip_norm / tf.maximum(norm, clip_norm)
            gradients = [None if g is None else g * tf.cast(factor, g.dtype) for g in gradients]
        model.optimizer.apply(gradients, model.trainable_variables)

    # Replicas talk to each other in between, which a compiled function cannot.
    jit = options.jit or options.jit_update
    return _compiled(apply, jit and model.distribute_strategy.num_replicas_in_sync == 1)


def count_in(model: keras.Model) -> Step:
    """A function that adds a batch to the loss' mean and to the metrics."""

    @tf.autograph.experimental.do_not_convert
    def run(x: Any, y: Any, sample_weight: Any, y_pred: Any, loss: Any, count: Any) -> None:
        """On one replica: its part of the batch."""
        model.metrics[0].update_state(loss, sample_weight=count)  # Keras keeps the loss first
        model.compute_metrics(x, y, y_pred, sample_weight)

    return run


def put_back(model: keras.Model) -> Step:
    """A function of values: the batch statistics and seeds from before a batch."""

    @tf.autograph.experimental.do_not_convert
    def run(before: Sequence[tf.Tensor]) -> None:
        """On one replica."""
        for variable, value in zip(_not_trained(model), before, strict=True):
            variable.assign(value)

    return run


def average_statistics(model: keras.Model) -> Step:
    """A function that gives every replica the mean of all replicas' moving averages."""

    @tf.autograph.experimental.do_not_convert
    def run() -> None:
        """On one replica, in the context of all."""
        context = tf.distribute.get_replica_context()
        for variable in model.non_trainable_variables:
            if variable.value.dtype.is_floating:
                mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, variable.value)
                variable.assign(mean)

    return run


def _not_trained(model: keras.Model) -> list[keras.Variable]:
    """What a batch changes without a gradient."""
    return [*model.non_trainable_variables, *carried(model)]


def _local(model: keras.Model) -> Step:
    call = _caller(model, training=True)

    def run(x: Any, y: Any, sample_weight: Any, share: tf.Tensor | None) -> tuple[Any, Any, Any]:
        """The gradients of the replica's part of the mean, its own loss, and its predictions."""
        with tf.GradientTape() as tape:
            y_pred = call(x)
            loss = _mean_loss(model, x, y, y_pred, sample_weight, training=True)
            if share is not None:
                loss = tf.where(share > 0, loss, 0.0)
            part = loss if share is None else loss * share
            scaled = model.optimizer.scale_loss(part)
        gradients = tape.gradient(scaled, model.trainable_variables)
        return [whole(gradient, share) for gradient in gradients], loss, y_pred

    return run


def _compiled(function: Step, jit: bool) -> Step:
    return tf.function(function, jit_compile=True, autograph=False) if jit else function


def _mean_loss(
    model: keras.Model, x: Any, y: Any, y_pred: Any, sample_weight: Any, *, training: bool
) -> tf.Tensor:
    # Keras divides its losses by the number of replicas, as if all had the same share.
    loss = model._compute_loss(x, y, y_pred, sample_weight, training=training)
    return tf.cast(loss, tf.float32) * num_replicas()


def _caller(model: keras.Model, *, training: bool) -> Callable[[Any], Any]:
    if "training" in inspect.signature(model.call).parameters:
        return lambda x: model(x, training=training)
    return model
