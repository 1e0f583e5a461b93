"""Gradient accumulation: several batches make one update, as if they had been one large batch.

Source: the mean over a group is the sum of the batches' means, each times its examples, divided
by the group's examples; so a smaller last batch, and a group cut short, weigh what they should.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train import gradients, outcome, step
from tfpipe.train.finite import Watch
from tfpipe.train.workers import one_variable


class Group(NamedTuple):
    """What is known of the batches since the last update."""

    sums: list[tf.Variable]  # of gradients times examples: each replica has its own
    used: list[bool]  # which variables have a gradient at all: known once a batch was traced
    examples: tf.Variable
    batches: tf.Variable
    whole: tf.Variable  # whether all batches were finite


def grouped(
    model: keras.Model, options: step.Options, watch: Watch
) -> Callable[[Any, tf.Tensor], tf.Tensor]:
    """A function of (batch, whether it ends its group early) to whether all was finite."""
    strategy, group = model.distribute_strategy, _group(model)
    look = _looking(model, options, group)
    close = _closing(model, options, watch, group)

    @tf.autograph.experimental.do_not_convert
    def one(batch: Any, last: tf.Tensor) -> tf.Tensor:
        """Looks at a batch, counts it or drops it, and closes a group that is full."""
        seen, norm = strategy.run(look, args=batch)
        usable = gradients.usable(model.optimizer, gradients.first(strategy, norm))
        finite = gradients.first(strategy, seen.finite) & usable
        counted = tf.cond(
            finite,
            lambda: outcome.counted(model, batch, seen),
            lambda: outcome.dropped(model, watch, batch, seen),
        )
        with tf.control_dependencies([counted]):
            group.examples.assign_add(gradients.first(strategy, seen.total))
            group.batches.assign_add(1)
            group.whole.assign(group.whole & finite)
        full = group.batches >= options.accumulate
        ends = last | full | (~finite & (not options.skip_bad))
        return tf.cond(ends, close, lambda: tf.constant(True))

    return one


def _group(model: keras.Model) -> Group:
    with model.distribute_strategy.scope():
        sums = [_zeros(variable) for variable in model.trainable_variables]
    started = ((0.0, tf.float32), (0, tf.int32), (True, tf.bool))
    return Group(sums, [], *(one_variable(value, dtype) for value, dtype in started))


def _looking(model: keras.Model, options: step.Options, group: Group) -> step.Step:
    """A function of a replica's part of a batch: adds its gradients to the sums."""
    forward = step.forward(model, jit=options.jit)

    @tf.autograph.experimental.do_not_convert
    def look(*batch: Any) -> tuple[step.Seen, tf.Tensor]:
        """On one replica."""
        seen = forward(*batch)
        norm = gradients.all_sum(gradients.norm_of(model, seen.gradients))
        group.used[:] = [gradient is not None for gradient in seen.gradients]
        for total, gradient in zip(group.sums, seen.gradients, strict=True):
            if gradient is not None:
                total.assign_add(tf.cast(gradient, total.dtype) * tf.cast(seen.total, total.dtype))
        return seen._replace(gradients=[]), norm

    return look


def _closing(
    model: keras.Model, options: step.Options, watch: Watch, group: Group
) -> Callable[[], tf.Tensor]:
    """A function that makes the update of a group, if all of it was finite, and begins anew."""
    strategy = model.distribute_strategy
    update = step.update(model, options)

    @tf.autograph.experimental.do_not_convert
    def mean(count: tf.Tensor) -> tuple[list[tf.Tensor | None], tf.Tensor]:
        means = [
            total.read_value() / tf.cast(count, total.dtype) if has else None
            for total, has in zip(group.sums, group.used, strict=True)
        ]
        return gradients.joined(model, means)

    def bad() -> tf.Tensor:
        watch.count.assign_add(1)
        return tf.constant(False)

    def close() -> tf.Tensor:
        """Once per group, on all replicas."""
        means, norm = strategy.run(mean, args=(group.examples.read_value(),))
        usable = gradients.usable(model.optimizer, gradients.first(strategy, norm))
        fine = tf.cond(
            group.whole & usable, lambda: outcome.updated(model, update, means, norm), bad
        )
        with tf.control_dependencies([fine]):
            strategy.run(_clear, args=(group.sums,))
            for variable, value in ((group.examples, 0.0), (group.batches, 0), (group.whole, True)):
                variable.assign(value)
        return fine

    return close


@tf.autograph.experimental.do_not_convert
def _clear(sums: list[tf.Variable]) -> None:
    for total in sums:
        total.assign(tf.zeros_like(total))


def _zeros(variable: keras.Variable) -> tf.Variable:
    return tf.Variable(
        tf.zeros(variable.shape, variable.dtype),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.SUM,
    )
