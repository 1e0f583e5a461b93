"""Findings for a bundle's notes: sentences and tables that hold for one kind of job.

Example:

    notes = {"Before pruning": score_and_size(dense, manifest, prepare)}
"""

import pathlib
import tempfile
from collections.abc import Callable, Mapping

import numpy as np

from tfpipe.backend import keras
from tfpipe.errors import RequestError, received
from tfpipe.export.bundling.data import data_of
from tfpipe.export.reading.load import load
from tfpipe.export.scoring.costs import zipped_bytes
from tfpipe.export.scoring.overlaps import overlap_table
from tfpipe.export.scoring.verify import examine, verify
from tfpipe.export.writing.tflite import to_tflite
from tfpipe.ops import Chain, Standardize
from tfpipe.records import Manifest, ids, read

BATCH_SIZE = 256


def score_and_size(
    model: keras.Model, manifest: Manifest, prepare: Chain, *, split: str = "test"
) -> str:
    """What a model's float32 TFLite file reaches and weighs, in a sentence.

    Args:
        model: a trained Keras model, such as it was before it was made smaller.
        manifest: what `records.write` or `records.load` returned.
        prepare: the chain that the model was trained with.
        split: the split that the file is run on.

    Returns:
        The score by its name, and the file's bytes: "accuracy 0.9918, 231,552 bytes zipped".

    Raises:
        RequestError: no such split, or a model or chain that does not fit.
        DataError: the records are damaged.

    Example:

    >>> score_and_size(model, manifest, prepare)
    'accuracy 0..., ... bytes zipped'
    """
    data = data_of(model, manifest, prepare, split=split)
    with tempfile.TemporaryDirectory() as folder:
        path = to_tflite(model, pathlib.Path(folder) / "float32.tflite", prepare=prepare)
        head = verify(data.reference.around(load(path)), [], data.check).reference
        size = zipped_bytes(path)
    return f"{head['score_name']} {head['score']:.4f}, {size:,} bytes zipped"


def overlap_by_group(
    model: keras.Model,
    manifest: Manifest,
    prepare: Chain,
    groups: Mapping[str, str] | Callable[[str], str],
    *,
    split: str = "test",
) -> str:
    """A segmenting model's overlap of each class, over all images and over each group of them.

    Args:
        model: a trained Keras model of masks.
        manifest: what `records.write` or `records.load` returned, with a `mask` per image.
        prepare: the chain that the model was trained with.
        groups: from an image's id to its group, such as the kind of its defect: a mapping or a
            function.
        split: the split that the model is run on.

    Returns:
        A text table, as `overlap_table` makes it.

    Raises:
        RequestError: no such split, examples without masks, or a model that does not fit.
        DataError: the records are damaged.

    Example:

    >>> from tfpipe import ops, records
    >>> mask = np.eye(8, dtype=np.uint8)[..., None]
    >>> rows = [
    ...     {"id": name, "split": split, "image": mask * np.uint8(grey), "mask": mask}
    ...     for name, split, grey in (("a", "train", 253), ("hole_1", "test", 254),
    ...                               ("scratch_1", "test", 255))
    ... ]
    >>> features = {
    ...     "image": records.Feature("image", (8, 8, 1)),
    ...     "mask": records.Feature("mask", table=(0, 1, *[0] * 254)),
    ... }
    >>> source = records.examples(rows, features, class_names=("free", "defect"))
    >>> manifest = records.write(source, tempfile.mkdtemp() + "/records")
    >>> x = keras.Input((8, 8, 1))
    >>> model = keras.Model(x, keras.layers.Concatenate()([1 - x, x]))
    >>> prepare = ops.Chain([ops.Decode(1), ops.Resize((8, 8)), ops.ToFloat()])
    >>> print(overlap_by_group(model, manifest, prepare, lambda name: name.split("_")[0]))
             images  IoU of free              IoU of defect
    -------  ------  -----------------------  -----------------------
    all           2  1.0000 (1.000 to 1.000)  1.0000 (1.000 to 1.000)
    hole          1  1.0000 (1.000 to 1.000)  1.0000 (1.000 to 1.000)
    scratch       1  1.0000 (1.000 to 1.000)  1.0000 (1.000 to 1.000)
    """
    if "mask" not in manifest.features:
        raise RequestError(
            f"Expected records with a `mask`. {manifest.name!r} has: {', '.join(manifest.features)}"
        )
    data = data_of(model, manifest, prepare, split=split)
    _, (answers,) = examine(data.reference, [], data.check)
    group_of = groups.__getitem__ if isinstance(groups, Mapping) else groups
    found = [group_of(name) for name in ids(manifest, split)]
    return overlap_table(answers.rows, manifest.class_names, found)


def against_last_value(
    model: keras.Model, manifest: Manifest, prepare: Chain, *, split: str = "test", column: int = 0
) -> str:
    """How far a forecast is off, as a share of how far the window's last value is off.

    Source: the relative root mean squared error of Hyndman and Koehler, "Another look at measures
    of forecast accuracy", 2006; the naive forecast says that the last value stays.

    Args:
        model: a trained Keras model of sequences (T, C) to one number.
        manifest: what `records.write` or `records.load` returned, with a `target` per `sequence`.
        prepare: the chain that the model was trained with; a `Standardize` in it has the
            `target` (column,), so that all numbers are of one scale.
        split: the split that both forecast.
        column: the sequence's column that is forecast.

    Returns:
        "0.146 of the last value's root mean squared error".

    Raises:
        RequestError: no such split, examples without a sequence and its target, or a `Standardize`
            of another target.
        DataError: the records are damaged.

    Example:

    >>> from tfpipe import ops, records
    >>> series = np.random.default_rng(0).normal(size=(40, 5, 1))
    >>> source = records.arrays(
    ...     series, series[:, 0, 0], kind="sequence", split={"train": 0.5, "test": 0.5}
    ... )
    >>> manifest = records.write(source, tempfile.mkdtemp() + "/records")
    >>> x = keras.Input((5, 1))
    >>> against_last_value(keras.Model(x, x[:, -1]), manifest, ops.Chain([]))
    "1.000 of the last value's root mean squared error"
    """
    if not {"sequence", "target"} <= {*manifest.features}:
        raise RequestError(
            f"Expected records with a `sequence` and its `target`. {manifest.name!r} has: "
            f"{', '.join(manifest.features)}"
        )
    for op in prepare.ops:
        if isinstance(op, Standardize) and op.target != (column,):
            raise RequestError(received(f"`prepare` with `target=({column},)`", prepare=prepare))
    batches = read(manifest, split, prepare.inference(), batch_size=BATCH_SIZE)
    inputs, targets = map(np.concatenate, zip(*batches.as_numpy_iterator(), strict=True))
    found, last = model.predict(inputs, BATCH_SIZE, verbose=0)[:, 0], inputs[:, -1, column]
    own, naive = (np.mean((values - targets.ravel()) ** 2) for values in (found, last))
    return f"{np.sqrt(own / naive):.3f} of the last value's root mean squared error"
