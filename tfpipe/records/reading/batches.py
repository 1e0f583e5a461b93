"""The examples of a split, prepared and in batches: from the disk, or kept in memory.

Example:

    batches = from_disk(Plan(manifest, "train", files, ...), single)
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfpipe.cores import num_cores
from tfpipe.records.codec import decoder, parse
from tfpipe.records.manifest import Manifest
from tfpipe.records.reading.order import are_small, epochs, index_items, record_items
from tfpipe.records.reading.sizes import are_loose, of_one_size, require_one_size
from tfpipe.records.reading.targets import batch

Example = dict[str, tf.Tensor]
Prepare = Callable[[Example], Example]


PEEK = 256  # images whose sizes are compared before the first batch is asked for


class Plan(NamedTuple):
    """What is read, and in which order."""

    manifest: Manifest
    split: str
    files: list[str]
    num_examples: int
    batch_size: int
    shuffle_seed: int | None
    balance: bool
    start: tuple[int, int]


def from_disk(plan: Plan, single: Prepare) -> tf.data.Dataset:
    """Batches that are read and prepared anew in every epoch."""
    seed, (epoch, step) = plan.shuffle_seed, plan.start
    items = record_items(
        plan.manifest,
        plan.split,
        files=plan.files,
        num_examples=plan.num_examples,
        shuffle_seed=seed,
        balance=plan.balance,
    )

    one = _traced(plan, single)
    loose = are_loose(plan.manifest, one.structured_outputs, plan.batch_size)
    small = are_small(plan.manifest, plan.split) and not loose
    if not small or "boxes" in plan.manifest.features or _in_turn(one):
        dataset = epochs(items, seed, first=epoch, skip=step * plan.batch_size)
        # Four for each core: with one for each, they wait for their neighbours.
        dataset = dataset.map(one, num_parallel_calls=4 * num_cores())
        if loose:
            now = tf.constant(epoch, tf.int64)
            require_one_size(one(record, now) for record in items(now).take(PEEK))
            dataset = of_one_size(dataset, plan.batch_size)
        return batch(dataset, plan.batch_size, plan.manifest)

    # What `tf.data` does for each of its elements takes as long as decoding a small image, so
    # here an element is a whole batch; the parallelism is inside.
    gives = tf.nest.map_structure(tf.type_spec_from_value, one.structured_outputs)

    def many(records: tf.Tensor, epoch: tf.Tensor) -> Example:
        return tf.map_fn(
            lambda record: one(record, epoch),
            records,
            fn_output_signature=gives,
            parallel_iterations=4 * num_cores(),
        )

    def whole_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        return items(epoch).batch(plan.batch_size)

    return epochs(whole_batches, seed, first=epoch, skip=step).map(many, num_parallel_calls=2)


def _traced(plan: Plan, single: Prepare) -> Any:
    """From a record and its epoch's number to its example, as a concrete function."""
    # Only the manifest knows which class a mask's grey stands for.
    features = plan.manifest.features
    mask = decoder({key: value for key, value in features.items() if key == "mask"})

    def one(record: tf.Tensor, epoch: tf.Tensor) -> Example:
        example = single(_with_key(mask(parse(record, features)), plan.shuffle_seed, epoch))
        # As in a map of `tf.data`, a list is a tensor, and not a structure.
        return {key: tf.stack(v) if isinstance(v, list) else v for key, v in example.items()}

    return tf.function(one).get_concrete_function(
        tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64)
    )


def _in_turn(function: Any) -> bool:
    """Whether a loop runs it one after the other, for its effects: Python's code, random draws."""
    return any(operation.op_def.is_stateful for operation in function.graph.get_operations())


def from_memory(plan: Plan, single: Prepare) -> tf.data.Dataset:
    """Batches of examples that were read and prepared once, and are all in memory."""
    num_examples, seed, (epoch, step) = plan.num_examples, plan.shuffle_seed, plan.start
    everything = plan._replace(
        batch_size=num_examples, shuffle_seed=None, balance=False, start=(0, 0)
    )
    rows = from_disk(everything, single).get_single_element()
    labels = rows["label"] if plan.balance else None

    def gather(chosen: tf.Tensor, epoch: tf.Tensor) -> Example:
        example = {key: tf.gather(value, chosen) for key, value in rows.items()}
        return _with_key(example, seed, epoch)

    items = index_items(labels, num_examples, plan.batch_size, seed)
    return epochs(items, seed, first=epoch, skip=step).map(gather, num_parallel_calls=num_cores())


def _with_key(example: Example, shuffle_seed: int | None, epoch: tf.Tensor) -> Example:
    """Adds what random ops draw from: the same example has another key in every epoch."""
    if shuffle_seed is None:
        return example
    prefix = tf.strings.join([str(shuffle_seed), "/", tf.strings.as_string(epoch), "/"])
    return {**example, "key": tf.strings.join([prefix, example["id"]])}
