"""A training that need not be repeated: its model and its history, in files.

Example:

    model, history = keep("out/model.keras", fit, model, train, val, epochs=20)
"""

import json
import pathlib
from collections.abc import Callable
from typing import ParamSpec

from tfpipe.backend import keras
from tfpipe.files import Path, staged, write_json

History = dict[str, list[float]]
P = ParamSpec("P")


def keep(
    path: Path,
    make: Callable[P, keras.Model | keras.callbacks.History],
    *args: P.args,
    **kwargs: P.kwargs,
) -> tuple[keras.Model, History]:
    """The model at `path`, or, where there is none, what `make(...)` trains, written there.

    Args:
        path: a `.keras` file; the history lies beside it, as `.history.json`.
        make: trains a model, and returns Keras' history, as `fit` does, or the model with that in
            `model.history`, as `compress.prune` does.
        args, kwargs: what `make` is called with.

    Returns:
        The model, and the history of its training: one number per epoch and name.

    Example:

    >>> import tempfile
    >>> import tensorflow as tf
    >>> from tfpipe import models, train
    >>> batches = tf.data.Dataset.from_tensors((tf.ones((4, 1)), tf.ones((4, 1))))
    >>> file = tempfile.mkdtemp() + "/model.keras"
    >>> model, history = keep(file, train.fit, models.linear(), batches, epochs=2, loss="mse")
    >>> keep(file, train.fit, models.linear(), batches)[1] == history  # nothing is trained
    True
    """
    file = pathlib.Path(path)
    numbers = file.with_suffix(".history.json")
    if file.exists():
        return keras.models.load_model(file), json.loads(numbers.read_bytes())
    made = make(*args, **kwargs)
    model = made.model if isinstance(made, keras.callbacks.History) else made
    history = {name: list(map(float, values)) for name, values in model.history.history.items()}
    write_json(numbers, history)
    with staged(file) as aside:  # last: the model's file says that the training is finished
        model.save(aside)
    return model, history
