"""Gradients of several replicas, and of a scaled loss: their sum, their norm, whether they will do.

Example:

    gradients, norm = joined(model, gradients)
    fine = usable(model.optimizer, norm)
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras


def joined(
    model: keras.Model, gradients: Sequence[tf.Tensor | None]
) -> tuple[list[tf.Tensor | None], tf.Tensor]:
    """The replicas' gradients in a sum, and its global norm without the loss scale."""
    if num_replicas() > 1:
        present = iter(all_sum([g for g in gradients if g is not None]))
        gradients = [None if g is None else next(present) for g in gradients]
    return list(gradients), norm_of(model, gradients)


def norm_of(model: keras.Model, gradients: Sequence[tf.Tensor | None]) -> tf.Tensor:
    """The global norm, float32; not finite where one of the gradients is not."""
    present = [tf.cast(gradient, tf.float32) for gradient in gradients if gradient is not None]
    if is_scaled(model.optimizer):  # before they are squared, or large scales would overflow
        present = [gradient / loss_scale(model.optimizer) for gradient in present]
    return tf.linalg.global_norm(present)


def all_sum(values: Any) -> Any:
    """The sum over the replicas."""
    if num_replicas() == 1:
        return values
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def is_scaled(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether the optimizer looks for the right loss scale by itself."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def loss_scale(optimizer: keras.optimizers.Optimizer) -> tf.Tensor:
    """What the optimizer multiplies the loss by."""
    return tf.cast(optimizer.scale_loss(tf.constant(1.0)), tf.float32)


def usable(optimizer: keras.optimizers.Optimizer, norm: tf.Tensor) -> tf.Tensor:
    """Whether the optimizer can go on from gradients of this norm.

    A `LossScaleOptimizer` lowers its scale until the gradients are finite; at 1 it is the
    gradients' own fault.
    """
    finite = tf.math.is_finite(norm)
    if is_scaled(optimizer):
        finite |= loss_scale(optimizer) > 1
    return finite


def first(strategy: tf.distribute.Strategy, value: Any) -> tf.Tensor:
    """One replica's value, where all have the same."""
    return strategy.experimental_local_results(value)[0]


@contextlib.contextmanager
def summed_already(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Keeps Keras from summing gradients over the replicas once more (after clipping)."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = lambda pairs: pairs
    try:
        yield
    finally:
        del inner._all_reduce_sum_gradients


def whole(gradient: Any, share: tf.Tensor | None) -> tf.Tensor | None:
    """The gradient as one tensor; of no examples it is 0, whatever layers make of a mean."""
    if gradient is None:
        return None
    # Dense: parts of an embedding's gradient may name the same row, and have no norm.
    dense = tf.convert_to_tensor(gradient)
    return dense if share is None else tf.where(share > 0, dense, tf.zeros_like(dense))


def num_replicas() -> int:
    """How many replicas the current strategy has."""
    return tf.distribute.get_strategy().num_replicas_in_sync
