"""Magnitude pruning of Keras 3 models, on tfmot's schedules and mask arithmetic.

Example:

    pruned = prune(model, train, val, final_sparsity=0.8, epochs=3)
"""

from typing import Any

from tfpipe.backend import keras
from tfpipe.compress import patterns
from tfpipe.compress.copying import copied
from tfpipe.compress.kernels import Layers
from tfpipe.compress.pruning import Pruning
from tfpipe.train import data, fit


def prune(
    model: keras.Model,
    train: data.Batches,
    val: data.Batches | None = None,
    *,
    final_sparsity: float | None = None,
    pattern: patterns.Pattern = "element",
    schedule: Any = "polynomial",
    layers: Layers = "all",
    **fit_options: Any,
) -> keras.Model:
    """Sets the smallest weights of the kernels to zero, little by little, while training on.

    By default the share of zeros rises along tfmot's cubic schedule during the first half of the
    steps; the second half trains the weights that remain.

    Args:
        model: the trained, compiled model; it stays as it is.
        train, val: batches, as `tfpipe.train.fit` takes them.
        final_sparsity, pattern, schedule, layers: as `Pruning` takes them.
        **fit_options: whatever else `tfpipe.train.fit` takes. Unless you say otherwise `epochs`
            is 3, `optimizer` a new one like the model's own, and `clip_norm` None: what the
            optimizer clips is its own affair. An `EarlyStopping` among the `callbacks` must not
            look at epochs in which the share of zeros still rises: `start_from_epoch` says so.

    Returns:
        A pruned copy, compiled like the model, with its training in `history`.

    Raises:
        RequestError: an argument is out of range or does not fit the model, or the model is not
            compiled.

    Example:

    >>> import tensorflow as tf
    >>> from tfpipe.compress import sparsity
    >>> x = keras.Input((4,))
    >>> model = keras.Model(x, keras.layers.Dense(5, name="dense")(x))
    >>> model.compile("sgd", "mse")
    >>> train = tf.data.Dataset.from_tensors((tf.ones((8, 4)), tf.zeros((8, 5)))).repeat(4)
    >>> pruned = prune(model, train, final_sparsity=0.75, epochs=2)
    >>> sparsity(pruned), sparsity(model)
    ({'dense/kernel': 0.75}, {'dense/kernel': 0.0})
    """
    pruning = Pruning(
        final_sparsity=final_sparsity, pattern=pattern, schedule=schedule, layers=layers
    )
    pruned = copied(model, fit_options.pop("optimizer", None))
    pruning.choose(pruned)  # what is wrong is said before data are opened
    pruning.beside = fit_options.pop("callbacks", ())
    options = {"epochs": 3, "clip_norm": None, **fit_options}
    fit(pruned, train, val, callbacks=[*pruning.beside, pruning], **options)
    return pruned
