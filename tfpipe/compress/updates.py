"""What must hold after every optimizer update, in whatever loop trains the model.

Example:

    after_updates(model, hold)  # before the loop is traced
    release(model)

Keras calls `optimizer.apply` for each update, inside the graph; behind a `LossScaleOptimizer` it
calls the inner optimizer's, and only where the gradients are finite. So this is the one place
that sees every update, however many of them a loop puts into one call of a graph.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras

Hold = Callable[[tf.distribute.Strategy], None]


def after_updates(model: keras.Model, hold: Hold) -> None:
    """Has the model's optimizer call `hold` after each update, in place of what it called before.

    Args:
        model: compiled.
        hold: called with the strategy, in the context in which Keras' optimizers update
            variables: `strategy.extended.update` reaches each replica's copy, and sends nothing.
    """
    release(model)
    optimizer = updating(model)
    apply = optimizer.apply
    merge = tf.__internal__.distribute.interim.maybe_merge_call  # what Keras' optimizers call

    @tf.autograph.experimental.do_not_convert
    def apply_and_hold(grads: Any, trainable_variables: Any = None) -> None:
        apply(grads, trainable_variables)
        merge(hold, tf.distribute.get_strategy())

    vars(optimizer)["apply"] = apply_and_hold
    _trace_anew(model)


def release(model: keras.Model) -> None:
    """Undoes `after_updates`."""
    if vars(updating(model)).pop("apply", None) is not None:
        _trace_anew(model)


def updating(model: keras.Model) -> keras.optimizers.Optimizer:
    """The optimizer that changes the weights; its `iterations` count the updates."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def _trace_anew(model: keras.Model) -> None:
    """`model.fit` keeps its graph, in which the optimizer is what it was."""
    if model.train_function is not None:
        model.make_train_function(force=True)
