"""Examples of records in the form in which most can be told of them.

Example:

    profile = tp.drift.profile(stored(manifest, "test", prepare), model, prepare)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf

    from tfpipe.ops import Chain
    from tfpipe.records import Manifest

BATCH_SIZE = 64


def stored(manifest: "Manifest", split: str, prepare: "Chain") -> "tf.data.Dataset":
    """Batches of inputs and targets, for `profile` and `compare`.

    Texts, and images encoded as they came, so that their sizes are known; but where there are
    masks or boxes, which go with the resized image, and of sequences, what a model file takes.

    Args:
        manifest: what `records.write` or `records.load` returned.
        split: its name.
        prepare: the model's chain.

    Returns:
        Batches of 64 at most, the last one smaller: encoded images or texts, string (B,), or what
        a model file takes; with targets as `records.read` gives them.

    Raises:
        RequestError: no such split.
        DataError: the records are damaged.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from tfpipe import ops, records
    >>> source = records.arrays(np.zeros((4, 8, 8), np.uint8), np.arange(4), split={"test": 1})
    >>> manifest = records.write(source, tempfile.mkdtemp() + "/records")
    >>> prepare = ops.Chain([ops.Decode(1), ops.ToFloat()])
    >>> images, labels = next(iter(stored(manifest, "test", prepare)))
    >>> images.dtype, labels.shape
    (tf.string, TensorShape([4]))
    """
    from tfpipe import records

    names = set(manifest.features)
    as_they_came = names & {"image", "text"} and not names & {"mask", "boxes"}
    return records.read(
        manifest, split, _same if as_they_came else prepare.outside(), batch_size=BATCH_SIZE
    )


def _same(example: dict[str, Any]) -> dict[str, Any]:
    return example
