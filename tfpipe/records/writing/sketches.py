"""Where sketches of images do not tell whether contents are the same, the pixels do.

Example:

    settle_sketches(source.features, digests, finished, folder)     # some digests are exact now
    shared = in_two(digests)
"""

import itertools
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfpipe.cores import num_cores
from tfpipe.decode import decode_plain
from tfpipe.records.contents import EXACT, content_of, kind_of
from tfpipe.records.sources.base import Feature
from tfpipe.records.writing.shards import Finished, all_facts, shard_path
from tfpipe.untuned import untuned

Digests = dict[str, np.ndarray]  # by split, in the order on disk

_SPEC = {"image": tf.io.FixedLenFeature([], tf.string)}


def in_two(digests: Digests) -> np.ndarray:
    """Those that stand in two splits or more, sorted."""
    pairs = itertools.combinations(digests.values(), 2)
    shared = [np.intersect1d(a, b) for a, b in pairs]
    return np.unique(np.concatenate(shared)) if shared else np.zeros(0, np.uint64)


def settle_sketches(
    features: Mapping[str, Feature], digests: Digests, finished: Finished, folder: pathlib.Path
) -> None:
    """Replaces, by digests of pixels, sketches that two splits share, and those of images that are
    as large as one with another kind of digest.
    """
    shared = in_two(digests)
    kinds = set().union(*(facts.kinds_px for facts in all_facts(finished)))
    sizes = Counter((height, width) for _, height, width in kinds)
    of_two_kinds = sorted(size for size, num_kinds in sizes.items() if num_kinds > 1)
    for split, found in digests.items():
        sketched = kind_of(found) != EXACT
        doubtful = sketched & np.isin(found, shared)
        if sketched.any() and of_two_kinds:
            doubtful |= sketched & _of_sizes(of_two_kinds, finished, folder, split)
        if doubtful.any():
            found = digests[split] = found.copy()
            found[doubtful] = _exact(features["image"].channels, doubtful, finished, folder, split)


def _exact(
    channels: int, wanted: np.ndarray, finished: Finished, folder: pathlib.Path, split: str
) -> np.ndarray:
    records = tf.data.Dataset.zip(
        _images(finished, folder, split), tf.data.Dataset.from_tensor_slices(wanted)
    )
    chosen = records.filter(lambda image, wanted: wanted)
    decoded = chosen.map(
        lambda image, wanted: decode_plain(image, channels), num_parallel_calls=num_cores()
    )
    digests = [content_of(pixels).digest for pixels in untuned(decoded.prefetch(2))]
    return np.array(digests, np.uint64)


def _of_sizes(
    sizes: Sequence[tuple[int, int]], finished: Finished, folder: pathlib.Path, split: str
) -> np.ndarray:
    """Which of a split's images are JPEGs or PNGs of one of these sizes."""

    def fits(image: tf.Tensor) -> tf.Tensor:
        return tf.reduce_any(tf.reduce_all(_size_px(image) == sizes, axis=-1))

    fitting = _images(finished, folder, split).map(fits, num_parallel_calls=num_cores())
    return np.fromiter(untuned(fitting.prefetch(2)).as_numpy_iterator(), bool)


def _size_px(image: tf.Tensor) -> tf.Tensor:
    """A JPEG's or PNG's height and width; of another image, no size."""

    def of_png() -> tf.Tensor:
        words = tf.io.decode_raw(tf.strings.substr(image, 16, 8), tf.int32, little_endian=False)
        return tf.reverse(words, axis=[0])

    kinds = [
        (
            tf.strings.substr(image, 0, 2) == b"\xff\xd8",
            lambda: tf.io.extract_jpeg_shape(image)[:2],
        ),
        (tf.strings.substr(image, 0, 4) == b"\x89PNG", of_png),
    ]
    return tf.case(kinds, default=lambda: tf.constant([-1, -1]))


def _images(finished: Finished, folder: pathlib.Path, split: str) -> tf.data.Dataset:
    """The encoded images of a split, in the order of its digests."""
    numbers = [number for number, facts in enumerate(finished[split]) if facts]
    files = [str(shard_path(folder, split, number)) for number in numbers]
    return tf.data.TFRecordDataset(files).map(
        lambda record: tf.io.parse_single_example(record, _SPEC)["image"]
    )
