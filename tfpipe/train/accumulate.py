"""Gradient accumulation: several batches make one update, as if they had been one large batch.

Source: the mean over a group is the sum of the batches' means, each times its examples, divided
by the group's examples; so a smaller last batch, and a group cut short, weigh what they should.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train import step
from tfpipe.train.finite import Watch
from tfpipe.train.workers import one_variable

if TYPE_CHECKING:
    from tfpipe.train.graph import Options


def grouped(
    model: keras.Model, options: "Options", watch: Watch
) -> Callable[[Any, tf.Tensor], tf.Tensor]:
    """A function of (batch, whether it ends its group early) to whether all was finite."""
    strategy = model.distribute_strategy
    with strategy.scope():
        sums = [_zeros(variable) for variable in model.trainable_variables]
    examples, batches, whole = (
        one_variable(value, dtype)
        for value, dtype in ((0.0, tf.float32), (0, tf.int32), (True, tf.bool))
    )
    forward = step.forward(model, jit=options.jit)
    update = step.update(model, clip_norm=options.clip_norm, jit=options.jit)
    used: list[bool] = []  # which variables have a gradient at all: known once `look` is traced

    @tf.autograph.experimental.do_not_convert
    def look(*batch: Any) -> tuple[step.Seen, tf.Tensor]:
        seen = forward(*batch)
        norm = step.all_sum(step.norm_of(model, seen.gradients))
        used[:] = [gradient is not None for gradient in seen.gradients]
        for total, gradient in zip(sums, seen.gradients, strict=True):
            if gradient is not None:
                total.assign_add(tf.cast(gradient, total.dtype) * tf.cast(seen.total, total.dtype))
        return seen._replace(gradients=[]), norm

    @tf.autograph.experimental.do_not_convert
    def mean(count: tf.Tensor) -> tuple[list[tf.Tensor | None], tf.Tensor]:
        means = [
            total.read_value() / tf.cast(count, total.dtype) if has else None
            for total, has in zip(sums, used, strict=True)
        ]
        return step.joined(model, means)

    @tf.autograph.experimental.do_not_convert
    def clear() -> None:
        for total in sums:
            total.assign(tf.zeros_like(total))

    def close() -> tf.Tensor:
        gradients, norm = strategy.run(mean, args=(examples.read_value(),))

        def good() -> tf.Tensor:
            with step.summed_already(model.optimizer):
                strategy.run(update, args=(gradients, norm))
            return tf.constant(True)

        def bad() -> tf.Tensor:
            watch.count.assign_add(1)
            return tf.constant(False)

        usable = step.usable(model.optimizer, step.first(strategy, norm))
        fine = tf.cond(whole & usable, good, bad)
        with tf.control_dependencies([fine]):
            strategy.run(clear)
            for variable, value in ((examples, 0.0), (batches, 0), (whole, True)):
                variable.assign(value)
        return fine

    @tf.autograph.experimental.do_not_convert
    def one(batch: Any, last: tf.Tensor) -> tf.Tensor:
        x, y, sample_weight = (*batch, None)[:3]
        seen, norm = strategy.run(look, args=(x, y, sample_weight))
        usable = step.usable(model.optimizer, step.first(strategy, norm))
        finite = step.first(strategy, seen.finite) & usable

        def good() -> tf.Tensor:
            counted = (x, y, sample_weight, seen.y_pred, seen.loss, seen.count)
            strategy.run(step.count_in(model), args=counted)
            return tf.constant(True)

        def bad() -> tf.Tensor:
            strategy.run(step.put_back(model), args=(seen.before,))
            watch.keep(strategy, batch)
            return tf.constant(False)

        counted = tf.cond(finite, good, bad)
        with tf.control_dependencies([counted]):
            examples.assign_add(step.first(strategy, seen.total))
            batches.assign_add(1)
            whole.assign(whole & finite)
        ends = last | (batches >= options.accumulate) | (~finite & (not options.skip_bad))
        return tf.cond(ends, close, lambda: tf.constant(True))

    return one


def _zeros(variable: keras.Variable) -> tf.Variable:
    return tf.Variable(
        tf.zeros(variable.shape, variable.dtype),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,  # each replica has a sum of its own
        aggregation=tf.VariableAggregation.SUM,
    )
