"""One batch, one update: what is seen in it, and what follows from that.

Example:

    one = single(model, options, watch)
    seen = one.look(batch)
    fine = one.settle(seen)
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train import gradients, outcome, step
from tfpipe.train.finite import Watch


class Looked(NamedTuple):
    """A batch, and what all replicas have seen in it."""

    batch: Any
    seen: Any
    means: Any  # the gradients of the whole batch, of those variables that have one
    norm: Any


class Single(NamedTuple):
    """The parts of a step, in its order, on all replicas."""

    look: Callable[[Any], Looked]
    is_fine: Callable[[Looked], tf.Tensor]
    count: Callable[[Looked], tf.Tensor]  # a batch that is fine: an update, and the metrics
    settle: Callable[[Looked], tf.Tensor]  # counts it or drops it; whether it was fine


def single(model: keras.Model, options: step.Options, watch: Watch) -> Single:
    """The parts of a step that makes an update of every batch."""
    strategy, update = model.distribute_strategy, step.update(model, options)
    forward = step.forward(model, jit=options.jit)
    used: list[bool] = []  # which variables have a gradient: known once a batch was traced

    @tf.autograph.experimental.do_not_convert
    def replica(*batch: Any) -> tuple[step.Seen, list[tf.Tensor], tf.Tensor]:
        """On one replica; a loop in the graph carries tensors alone, so no None."""
        seen = forward(*batch)
        used[:] = [gradient is not None for gradient in seen.gradients]
        means, norm = gradients.joined(model, seen.gradients)
        present = [mean for mean in means if mean is not None]
        return seen._replace(gradients=[]), present, norm

    @tf.autograph.experimental.do_not_convert
    def look(batch: Any) -> Looked:
        return Looked(batch, *strategy.run(replica, args=batch))

    @tf.autograph.experimental.do_not_convert
    def is_fine(looked: Looked) -> tf.Tensor:
        finite = gradients.first(strategy, looked.seen.finite)
        return finite & gradients.usable(model.optimizer, gradients.first(strategy, looked.norm))

    @tf.autograph.experimental.do_not_convert
    def count(looked: Looked) -> tf.Tensor:
        present = iter(looked.means)
        means = [next(present) if has else None for has in used]
        outcome.updated(model, update, means, looked.norm)
        return outcome.counted(model, looked.batch, looked.seen)

    @tf.autograph.experimental.do_not_convert
    def drop(looked: Looked) -> tf.Tensor:
        watch.count.assign_add(1)
        return outcome.dropped(model, watch, looked.batch, looked.seen)

    @tf.autograph.experimental.do_not_convert
    def settle(looked: Looked) -> tf.Tensor:
        return tf.cond(is_fine(looked), lambda: count(looked), lambda: drop(looked))

    return Single(look, is_fine, count, settle)
