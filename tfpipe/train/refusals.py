"""What `fit` refuses before time is spent: models, losses and data that do not go together.

Example:

    check_inputs("train", model, dataset.element_spec)
    check_model(model, dataset.element_spec, split=False)
"""

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.train.compiling import symbols
from tfpipe.train.data import model_inputs
from tfpipe.train.losses import DiceCrossentropy, SparseCategoricalFocalCrossentropy

MEANS = ("sum_over_batch_size", "mean")
LOSSES_OF_LABELS = (
    keras.losses.SparseCategoricalCrossentropy,
    SparseCategoricalFocalCrossentropy,
    DiceCrossentropy,
)
_ROWS = 7  # in a batch that is only looked at for its shapes


def check_model(model: keras.Model, spec: tuple[Any, ...], *, split: bool) -> None:
    """Refuses what would train something else than what was asked for.

    Args:
        model: built and compiled.
        spec: of the batches.
        split: a batch is split among replicas, or a group into batches: then a loss must be a
            mean over examples.
    """
    if type(model).train_step is not keras.Model.train_step:
        raise RequestError(
            f"The model {model.name!r} has a `train_step` of its own, which `fit` would not call. "
            "Train it with its own `model.fit`."
        )
    _require_replicable(model)
    for name, loss, y, y_pred in _losses(model, spec):
        _check_loss(name, loss, y, y_pred, split=split)


def check_inputs(name: str, model: keras.Model, spec: tuple[Any, ...]) -> None:
    """Refuses batches whose inputs have other shapes than the model's."""
    wanted = getattr(model, "inputs", None)
    found = tf.nest.flatten(model_inputs(spec[0]))
    if not wanted or len(wanted) != len(found):
        return
    for symbol, part in zip(wanted, found, strict=True):
        if part.shape.rank is not None and not _fits(tuple(symbol.shape), tuple(part.shape)):
            raise RequestError(
                f"Expected batches of inputs {tuple(symbol.shape)}, as the model {model.name!r} "
                f"takes them. Received: {tuple(part.shape)} from `{name}`"
            )


def classes(
    model: keras.Model, spec: tuple[Any, ...]
) -> tuple[int, int | None] | tuple[None, None]:
    """How many classes the labels may be of, and which label the loss ignores, if it does one.

    Nones where the targets are not whole numbers that the loss takes as classes.
    """
    if not isinstance(spec[1], tf.TensorSpec):
        return None, None
    for _, loss, y, y_pred in _losses(model, spec):
        name = getattr(loss, "__name__", None) or type(loss).__name__
        of_labels = "sparse_categorical" in name or isinstance(loss, LOSSES_OF_LABELS)
        if of_labels and y.dtype.startswith(("int", "uint")):
            return y_pred.shape[-1], getattr(loss, "ignore_class", None)
    return None, None


def _require_replicable(model: keras.Model) -> None:
    """What Keras' optimizers do inside a branch cannot wait for other replicas."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    instead = {
        "gradient_accumulation_steps": "Give `fit` `accumulate` instead.",
        "ema_overwrite_frequency": "Leave it out: the averages end in the model all the same.",
    }
    for name, advice in instead.items():
        value = getattr(optimizer, name, None)
        if value and model.distribute_strategy.num_replicas_in_sync > 1:
            raise RequestError(
                f"Expected an optimizer without `{name}`, which Keras cannot do on several "
                f"replicas. Received: {name}={value}. {advice}"
            )


def _fits(wanted: tuple[int | None, ...], found: tuple[int | None, ...]) -> bool:
    if len(wanted) != len(found):  # Keras adds or drops a last axis of 1
        longer = max(wanted, found, key=len)
        return abs(len(wanted) - len(found)) == 1 and longer[-1] in (1, None)
    return all(a == b or None in (a, b) for a, b in zip(wanted, found, strict=True))


def _losses(
    model: keras.Model, spec: tuple[Any, ...]
) -> Iterator[tuple[str, Any, keras.KerasTensor, keras.KerasTensor]]:
    """Each output's (name, loss, targets, predictions), where they can be told one by one."""
    x, y = symbols(model_inputs(spec[0])), symbols(spec[1])
    y_pred, losses = model.compute_output_spec(x), model.loss
    if isinstance(losses, str) or not isinstance(losses, dict | list | tuple):
        losses, y, y_pred = {"": losses}, {"": y}, {"": y_pred}
    elif not isinstance(losses, dict):
        if not isinstance(y, list | tuple) or not isinstance(y_pred, list | tuple):
            return
        losses, y, y_pred = (dict(enumerate(values)) for values in (losses, y, y_pred))
    for name, loss in losses.items():
        parts = [part.get(name) if isinstance(part, dict) else None for part in (y, y_pred)]
        if loss is not None and all(isinstance(part, keras.KerasTensor) for part in parts):
            yield name, keras.losses.get(loss), *parts


def _check_loss(name: str, loss: Any, y: Any, y_pred: Any, *, split: bool) -> None:
    where = f"the loss of output {name!r}" if name else "the loss"
    shape = _loss_shape(loss, y, y_pred)
    if shape.rank and shape[0] not in (_ROWS, None):
        raise RequestError(
            f"Expected {where} to return one value per example, {_ROWS} for a batch of {_ROWS}. "
            f"Received: shape={tuple(shape)} from {_loss_name(loss)}"
        )
    reduction = getattr(loss, "reduction", MEANS[0])
    if split and (reduction not in MEANS or shape.rank == 0):
        problem = "returns one value per batch" if reduction in MEANS else f"has {reduction=}"
        raise RequestError(
            f"Expected {where} to be a mean over examples, as batches are split among replicas or "
            f"accumulated. Received: {_loss_name(loss)}, which {problem}. Return one value per "
            "example and leave the reduction to Keras."
        )


def _loss_shape(loss: Any, y: Any, y_pred: Any) -> tf.TensorShape:
    call: Callable[..., Any] = loss.call if isinstance(loss, keras.losses.Loss) else loss
    specs = [tf.TensorSpec((_ROWS, *part.shape[1:]), part.dtype) for part in (y, y_pred)]

    def cast(y: tf.Tensor, y_pred: tf.Tensor) -> Any:
        # As Keras does before it calls a loss.
        if y.shape.rank == y_pred.shape.rank - 1 and y_pred.shape[-1] == 1:
            y = y[..., tf.newaxis]
        return call(tf.cast(y, y_pred.dtype) if y.dtype.is_integer else y, y_pred)

    graph = tf.function(cast, autograph=False).get_concrete_function(*specs)
    return graph.outputs[0].shape


def _loss_name(loss: Any) -> str:
    return getattr(loss, "name", None) or getattr(loss, "__name__", None) or repr(loss)
