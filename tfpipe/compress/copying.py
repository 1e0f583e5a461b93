"""A copy of a compiled model to train on, so that the one that was given stays as it is."""

from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.compress.clones import clone
from tfpipe.errors import RequestError


def copied(model: keras.Model, optimizer: Any) -> keras.Model:
    """A copy with the same weights, compiled like the model, with a new optimizer.

    Args:
        model: functional or Sequential, and compiled.
        optimizer: the new one's settings, as `model.compile` takes them; the model's own if None.

    Raises:
        RequestError: the model is not compiled, or is neither functional nor Sequential.
    """
    require_compiled(model)
    require_graph(model)
    with model.distribute_strategy.scope():
        copy = clone(model)
        copy.dtype_policy = model.dtype_policy  # Keras scales the loss by it, not by the layers'
        compile_like(copy, model, optimizer or model.optimizer)
    return copy


def require_compiled(model: keras.Model) -> None:
    """Refuses a model whose loss and optimizer are not known."""
    if not model.compiled:
        raise RequestError(
            f"The model {model.name!r} is not compiled. "
            "Call `model.compile(optimizer=..., loss=..., metrics=[...])` first."
        )


def require_graph(model: keras.Model) -> None:
    """Refuses a model that is neither functional nor Sequential, or that has no weights yet."""
    if type(model) not in (keras.Sequential, keras.src.models.Functional):
        raise RequestError(
            f"The model {model.name!r} is a subclass of keras.Model ({type(model).__name__}), "
            "and what its own code does is not known here. "
            "Build it as keras.Sequential or keras.Model(inputs, outputs)."
        )
    if not model.built:
        raise RequestError(
            f"The model {model.name!r} is not built: what it takes is not known, and it has no "
            "weights. Let it begin with keras.Input(shape), and train it first."
        )


def compile_like(model: keras.Model, other: keras.Model, optimizer: Any) -> None:
    """Compiles a model as another one is, with a new optimizer like the one that is given."""
    given = keras.optimizers.get(optimizer)
    config = other._compile_config.config  # the objects themselves: losses have no state
    model.compile(
        optimizer=keras.optimizers.deserialize(keras.optimizers.serialize(given)),
        loss=config["loss"],
        loss_weights=config["loss_weights"],
        metrics=_anew(config["metrics"]),
        weighted_metrics=_anew(config["weighted_metrics"]),
        steps_per_execution=config["steps_per_execution"],
        jit_compile=config["jit_compile"],
        run_eagerly=config["run_eagerly"],
    )


def _anew(metrics: object) -> object:
    """The same metrics, without what they have counted."""
    return tf.nest.map_structure(
        lambda m: type(m).from_config(m.get_config()) if isinstance(m, keras.metrics.Metric) else m,
        metrics,
    )
