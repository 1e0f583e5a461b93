"""The mean and the standard deviation of each column of the training sequences.

Example:

    standardize = tfpipe.ops.Standardize(*moments(manifest))
"""

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.records.codec import parse
from tfpipe.records.manifest import Manifest
from tfpipe.records.reading.salvage import sound_files


def moments(manifest: Manifest) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Reads the sequences of the split "train", and of no other.

    Args:
        manifest: of records with a `sequence` (T, C).

    Returns:
        C means, and C standard deviations, of all steps of all sequences; rows that are in
        several windows count as often.

    Raises:
        RequestError: the records hold no sequences or no split "train", or not all of their
            numbers are finite.
        DataError: a shard is damaged.

    Example:

    >>> import tempfile
    >>> from tfpipe import records
    >>> x = np.array([[[1.0, 5.0], [3.0, 5.5]]] * 4)
    >>> source = records.arrays(x, np.zeros(4), kind="sequence", split={"train": 1.0})
    >>> moments(records.write(source, tempfile.mkdtemp() + "/x"))
    ((2.0, 5.25), (1.0, 0.25))
    """
    if "sequence" not in manifest.features:
        raise RequestError(
            f"Expected records with a `sequence`. {manifest.name!r} has: "
            f"{', '.join(manifest.features)}"
        )
    files, _ = sound_files(manifest, "train", "refuse")
    feature = {"sequence": manifest.features["sequence"]}
    rows = tf.data.TFRecordDataset(files).map(lambda record: parse(record, feature)["sequence"])
    count, mean, squares = 0, np.zeros(1), np.zeros(1)
    for batch in rows.batch(256).as_numpy_iterator():
        values = batch.reshape(-1, batch.shape[-1]).astype(np.float64)
        # Chan, Golub and LeVeque (1979): sums of squares about a mean that moves.
        number, centre = len(values), values.mean(0)
        between = (centre - mean) ** 2 * count * number / (count + number)
        squares = squares + ((values - centre) ** 2).sum(0) + between
        count += number
        mean = mean + (centre - mean) * number / count
    if not np.isfinite(squares).all():
        raise RequestError(f"Expected sequences of finite numbers in {manifest.path!r}.")
    return tuple(mean.tolist()), tuple(np.sqrt(squares / count).tolist())
