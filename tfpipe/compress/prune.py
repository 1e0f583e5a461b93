"""Magnitude pruning of Keras 3 models, on tfmot's schedules and mask arithmetic.

    pruned = prune(model, train, final_sparsity=0.8, epochs=3)

tfmot's own `prune_low_magnitude` wraps Keras 2 layers and refuses Keras 3. Its arithmetic
(`pruning_impl.Pruning`) works on plain variables, so it is applied here to the kernels
themselves, after every optimizer update, and no wrapper is left to strip.

Source: Zhu and Gupta, "To prune, or not to prune", 2017 (the polynomial schedule).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.compress.tfmot import load_pruning_impl, load_tfmot
from tfpipe.errors import RequestError, received
from tfpipe.train import fit

NUM_MASK_UPDATES = 50


def prune(
    model: keras.Model,
    train: tf.data.Dataset,
    val: tf.data.Dataset | None = None,
    *,
    final_sparsity: float = 0.8,
    epochs: int = 3,
    optimizer: keras.optimizers.Optimizer | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    """Sets the smallest weights of every kernel to zero, little by little, while training on.

    The share of zeros rises from 0 along tfmot's cubic schedule during the first half of the
    steps; the second half trains the weights that remain.

    Args:
        model: the trained, compiled model; it stays as it is.
        train: batches, as `tfpipe.train.fit` takes them.
        val: looked at after every epoch.
        final_sparsity: the share of zeros in every kernel in the end, from 0 to below 1.
        epochs: passes over `train`.
        optimizer: for this training; a new one like the model's own if None.
        callbacks: Keras' own.

    Returns:
        A pruned copy, compiled like the model, with its training in `history`.

    Raises:
        RequestError: `final_sparsity` is out of range, no layer has a kernel, or the model is not
            compiled.
    """
    if not 0 <= final_sparsity < 1:
        raise RequestError(
            received("`final_sparsity` to be at least 0 and below 1", final_sparsity=final_sparsity)
        )
    if not model.compiled:
        raise RequestError(
            f"The model {model.name!r} is not compiled. "
            "Call `model.compile(optimizer=..., loss=..., metrics=[...])` first."
        )
    with model.distribute_strategy.scope():
        pruned = _copy(model, optimizer)
        num_steps = epochs * int(train.cardinality())
        after_update = _masking(list(kernels(pruned).values()), final_sparsity, num_steps)
    fit(
        pruned,
        train,
        val,
        epochs=epochs,
        callbacks=callbacks,
        clip_norm=None,  # what the optimizer clips is its own affair, as before
        after_update=after_update,
    )
    return pruned


def kernels(model: keras.Model) -> dict[str, keras.Variable]:
    """The trainable kernels by path, recurrent and depthwise ones too; biases are none.

    >>> from tfpipe.models import lenet5
    >>> list(kernels(lenet5()))[:3]
    ['conv1/kernel', 'conv2/kernel', 'dense1/kernel']
    """
    found = {v.path: v for v in model.trainable_variables if v.name.endswith("kernel")}
    if not found:
        raise RequestError(f"The model {model.name!r} has no trainable layer with a kernel.")
    return found


def sparsity(model: keras.Model) -> dict[str, float]:
    """The share of zeros, from 0 to 1, in each kernel.

    >>> pixels = keras.Input((2,))
    >>> model = keras.Model(pixels, keras.layers.Dense(4, name="dense")(pixels))
    >>> model.get_layer("dense").kernel.assign([[1, 0, 0, 2], [0, 0, 3, 4]])  # doctest: +ELLIPSIS
    <...>
    >>> sparsity(model)
    {'dense/kernel': 0.5}
    """
    return {
        path: float(np.mean(keras.ops.convert_to_numpy(kernel) == 0))
        for path, kernel in kernels(model).items()
    }


def _copy(model: keras.Model, optimizer: keras.optimizers.Optimizer | None) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.dtype_policy = model.dtype_policy  # Keras scales the loss by the model's, not the layers'
    copy.set_weights(model.get_weights())
    config = model.get_compile_config()
    if optimizer is not None:
        config["optimizer"] = keras.saving.serialize_keras_object(optimizer)
    copy.compile_from_config(config)
    return copy


def _masking(
    weights: Sequence[keras.Variable], final_sparsity: float, num_steps: int
) -> Callable[[], None]:
    """What the trainer calls after each update: renews the masks in time, and applies them."""
    step = _variable(tf.constant(0, tf.int64), tf.VariableAggregation.ONLY_FIRST_REPLICA)
    mean = tf.VariableAggregation.MEAN  # all replicas compute the same values
    triples = [
        (kernel.value, _variable(tf.ones(kernel.shape), mean), _variable(tf.constant(0.0), mean))
        for kernel in weights
    ]
    pruning = load_pruning_impl().Pruning(
        training_step_fn=lambda: step,
        pruning_vars=triples,
        pruning_schedule=_schedule(final_sparsity, num_steps),
        block_size=(1, 1),
        block_pooling_type="AVG",
    )

    def after_update() -> None:
        step.assign_add(1)
        pruning.conditional_mask_update()
        pruning.weight_mask_op()

    return after_update


def _schedule(final_sparsity: float, num_steps: int) -> Any:
    every = max(1, num_steps // (2 * NUM_MASK_UPDATES))
    # The last renewal must fall on a multiple of `every`, or the final sparsity is not reached.
    last = max(every, num_steps // 2 // every * every)
    return load_tfmot().sparsity.keras.PolynomialDecay(
        0.0, final_sparsity, begin_step=0, end_step=last, frequency=every
    )


def _variable(value: tf.Tensor, aggregation: tf.VariableAggregation) -> tf.Variable:
    return tf.Variable(value, trainable=False, aggregation=aggregation)
