"""The model as `fit` needs it: built and compiled, before time is spent.

Example:

    compile_model(model, loss=None, optimizer="adam", metrics=None)
    build(model, dataset.element_spec)
"""

from typing import Any

import tensorflow as tf
from keras.src.backend import compute_output_spec

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.train.data import model_inputs


def compile_model(model: keras.Model, *, loss: Any, optimizer: Any, metrics: Any) -> None:
    """Compiles the model with what is given; what is not given stays, or is a classifier's."""
    if loss is None and optimizer is None and metrics is None and model.compiled:
        return
    if not model.compiled:
        if loss is None:
            _require_softmax(model)
            loss = "sparse_categorical_crossentropy"
            metrics = ["accuracy"] if metrics is None else metrics
        model.compile("adam" if optimizer is None else optimizer, loss, metrics=metrics)
        return
    config = model._compile_config.config  # the objects themselves
    model.compile(
        model.optimizer if optimizer is None else optimizer,
        config["loss"] if loss is None else loss,
        loss_weights=config["loss_weights"] if loss is None else None,
        metrics=config["metrics"] if metrics is None else metrics,
        weighted_metrics=config["weighted_metrics"] if metrics is None else None,
    )


def build(model: keras.Model, spec: tuple[Any, ...]) -> None:
    """Creates what Keras would create at the first batch, outside the graph: metrics, slots."""
    x, y = symbols(model_inputs(spec[0])), symbols(spec[1])
    if not model.built:
        model(x)
    y_pred = model.compute_output_spec(x)
    losses = model._compile_loss  # of several outputs, it keeps a mean of each
    if losses is not None and not losses.built and len(tf.nest.flatten(y_pred)) > 1:
        losses.build(y, y_pred)
    for metric in model.metrics:
        if not getattr(metric, "built", True):
            metric.build(y, y_pred)
    _build_metrics(model, x, y, y_pred)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    _require_slots(model)


def _build_metrics(model: keras.Model, x: Any, y: Any, y_pred: Any) -> None:
    """Some of Keras' metrics (F1Score, R2Score, AUC) make their variables at the first update.

    Asked for its shapes alone, an update makes them and leaves their values.
    """
    compute_output_spec(lambda *batch: list(model.compute_metrics(*batch).values()), x, y, y_pred)


def symbols(part: Any) -> Any:
    """Keras' symbols of a part of a batch's spec, to ask a model for the shapes that it gives."""
    return tf.nest.map_structure(
        lambda spec: keras.KerasTensor(spec.shape, dtype=spec.dtype.name), part
    )


def _require_slots(model: keras.Model) -> None:
    """An optimizer keeps to the weights that it was built for; more of them may train by now."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    known = {id(variable) for variable in optimizer._trainable_variables}
    for variable in model.trainable_variables:
        if id(variable) not in known:
            raise RequestError(
                f"Expected an optimizer that knows all weights of {model.name!r} that train. "
                f"Received: one from before {variable.path} did. Give `fit` a new `optimizer`."
            )


def _require_softmax(model: keras.Model) -> None:
    activation = getattr(model.layers[-1], "activation", None) if model.layers else None
    if activation is not keras.activations.softmax:
        raise RequestError(
            f"The model {model.name!r} is not compiled and does not end in a softmax, so there is "
            "no loss to choose. Give `fit` a `loss`, or call `model.compile(optimizer=..., "
            "loss=..., metrics=[...])` first."
        )
