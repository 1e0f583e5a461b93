"""The order of the examples: a function of the seed and the epoch's number, and of nothing else."""

from collections.abc import Callable

import tensorflow as tf

from tfpipe.records.codec import parse
from tfpipe.records.manifest import Manifest

SHUFFLE_BYTES = 256 * 2**20
OPEN_FILES = 8
SMALL_BYTES = 2**14  # to hand such a record from step to step takes as long as to decode it

Items = Callable[[tf.Tensor], tf.data.Dataset]


def epochs(items: Items, shuffle_seed: int | None, *, first: int, skip: int) -> tf.data.Dataset:
    """(item, epoch) pairs: a pass over the result is an epoch, and the next pass the next one.

    Args:
        items: from an epoch's number to that epoch's items, in order.
        shuffle_seed: None makes every epoch the same, number 0.
        first: the number of the first pass's epoch.
        skip: how many items the first pass leaves out at its beginning.
    """
    if shuffle_seed is None and skip == 0:  # counting takes 10 ms a pass
        zero = tf.constant(0, tf.int64)
        return _numbered(items(zero), zero)
    # The next pass' number. A variable would lie on a GPU, or on all of them; a table does not.
    following = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, default_value=first)

    def one_pass(_: tf.Tensor) -> tf.data.Dataset:
        key = tf.constant(0, tf.int64)
        number = following.lookup(key)
        following.insert(key, number + 1)
        epoch = tf.zeros_like(number) if shuffle_seed is None else number
        skipped = tf.where(number == first, tf.constant(skip, tf.int64), 0)
        return _numbered(items(epoch).skip(skipped), epoch)

    return tf.data.Dataset.range(1).flat_map(one_pass)


def _numbered(items: tf.data.Dataset, epoch: tf.Tensor) -> tf.data.Dataset:
    numbers = tf.data.Dataset.from_tensors(epoch).repeat()  # cheaper than a map
    return tf.data.Dataset.zip(items, numbers)


def shuffled(values: tf.Tensor, shuffle_seed: int | None, epoch: tf.Tensor) -> tf.Tensor:
    """The values along the first axis, in the epoch's order."""
    if shuffle_seed is None:
        return values
    return tf.random.experimental.stateless_shuffle(values, seed=[shuffle_seed, epoch])


def are_small(manifest: Manifest, split: str) -> bool:
    """Whether a split's records are so small that their number counts, and not their size."""
    info = manifest.split(split)
    return info.num_bytes < SMALL_BYTES * info.num_examples


def record_items(
    manifest: Manifest,
    split: str,
    *,
    files: list[str],
    num_examples: int,
    shuffle_seed: int | None,
    balance: bool,
) -> Items:
    """Serialised records: several files at a time, and a window that is shuffled."""
    info = manifest.split(split)
    # The window takes this share of the split, so that its bytes fit into memory.
    share = min(1.0, SHUFFLE_BYTES / info.num_bytes)
    in_turn = are_small(manifest, split) and "://" not in manifest.path

    def items(epoch: tf.Tensor) -> tf.data.Dataset:
        """The records of one epoch."""
        order = shuffled(tf.constant(files), shuffle_seed, epoch)
        records = tf.data.Dataset.from_tensor_slices(order).interleave(
            tf.data.TFRecordDataset,
            cycle_length=OPEN_FILES,
            num_parallel_calls=None if in_turn else OPEN_FILES,
        )
        if shuffle_seed is None:
            return records
        # tf.data mixes its seeds with the graph's, which a user may have set for other purposes;
        # here the graph is that of this function alone.
        tf.random.set_seed(1)
        seed = tf.random.stateless_uniform(
            [], [shuffle_seed, epoch], minval=None, maxval=None, dtype=tf.int64
        )
        if balance:
            mixed = _balanced(records, manifest, info.class_counts, seed, share)
            return mixed.take(num_examples)
        return _window(records, num_examples, seed, share)

    return items


def index_items(
    labels: tf.Tensor | None, num_examples: int, batch_size: int, shuffle_seed: int | None
) -> Items:
    """Batches of indices into examples that are in memory; with labels, balanced by class."""

    def items(epoch: tf.Tensor) -> tf.data.Dataset:
        """The batches of one epoch."""
        if labels is None:
            order = shuffled(tf.range(num_examples), shuffle_seed, epoch)
        else:
            counts = tf.gather(tf.math.bincount(tf.cast(labels, tf.int32)), labels)
            odds = -tf.math.log(tf.cast(counts, tf.float32))
            order = tf.random.stateless_categorical(
                odds[None], num_examples, seed=[shuffle_seed, epoch], dtype=tf.int32
            )[0]
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    return items


def _balanced(
    records: tf.data.Dataset,
    manifest: Manifest,
    counts: tuple[int, ...],
    seed: tf.Tensor,
    share: float,
) -> tf.data.Dataset:
    """Records without end, each of a class drawn at random; a rare class' come again."""

    def of_class(label: int) -> tf.data.Dataset:
        def belongs(record: tf.Tensor) -> tf.Tensor:
            return parse(record, manifest.features)["label"] == label

        # Shuffled before they are drawn, or an epoch would never see the last of a large class.
        return _window(records.filter(belongs), counts[label], seed, share).repeat()

    return tf.data.Dataset.sample_from_datasets(
        [of_class(label) for label, count in enumerate(counts) if count],
        seed=seed,
        rerandomize_each_iteration=False,
    )


def _window(
    records: tf.data.Dataset, num_examples: int, seed: tf.Tensor, share: float
) -> tf.data.Dataset:
    window = max(1, int(num_examples * share))
    return records.shuffle(window, seed=seed, reshuffle_each_iteration=False)
