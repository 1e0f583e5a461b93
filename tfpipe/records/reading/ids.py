"""Which example is which: their ids, in the order in which they are read.

Example:

    names = ids(manifest, "test")
    names[17]                           # the 18th example that `read(manifest, "test", ...)` gives
"""

import tensorflow as tf

from tfpipe.records.manifest import Manifest
from tfpipe.records.reading.order import record_items
from tfpipe.records.reading.salvage import sound_files

_SPEC = {"id": tf.io.FixedLenFeature([], tf.string)}


def ids(manifest: Manifest, split: str) -> list[str]:
    """The ids of a split, in the order of `read` without a `shuffle_seed`.

    Args:
        manifest: what `records.write` or `records.load` returned.
        split: "train", "val", ...

    Returns:
        A string for each example.

    Raises:
        RequestError: no such split.
        DataError: a shard is missing, damaged, or not the one that the manifest describes.

    Example:

    >>> sorted(ids(manifest, "train"))
    ['0000...', ...]
    """
    files, num_examples = sound_files(manifest, split, "refuse")
    items = record_items(
        manifest, split, files=files, num_examples=num_examples, shuffle_seed=None, balance=False
    )
    records = items(tf.constant(0, tf.int64)).batch(1000)
    parts = [tf.io.parse_example(part, _SPEC)["id"].numpy() for part in records]
    return [name.decode(errors="surrogateescape") for part in parts for name in part]
