"""Reads records as a `tf.data.Dataset` of (inputs, targets) batches, in an order that is known.

Example:

    train = read(manifest, "train", prepare, batch_size=64, shuffle_seed=0)
"""

import hashlib
import math

import tensorflow as tf

from tfpipe.cores import num_cores
from tfpipe.errors import RequestError, received
from tfpipe.records.codec import decoder
from tfpipe.records.manifest import Manifest
from tfpipe.records.reading.batches import Example, Plan, Prepare, from_disk, from_memory
from tfpipe.records.reading.salvage import sound_files
from tfpipe.records.reading.targets import (
    Weights,
    require_label,
    require_pair,
    split_example,
    weight_table,
)
from tfpipe.untuned import untuned

AHEAD = 2  # batches that are ready before they are asked for


def read(
    manifest: Manifest,
    split: str,
    prepare: Prepare | None = None,
    *,
    batch_size: int,
    shuffle_seed: int | None = None,
    cache: bool = False,
    weights: Weights = None,
    balance: bool = False,
    start: tuple[int, int] = (0, 0),
    damaged: str = "refuse",
) -> tf.data.Dataset:
    """Batches of one split, as `fit`, `evaluate` and `predict` of a Keras model take them.

    The shards are compared with the manifest's sums first: no record can fail hours later.
    TensorFlow's autotuner is off for the dataset, and for what is made of it: the end of a pass
    would have to wait for it.

    Args:
        manifest: what `records.write` or `records.load` returned.
        split: "train", "val", ...
        prepare: what happens to an example: a function from dict to dict, such as a
            `tfpipe.ops.Chain`. If it has `stages()`, the first stage is applied to single
            examples and the second to whole batches. It gets encoded images, and masks as
            classes, int32 (H, W, 1). None decodes the images, too, to uint8.
        batch_size: examples in a batch; the last one may be smaller.
        shuffle_seed: None keeps the order on disk. With a seed, every pass over the dataset is
            another epoch. Its order depends on the seed, the epoch's number and `cache` alone.
            `key`, a string in every example from which random ops draw, on seed, epoch and id.
        cache: keep what leaves the first stage in memory, so that nothing is read or decoded
            twice. No op of that stage may be random: it would draw once and for all.
        weights: sample weights by class: "balanced", or a dict from class names to weights.
        balance: draw every example from a class drawn at random, as many as the split has; needs
            `shuffle_seed`.
        start: (epoch, batch) that the first pass begins with, to continue an interrupted
            training; what is skipped is not decoded. From a later batch than the first, the first
            pass is shorter: then the dataset has no length, and Keras' `fit` must be called for
            one epoch at a time.
        damaged: "refuse" shards that are not what the manifest says, or "skip" their damaged
            records, with a warning that counts them.

    Returns:
        A dataset of (inputs, targets) or (inputs, targets, sample weights); what it was made of
        is in its attribute `made_of`, for `train.fit`. Inputs are the
        `image`, `text` or `sequence`; targets the `label` (B,) int64, `labels`
        (B, num_classes) int64, `mask`, `target` (B,) or (B, k) float32, or a dict of `boxes`
        (B, N, 4) and `classes` (B, N), padded with -1.

    Raises:
        RequestError: no such split, an argument that does not fit, or images of different sizes
            would be in one batch.
        DataError: a shard is missing, damaged, or not the one that the manifest describes.

    Example:

    >>> images, labels = next(iter(read(manifest, "train", batch_size=4, shuffle_seed=0)))
    >>> images.shape, images.dtype, sorted(labels.numpy().tolist())
    (TensorShape([4, 32, 32, 1]), tf.uint8, [...])
    """
    _check_arguments(manifest, batch_size, shuffle_seed, balance, start)
    table = weight_table(manifest, split, weights)
    files, num_examples = sound_files(manifest, split, damaged)
    single, whole = _stages(prepare, manifest)
    if cache:
        _require_same_again(single)
    plan = Plan(manifest, split, files, num_examples, batch_size, shuffle_seed, balance, start)

    def finish(example: Example) -> tuple[object, ...]:
        return split_example(whole(example), table)

    batches = from_memory(plan, single) if cache else from_disk(plan, single)
    require_pair(batches.element_spec)
    dataset = batches.map(finish, num_parallel_calls=num_cores())
    if start[1] == 0:  # the first pass is shorter otherwise
        length = math.ceil(num_examples / batch_size)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(length))
    dataset = untuned(dataset.prefetch(AHEAD)).with_options(_options())
    dataset.made_of = _made_of(plan, prepare, weights)
    if shuffle_seed is not None:
        dataset.made_of["cache"] = cache  # the order is another one
    dataset.prepare = prepare
    return dataset


def _made_of(plan: Plan, prepare: Prepare | None, weights: Weights) -> dict[str, object]:
    """What the batches depend on, in plain values: `train.fit` notes it, and compares."""
    sums = "".join(shard.sha256 for shard in plan.manifest.split(plan.split).shards)
    named = hasattr(prepare, "stages") or prepare is None  # a function's repr has its address
    return {
        "records": plan.manifest.name,
        "split": plan.split,
        "sha256": hashlib.sha256(sums.encode()).hexdigest(),
        "prepare": repr(prepare)
        if named
        else getattr(prepare, "__qualname__", type(prepare).__name__),
        "batch_size": plan.batch_size,
        "shuffle_seed": plan.shuffle_seed,
        "weights": weights if weights is None or isinstance(weights, str) else dict(weights),
        "balance": plan.balance,
    }


def _check_arguments(
    manifest: Manifest,
    batch_size: int,
    shuffle_seed: int | None,
    balance: bool,
    start: tuple[int, int],
) -> None:
    if batch_size < 1:
        raise RequestError(received("`batch_size` to be at least 1", batch_size=batch_size))
    if min(start) < 0:
        raise RequestError(received("`start` to be (epoch, batch), both from 0", start=start))
    if balance:
        require_label(manifest, "balance")
        if shuffle_seed is None:
            raise RequestError("`balance=True` draws at random: give a `shuffle_seed`, too.")


def _stages(prepare: Prepare | None, manifest: Manifest) -> tuple[Prepare, Prepare]:
    stages = getattr(prepare, "stages", None)
    if stages is not None:
        return stages()
    features = {key: value for key, value in manifest.features.items() if key != "mask"}
    return prepare or decoder(features), lambda example: example


def _require_same_again(single: Prepare) -> None:
    """Refuses a first stage that would give something else in the next epoch."""
    random = [op for op in getattr(single, "ops", ()) if getattr(op, "random", False)]
    if random:
        raise RequestError(
            f"`cache=True` keeps what the first stage gives, and {random[0]!r} is in it, because "
            "an op after it needs single images. Move random ops behind all ops that need single "
            "images, or pass `cache=False`."
        )


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return options
