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
from tfpipe.train import pays, step
from tfpipe.train.accumulate import grouped
from tfpipe.train.finite import Watch
from tfpipe.train.single import Single, single

One = Callable[[Any, tf.Tensor], tf.Tensor]  # of (batch, whether it is a call's last)
Repeat = Callable[[Iterator[Any], tf.Tensor], tf.Tensor]


def training(model: keras.Model, options: step.Options, watch: Watch) -> Repeat:
    """A function of (iterator, count) that trains on `count` batches, in the graph.

    It returns how many it has seen: fewer where one was not finite, and is not to be skipped.
    """
    if options.accumulate > 1:
        return _in_turn(model, grouped(model, options, watch), options, watch)
    one = single(model, options, watch)
    if pays.overlapping(model):
        return _overlapped(model, one, options, watch)
    return _in_turn(model, lambda batch, _: one.settle(one.look(batch)), options, watch)


def checking(model: keras.Model) -> Repeat:
    """A function of (iterator, count) that adds `count` batches to the loss and the metrics."""
    strategy, evaluate = model.distribute_strategy, step.evaluate(model)

    @tf.function
    def repeat(iterator: Iterator[Any], count: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(count):
            strategy.run(evaluate, args=next(iterator))
        return count

    return repeat


def averaging(model: keras.Model) -> Callable[[], None]:
    """A function that joins what batch normalization has seen on each replica, after an epoch."""
    strategy, average = model.distribute_strategy, step.average_statistics(model)
    if strategy.num_replicas_in_sync == 1:
        return lambda: None

    @tf.function
    def run() -> None:
        strategy.run(average)

    return run


def _overlapped(model: keras.Model, one: Single, options: step.Options, watch: Watch) -> Repeat:
    """Each batch is counted while the next one comes, and meets layers that are up to date.

    A branch begins when everything before it is done, so the inner loop has none: its condition
    decides. The step stands in the graph twice.
    """

    @tf.function
    def repeat(iterator: Iterator[Any], count: tf.Tensor) -> tf.Tensor:
        """The outer loop goes on after a batch that was not finite, if such are skipped."""
        number, going = tf.constant(0), tf.constant(True)
        while number < count and going:
            seen = one.look(_next(iterator, model, watch))
            number += 1
            while number < count and one.is_fine(seen):
                one.count(seen)
                seen = one.look(_next(iterator, model, watch))
                number += 1
            going = one.settle(seen) | options.skip_bad
        return number

    return repeat


def _in_turn(model: keras.Model, one: One, options: step.Options, watch: Watch) -> Repeat:
    """A batch begins when the one before is over."""

    @tf.function
    def repeat(iterator: Iterator[Any], count: tf.Tensor) -> tf.Tensor:
        """Stops after a batch that was not finite, unless such batches are skipped."""
        number, going = tf.constant(0), tf.constant(True)
        while number < count and going:
            batch = _next(iterator, model, watch)
            number += 1
            going = one(batch, number == count) | options.skip_bad
        return number

    return repeat


def _next(iterator: Iterator[Any], model: keras.Model, watch: Watch) -> Any:
    """The next batch; the time that it takes to come, once the weights are there, is counted."""
    batch = next(iterator)
    weights = [tf.convert_to_tensor(variable.value) for variable in model.trainable_variables]
    with tf.control_dependencies(weights):
        ready = _now()
    with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
        watch.waited_s.assign_add(tf.maximum(_now() - ready, 0))
    return batch


def _now() -> tf.Tensor:
    """The time in seconds; TensorFlow has no clock where all operations must be deterministic."""
    if is_op_determinism_enabled():
        return tf.constant(0.0, tf.float64)
    return tf.timestamp()
