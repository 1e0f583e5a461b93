"""What happens when a loss or a gradient is not finite: the step is kept, and told in words."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.train.data import model_inputs
from tfpipe.train.workers import one_variable

MOST_IDS = 16


class NotFiniteError(ArithmeticError):
    """A loss or a gradient became NaN or infinite; the weights are those from before that step.

    Example:

    >>> from tfpipe import models, train
    >>> batches = tf.data.Dataset.from_tensors((tf.constant([[np.nan]]), tf.zeros((1, 1))))
    >>> train.fit(models.linear(), batches, loss="mse")
    Traceback (most recent call last):
    tfpipe.train.finite.NotFiniteError: ... The inputs of the batch are not finite...
    """


class Watch:
    """What the graph tells: the steps that were not finite, and the last such batch."""

    def __init__(self, *, stop: bool) -> None:
        self.stop = stop
        self.waited_s = one_variable(0.0, tf.float64)  # for input
        self.count = one_variable(0, tf.int64)
        self.batches: list[Any] = []

    @property
    def num_bad(self) -> int:
        """How many steps were not finite."""
        return int(self.count)

    def keep(self, strategy: tf.distribute.Strategy, batch: Any) -> None:
        """For the graph: hands each replica's part of a batch to Python when it runs."""
        parts = [strategy.experimental_local_results(part) for part in tf.nest.flatten(batch)]
        replicas = [tf.nest.pack_sequence_as(batch, part) for part in zip(*parts, strict=True)]

        def store(*flat: Any) -> None:
            self.batches = tf.nest.pack_sequence_as(replicas, flat, expand_composites=True)

        tf.py_function(store, tf.nest.flatten(replicas, expand_composites=True), [])


def ids(batches: Sequence[tuple[Any, ...]]) -> str:
    """In words, the examples of these batches, where the inputs are a dict with their `id`."""
    found = [
        value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
        for x, *_ in batches
        if isinstance(x, dict) and "id" in x
        for value in x["id"].numpy().reshape(-1)
    ]
    shown = ", ".join(found[:MOST_IDS]) + (" ..." if len(found) > MOST_IDS else "")
    return f"examples {shown}" if found else ""


def first_problem(model: keras.Model, batches: Sequence[tuple[Any, ...]]) -> str:
    """In words, the first thing that is not finite when the model sees these batches."""
    found: list[str] = []

    def look() -> None:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        found.extend(itertools.islice(_problems(model, batches[int(replica) % len(batches)]), 1))

    before = model.get_weights()
    model.distribute_strategy.run(look)
    model.set_weights(before)  # batch statistics have moved
    return found[0] if found else "Seen again, everything is finite"


def _problems(model: keras.Model, batch: tuple[Any, ...]) -> Iterator[str]:
    """What is not finite, in the order in which a step meets it."""
    x, y, sample_weight = (*batch, None)[:3]
    x = model_inputs(x)
    for name, value in (("inputs", x), ("targets", y), ("sample weights", sample_weight)):
        if not is_finite(value):
            yield f"The {name} of the batch are not finite"
    for weight in model.weights:
        if not is_finite(weight):
            yield f"The weights {weight.path!r} are not finite"
    with _watched(model) as bad, tf.GradientTape() as tape:
        y_pred = model(x, training=True)
        loss = model.compute_loss(x, y, y_pred, sample_weight)
    if bad:
        yield f"The first layer whose output is not finite is {bad[0]!r}"
    if not is_finite(loss):
        yield "Every layer's output is finite, and the loss is not"
    backwards = model.trainable_variables[::-1]  # from the loss on
    for weight, gradient in zip(backwards, tape.gradient(loss, backwards), strict=True):
        if not is_finite(gradient):
            yield f"The loss is finite; the first gradient that is not is that of {weight.path!r}"


@contextmanager
def _watched(model: keras.Model) -> Iterator[list[str]]:
    """Notes the layers whose outputs are not finite, in the order in which they were called."""
    bad: list[str] = []
    layers = [layer for layer in model._flatten_layers(include_self=False)]

    def watch(layer: keras.Layer) -> None:
        """Puts a function that looks at the outputs before the layer's own `call`."""
        call = layer.call

        def watched(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            if not is_finite(outputs):
                bad.append(layer.name)
            return outputs

        object.__setattr__(layer, "call", watched)

    for layer in layers:
        watch(layer)
    try:
        yield bad
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


def is_finite(value: Any) -> bool:
    """Whether all numbers in a structure are finite."""
    for part in tf.nest.flatten(value, expand_composites=True):
        if part is None:
            continue
        array = np.asarray(keras.ops.convert_to_numpy(part))
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            return False
    return True
