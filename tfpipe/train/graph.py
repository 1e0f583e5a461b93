"""Many steps in one `tf.function` call.

Example:

    repeat = training(model, options, watch)
    done = repeat(iterator, tf.constant(20))
"""

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled

from tfpipe.backend import keras
from tfpipe.train import gradients, outcome, step
from tfpipe.train.accumulate import grouped
from tfpipe.train.finite import Watch

One = Callable[[Any, tf.Tensor], tf.Tensor]
Repeat = Callable[[Iterator[Any], tf.Tensor], tf.Tensor]


def training(model: keras.Model, options: step.Options, watch: Watch) -> Repeat:
    """A function of (iterator, count) that trains on `count` batches, in the graph.

    It returns how many it has seen: fewer where one was not finite, and is not to be skipped.
    """
    if options.accumulate > 1:
        one = grouped(model, options, watch)
    else:
        one = _single(model, options, watch)

    @tf.function
    def repeat(iterator: Iterator[Any], count: tf.Tensor) -> tf.Tensor:
        """Stops after a batch that was not finite, unless such batches are skipped."""
        number, going = tf.constant(0), tf.constant(True)
        ready = _now()
        while number < count and going:
            batch = next(iterator)
            with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
                watch.waited_s.assign_add(tf.maximum(_now() - ready, 0))
            number += 1
            fine = one(batch, number == count)
            with tf.control_dependencies([fine]):
                ready = _now()
            going = fine | options.skip_bad
        return number

    return repeat


def checking(model: keras.Model) -> Repeat:
    """A function of (iterator, count) that adds `count` batches to the loss and the metrics."""
    strategy, evaluate = model.distribute_strategy, step.evaluate(model)

    @tf.function
    def repeat(iterator: Iterator[Any], count: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(count):
            strategy.run(evaluate, args=next(iterator))
        return count

    return repeat


def _now() -> tf.Tensor:
    """The time in seconds; TensorFlow has no clock where all operations must be deterministic."""
    if is_op_determinism_enabled():
        return tf.constant(0.0, tf.float64)
    return tf.timestamp()


def averaging(model: keras.Model) -> Callable[[], None]:
    """A function that joins what batch normalization has seen on each replica, after an epoch."""
    strategy, average = model.distribute_strategy, step.average_statistics(model)
    if strategy.num_replicas_in_sync == 1:
        return lambda: None

    @tf.function
    def run() -> None:
        strategy.run(average)

    return run


def _single(model: keras.Model, options: step.Options, watch: Watch) -> One:
    """One batch, one update."""
    strategy, update = model.distribute_strategy, step.update(model, options)
    forward = step.forward(model, jit=options.jit)

    @tf.autograph.experimental.do_not_convert
    def look(*batch: Any) -> tuple[step.Seen, list[tf.Tensor], tf.Tensor]:
        """On one replica."""
        seen = forward(*batch)
        return seen, *gradients.joined(model, seen.gradients)

    @tf.autograph.experimental.do_not_convert
    def one(batch: Any, last: tf.Tensor) -> tf.Tensor:
        """On all replicas; every batch is a group of its own, so none is the last."""
        seen, means, norm = strategy.run(look, args=batch)

        def good() -> tf.Tensor:
            outcome.updated(model, update, means, norm)
            return outcome.counted(model, batch, seen)

        def bad() -> tf.Tensor:
            watch.count.assign_add(1)
            return outcome.dropped(model, watch, batch, seen)

        finite = gradients.first(strategy, seen.finite)
        fine = finite & gradients.usable(model.optimizer, gradients.first(strategy, norm))
        return tf.cond(fine, good, bad)

    return one
