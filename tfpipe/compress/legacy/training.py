"""Trains a tf_keras model as a Keras 3 model was compiled.

Example:

    fit(legacy, model, train, val, epochs=3, optimizer=None, after_update=lambda: None)
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.report import progress
from tfpipe.train.data import model_inputs, opened
from tfpipe.untuned import untuned


def fit(
    legacy: Any,
    model: keras.Model,
    train: tf.data.Dataset,
    val: tf.data.Dataset | None,
    *,
    epochs: int,
    optimizer: keras.optimizers.Optimizer | None,
    after_update: Callable[[], None],
) -> None:
    """Trains `legacy`; its `history` holds what Keras' does.

    Args:
        legacy: the tf_keras model.
        model: the compiled Keras 3 model whose loss and metrics it gets.
        train, val: batches of (inputs, targets) or (inputs, targets, weights), of known length.
        epochs: passes over `train`.
        optimizer: of Keras 3; the model's own if None.
        after_update: called after every step.

    Raises:
        RequestError: the data are not such batches, or tf_keras has no such optimizer.
    """
    import tf_keras

    parts = {
        name: opened(name, given, 0, 0)
        for name, given in (("train", train), ("val", val))
        if given is not None
    }
    legacy.compile(_optimizer(optimizer or model.optimizer), _loss(model), metrics=_metrics(model))
    data = {name: batches(part.dataset) for name, part in parts.items()}
    steps = parts["train"].num_batches
    with progress("quantisation-aware training", epochs * steps, unit="steps") as bar:

        def on_batch_end(batch: int, logs: Any) -> None:
            after_update()
            bar.advance()

        def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
            numbers = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
            bar.line(f"epoch {epoch + 1}/{epochs}: {numbers}")

        watch = tf_keras.callbacks.LambdaCallback(
            on_batch_end=on_batch_end, on_epoch_end=on_epoch_end
        )
        legacy.fit(
            data["train"],
            validation_data=data.get("val"),
            epochs=epochs,
            callbacks=[watch],
            verbose=0,
        )


def batches(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The batches as a model of one input takes them: without the ids of its examples.

    And without TensorFlow's autotuner, which can hold up the end of every pass over them.
    """

    def bare(inputs: Any, *rest: Any) -> Any:
        (tensor,) = tf.nest.flatten(model_inputs(inputs))
        return (tensor, *rest)

    return untuned(dataset.map(bare))


def _optimizer(optimizer: Any) -> Any:
    """The optimizer of the same name and settings, before its first step."""
    import tf_keras

    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    config = dict(optimizer.get_config())
    accumulates = config.pop("gradient_accumulation_steps", None)
    config.pop("loss_scale_factor", None)  # of mixed precision; here all is float32
    kind = getattr(tf_keras.optimizers, type(optimizer).__name__, None)
    try:
        if kind is None or accumulates:
            raise TypeError
        return kind.from_config(config)
    except (TypeError, ValueError):
        raise RequestError(
            "Expected an optimizer that Keras 2 has too, which quantisation-aware training uses. "
            f"Received: {type(optimizer).__name__} with {optimizer.get_config()}. "
            "Give `optimizer=keras.optimizers.Adam(...)`, say."
        ) from None


def _loss(model: keras.Model) -> Callable[..., Any]:
    """The model's loss as a function to one value per example, as tf_keras takes it."""
    loss = keras.losses.get(model._compile_config.config["loss"])
    return loss.call if isinstance(loss, keras.losses.Loss) else loss


def _metrics(model: keras.Model) -> list[Any]:
    """The model's metrics that Keras 2 has; what others say is not needed to train."""
    import tf_keras

    found = []
    for metric in tf.nest.flatten(model._compile_config.config["metrics"] or []):
        if isinstance(metric, str):
            found.append(metric)
        elif type(metric).__module__.startswith("keras.") and hasattr(
            tf_keras.metrics, type(metric).__name__
        ):
            kind = getattr(tf_keras.metrics, type(metric).__name__)
            found.append(kind.from_config(metric.get_config()))
    return found
