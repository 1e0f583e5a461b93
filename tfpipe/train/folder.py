"""A training's folder: what reproduces it, how far it is, and what came of it."""

import contextlib
import csv
import io
import json
import pathlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
from keras.src.utils.rng_utils import get_random_seed

from tfpipe import runs
from tfpipe.backend import keras
from tfpipe.errors import RequestError
from tfpipe.files import Path, leftovers, write_bytes, write_json, write_text
from tfpipe.report import curves
from tfpipe.train import checkpoint, workers
from tfpipe.train.data import Opened
from tfpipe.train.step import Options


def settings(
    model: keras.Model,
    opened: Mapping[str, Opened],
    options: Options,
    epochs: int,
    class_weights: Mapping[int, float] | None,
    callbacks: Sequence[keras.callbacks.Callback],
) -> dict[str, Any]:
    """What must be the same for a training to go on, by names that an error can tell."""
    # Keras numbers the names it makes up, so the same model has others in the same process.
    weights = {
        f"weights[{number}]": f"{variable.name} {tuple(variable.shape)} {variable.dtype}"
        for number, variable in enumerate(model.weights)
    }
    optimizer = json.loads(json.dumps(model.optimizer.get_config(), default=str))
    data: dict[str, Any] = {}
    for name, part in opened.items():
        data[f"batches of {name}"] = part.num_batches
        data[f"spec of {name}"] = str(part.spec)
        # `records.read` says what its batches are made of; other datasets do not.
        for key, value in getattr(part.dataset, "made_of", {}).items():
            data[f"{key} of {name}"] = value
    for part in (model, *callbacks):  # those of `tfpipe.compress` say what they were made with
        for key, value in getattr(part, "made_of", {}).items():
            data[f"{key} of {type(part).__name__}"] = value
    return {
        "model": re.sub(r"_\d+$", "", model.name),
        **weights,
        **data,
        "optimizer": {"class": type(model.optimizer).__name__, **_unnamed(optimizer)},
        "loss": [_name(loss) for loss in tf.nest.flatten(model.loss) if loss is not None],
        "metrics": [metric.name for metric in model.metrics],
        "callbacks": [type(callback).__name__ for callback in callbacks],
        "epochs": epochs,
        "class_weights": class_weights and {str(k): v for k, v in class_weights.items()},
        **options._asdict(),
        "replicas": model.distribute_strategy.num_replicas_in_sync,
    }


def saved_counts(path: Path) -> dict[str, int]:
    """The batches of each pass of the run in a folder, by side."""
    there = runs.load_settings(path)
    return {
        name.removeprefix("batches of "): int(str(value))
        for name, value in there.items()
        if name.startswith("batches of ")
    }


@contextlib.contextmanager
def opened(
    path: Path | None, settings: Mapping[str, Any], strategy: tf.distribute.Strategy
) -> Iterator[pathlib.Path | None]:
    """The folder, locked, for a training of these settings; only the chief writes there.

    Raises:
        RequestError: it cannot be written to, or holds something else, or is in use.
    """
    if path is None or not workers.is_chief(strategy):
        yield None if path is None else pathlib.Path(path)
        return
    _require_writable(pathlib.Path(path))
    with runs.folder(path, settings, anew="delete it to begin anew") as out:
        (out / checkpoint.FOLDER).mkdir(exist_ok=True)
        for left in leftovers(out / checkpoint.FOLDER):  # by a process that was killed
            shutil.rmtree(left)
        write_json(out / "environment.json", {**runs.environment(), "seed": get_random_seed()})
        yield out


def continued(
    callbacks: Sequence[keras.callbacks.Callback], epoch: int
) -> list[keras.callbacks.Callback]:
    """The callbacks, made to go on at an epoch: a CSVLogger's file keeps the rows before it."""
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.CSVLogger) and epoch:
            callback.append = True
            _cut(pathlib.Path(callback.filename), callback.sep, epoch)
    return list(callbacks)


def write_chain(out: pathlib.Path, dataset: tf.data.Dataset) -> None:
    """Writes the chain that `records.read` prepares the batches with, as JSON."""
    prepare = getattr(dataset, "prepare", None)
    if prepare is not None and hasattr(prepare, "to_json"):
        prepare.to_json(out / "chain.json")


def finish(out: pathlib.Path, history: keras.callbacks.History) -> None:
    """Writes the history as a table and as learning curves."""
    lines = [["epoch", *history.history]]
    columns = history.history.values()
    lines += [list(map(str, row)) for row in zip(history.epoch, *columns, strict=True)]
    write_text(out / "history.csv", "".join(",".join(line) + "\n" for line in lines))
    write_bytes(out / "curves.png", curves(history.history))


def _require_writable(path: pathlib.Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        raise RequestError(
            "Expected `resume` to be a folder that can be written to. "
            f"Received: resume={str(path)!r} ({error.strerror})"
        ) from None


def _cut(file: pathlib.Path, separator: str, epoch: int) -> None:
    """Drops the rows that are written again: those from the epoch on."""
    if not file.exists():
        return
    with file.open(newline="") as lines:
        head, *rows = csv.reader(lines, delimiter=separator)
    text = io.StringIO()
    place = head.index("epoch")
    kept = [row for row in rows if int(row[place]) < epoch]
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows([head, *kept])
    write_text(file, text.getvalue())


def _unnamed(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _unnamed(value) for key, value in config.items() if key != "name"}
    return config


def _name(loss: Any) -> str:
    return loss if isinstance(loss, str) else getattr(loss, "name", None) or loss.__name__
