"""A training that need not be repeated: its model and its history, in files.

Example:

    model, history = keep("out/dense.keras", lambda: train_it())
"""

import json
import pathlib
from collections.abc import Callable

from tfpipe.backend import keras
from tfpipe.files import Path, staged, write_json

History = dict[str, list[float]]


def keep(path: Path, make: Callable[[], keras.Model]) -> tuple[keras.Model, History]:
    """The model at `path`, or, where there is none, what `make()` trains, written there.

    Args:
        path: a `.keras` file; the history lies beside it, as `.history.json`.
        make: trains a model and returns it, with Keras' history in `model.history`.

    Returns:
        The model, and the history of its training: one number per epoch and name.
    """
    file = pathlib.Path(path)
    numbers = file.with_suffix(".history.json")
    if file.exists():
        return keras.models.load_model(file), json.loads(numbers.read_bytes())
    model = make()
    history = {name: list(map(float, values)) for name, values in model.history.history.items()}
    write_json(numbers, history)
    with staged(file) as aside:  # last: the model's file says that the training is finished
        model.save(aside)
    return model, history
