"""Reads records as a `tf.data.Dataset` of (inputs, targets) batches, in an order that is known.

Example:

    train = read(manifest, "train", prepare, batch_size=64, shuffle_seed=0)
"""

import math
from collections.abc import Callable

import tensorflow as tf

from tfpipe.decode import decode_image
from tfpipe.errors import DataError, RequestError, received
from tfpipe.records.codec import parse
from tfpipe.records.manifest import Manifest

Example = dict[str, tf.Tensor]
Prepare = Callable[[Example], Example]

SHUFFLE_BYTES = 256 * 2**20


def read(
    manifest: Manifest,
    split: str,
    prepare: Prepare | None = None,
    *,
    batch_size: int,
    shuffle_seed: int | None = None,
    cache: bool = False,
) -> tf.data.Dataset:
    """Batches of one split, as `fit`, `evaluate` and `predict` of a Keras model take them.

    Args:
        manifest: what `records.write` or `records.load` returned.
        split: "train", "val", ...
        prepare: what happens to an example: a function from dict to dict, such as a
            `tfpipe.ops.Chain`. If it has `stages()`, the first stage is applied to single
            examples and the second to whole batches. None leaves images decoded, as uint8.
        batch_size: examples in a batch; the last one may be smaller.
        shuffle_seed: None keeps the order on disk. With a seed, every pass over the dataset is
            another epoch. Its order depends on the seed and the epoch's number alone, and so
            does `key`, a string in every example from which random ops draw.
        cache: keep what leaves the first stage in memory, so that nothing is read or decoded
            twice.

    Returns:
        A dataset of (inputs, targets): the `image`, and the `label` as int64 (B,).

    Raises:
        RequestError: no such split, or a wrong `batch_size`.
        DataError: a shard is missing or has another size than the manifest says.
    """
    if batch_size < 1:
        raise RequestError(received("`batch_size` to be at least 1", batch_size=batch_size))
    num_batches = math.ceil(manifest.split(split).num_examples / batch_size)
    check_files(manifest, split)
    single, whole = _stages(prepare, manifest)
    batches = (_from_memory if cache else _from_disk)(
        manifest, split, single, batch_size, shuffle_seed
    )

    def finish(example: Example) -> tuple[tf.Tensor, tf.Tensor]:
        example = whole(example)
        return example["image"], example["label"]

    dataset = batches.map(finish, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(num_batches))
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(_options())


def check_files(manifest: Manifest, split: str) -> None:
    """Compares the shards that are there with the manifest: their names and sizes.

    Raises:
        DataError: a shard is missing or has another size.
    """
    for shard in manifest.split(split).shards:
        path = f"{manifest.path}/{shard.file}"
        if not tf.io.gfile.exists(path):
            raise DataError(path, "the manifest names this shard, and it is not there")
        found = tf.io.gfile.stat(path).length
        if found != shard.num_bytes:
            raise DataError(
                path, f"expected {shard.num_bytes} bytes by the manifest, found {found}"
            )


def _stages(prepare: Prepare | None, manifest: Manifest) -> tuple[Prepare, Prepare]:
    stages = getattr(prepare, "stages", None)
    if stages is not None:
        return stages()
    return prepare or _decoder(manifest), lambda example: example


def _decoder(manifest: Manifest) -> Prepare:
    """What happens to an example without a chain: images become pixels, masks become classes."""
    features = manifest.features

    def decode(example: Example) -> Example:
        example = dict(example)
        if "image" in features:
            channels = features["image"].shape[-1] or 3
            example["image"] = decode_image(example["image"], channels, example.pop("orientation"))
        if "mask" in features:
            greys = decode_image(example["mask"], 1)
            example["mask"] = tf.gather(
                tf.constant(features["mask"].table, tf.int32), tf.cast(greys, tf.int32)
            )
        return example

    return decode


def _from_disk(
    manifest: Manifest, split: str, single: Prepare, batch_size: int, shuffle_seed: int | None
) -> tf.data.Dataset:
    files = manifest.files(split)
    window = _shuffle_window(manifest, split)

    def records(epoch: tf.Tensor) -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_tensor_slices(
            _shuffled(tf.constant(files), shuffle_seed, epoch)
        )
        dataset = dataset.interleave(
            tf.data.TFRecordDataset, cycle_length=8, num_parallel_calls=tf.data.AUTOTUNE
        )
        if shuffle_seed is None:
            return dataset
        return dataset.shuffle(window, seed=shuffle_seed + epoch, reshuffle_each_iteration=False)

    def one(record: tf.Tensor, epoch: tf.Tensor) -> Example:
        return single(_with_key(parse(record, manifest.features), shuffle_seed, epoch))

    dataset = _epochs(records, shuffle_seed)
    return dataset.map(one, num_parallel_calls=tf.data.AUTOTUNE).batch(batch_size)


def _from_memory(
    manifest: Manifest, split: str, single: Prepare, batch_size: int, shuffle_seed: int | None
) -> tf.data.Dataset:
    num_examples = manifest.split(split).num_examples
    rows = _from_disk(manifest, split, single, num_examples, None).get_single_element()

    def indices(epoch: tf.Tensor) -> tf.data.Dataset:
        order = _shuffled(tf.range(num_examples), shuffle_seed, epoch)
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    def gather(chosen: tf.Tensor, epoch: tf.Tensor) -> Example:
        example = {key: tf.gather(value, chosen) for key, value in rows.items()}
        return _with_key(example, shuffle_seed, epoch)

    dataset = _epochs(indices, shuffle_seed)
    return dataset.map(gather, num_parallel_calls=tf.data.AUTOTUNE)


def _epochs(
    items: Callable[[tf.Tensor], tf.data.Dataset], shuffle_seed: int | None
) -> tf.data.Dataset:
    """(item, epoch) pairs: a pass over the result is an epoch, and the next pass the next one."""
    with tf.init_scope():
        passes = tf.Variable(-1, dtype=tf.int64, trainable=False)

    def one_epoch(_: tf.Tensor) -> tf.data.Dataset:
        epoch = tf.constant(0, tf.int64) if shuffle_seed is None else passes.assign_add(1)
        return items(epoch).map(lambda item: (item, epoch))

    return tf.data.Dataset.range(1).flat_map(one_epoch)


def _shuffled(values: tf.Tensor, shuffle_seed: int | None, epoch: tf.Tensor) -> tf.Tensor:
    if shuffle_seed is None:
        return values
    return tf.random.experimental.stateless_shuffle(values, seed=[shuffle_seed, epoch])


def _shuffle_window(manifest: Manifest, split: str) -> int:
    """How many records of average size fit into SHUFFLE_BYTES."""
    info = manifest.split(split)
    return max(1, min(info.num_examples, SHUFFLE_BYTES * info.num_examples // info.num_bytes))


def _with_key(example: Example, shuffle_seed: int | None, epoch: tf.Tensor) -> Example:
    """Adds what random ops draw from: the same example has another key in every epoch."""
    if shuffle_seed is None:
        return example
    prefix = tf.strings.join([str(shuffle_seed), "/", tf.strings.as_string(epoch), "/"])
    return {**example, "key": tf.strings.join([prefix, example["id"]])}


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return options
