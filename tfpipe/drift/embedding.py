"""What a Keras model makes of examples: its scores, and its last features, projected.

Example:

    run = looking(model, prepare)
    scores, embedded = run(examples)        # float32 (N, ...), float32 (N, 32)
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tfpipe.drift.inputs import Examples
from tfpipe.drift.projecting import projected
from tfpipe.errors import RequestError

if TYPE_CHECKING:
    import keras

    from tfpipe.ops import Chain

_AT_ONCE = 32

Look = Callable[[Examples], tuple[np.ndarray, np.ndarray]]


def looking(model: "keras.Model", prepare: "Chain | None") -> Look:
    """A function from examples to the model's scores and its projected features.

    The features are what the last layer with weights takes (of pictures and sequences, their mean
    over the places). They are projected to 32 numbers; a text's windows are averaged.

    Args:
        model: a functional Keras model with one input and one output.
        prepare: its chain; what it does inside a file comes before the model.

    Raises:
        RequestError: the model is no such model; or, when it runs, it does not take the examples.
    """
    import tensorflow as tf

    both, chain = _both(model), None if prepare is None else prepare.inside()

    @tf.function(reduce_retracing=True, autograph=False)
    def run(inputs: tf.Tensor) -> Any:
        """The scores and the features of a batch."""
        if chain is not None and chain.ops:
            key = chain.ops[0].on
            inputs = chain({key: inputs})[key]
        _require_fit(model, inputs)
        scores, features = both(inputs, training=False)
        features = tf.cast(features, tf.float32)
        if features.shape.rank > 2:
            features = tf.reduce_mean(features, axis=list(range(1, features.shape.rank - 1)))
        return tf.cast(scores, tf.float32), features

    def look(examples: Examples) -> tuple[np.ndarray, np.ndarray]:
        parts = range(0, len(examples.takes), _AT_ONCE)
        found = [run(tf.constant(examples.takes[p : p + _AT_ONCE])) for p in parts]
        scores, features = (
            np.concatenate([x.numpy() for x in xs]) for xs in zip(*found, strict=True)
        )
        return _by_example(scores, examples), _by_example(projected(features), examples)

    return look


def _both(model: "keras.Model") -> "keras.Model":
    from tfpipe.backend import keras

    if len(getattr(model, "inputs", None) or ()) != 1 or len(model.outputs) != 1:
        raise RequestError(
            "Expected a functional Keras model with one input and one output. "
            f"Received: {getattr(model, 'name', model)!r}."
        )
    last = [layer for layer in model.layers if layer.weights][-1:]
    if not last:
        raise RequestError(f"Expected a model with weights. Received: {model.name!r}.")
    # What a whole model inside the model takes would be the pictures themselves.
    features = last[0].output if isinstance(last[0], keras.Model) else last[0].input
    return keras.Model(model.inputs, [model.outputs[0], features])


def _require_fit(model: "keras.Model", prepared: Any) -> None:
    takes, given = tuple(model.inputs[0].shape[1:]), tuple(prepared.shape[1:])
    fit = len(takes) == len(given) and all(
        own is None or own == one for own, one in zip(takes, given, strict=True)
    )
    if not fit:
        raise RequestError(
            f"Expected examples of shape {takes}, as {model.name!r} takes them. Received: {given}."
        )


def _by_example(values: np.ndarray, examples: Examples) -> np.ndarray:
    """The mean over an example's windows."""
    if len(values) == len(examples):
        return values
    starts = np.cumsum(examples.rows_each) - examples.rows_each
    counts = examples.rows_each.reshape(-1, *[1] * (values.ndim - 1))
    return (np.add.reduceat(values, starts, axis=0) / counts).astype(np.float32)
