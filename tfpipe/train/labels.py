"""The labels in a dataset: those of no class are an error by name, and classes may have weights.

Example:

    dataset = check_labels(num_classes=10)(weigh_classes({3: 5.0})(dataset))
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from tfpipe.errors import RequestError, received
from tfpipe.train.data import Change

CHECKED_BATCHES = 4


def check_labels(num_classes: int, ignored: int | None = None) -> Change:
    """A change of a dataset: labels outside the classes are an error in the first batches.

    Args:
        num_classes: labels are from 0 to one less.
        ignored: one more label, which is no class.
    """

    def check(number: tf.Tensor, batch: Any) -> Any:
        """Passes the batch on; later batches are not looked at."""

        def look() -> tf.Tensor:
            checked = _require_classes(number, batch, num_classes, ignored)
            with tf.control_dependencies([checked]):
                return tf.constant(True)

        fine = tf.cond(number < CHECKED_BATCHES, look, lambda: tf.constant(True))
        with tf.control_dependencies([fine]):
            return tf.nest.map_structure(tf.identity, batch)

    return lambda dataset: dataset.enumerate().map(check)


def _require_classes(
    number: tf.Tensor, batch: Any, num_classes: int, ignored: int | None
) -> tf.Operation:
    """Fails at the first label that is no class, and says where it stands."""
    labels = tf.cast(batch[1], tf.int64)
    outside = (labels < 0) | (labels >= num_classes)
    if ignored is not None:
        outside &= labels != ignored
    wrong = tf.where(outside)  # of a mask, too, the first number is the row
    row, named = wrong[:1, 0], []
    if isinstance(batch[0], dict) and "id" in batch[0]:
        named = [tf.gather(tf.reshape(batch[0]["id"], [-1]), row)]
    message = [
        f"Expected labels from 0 to {num_classes - 1}, as the model has {num_classes} outputs. "
        "Received: label",
        tf.gather_nd(labels, wrong[:1]),
        "in batch",
        number + 1,
        "of the pass, at row",
        row + 1,
        "of it, example" if named else "of it",
        *named,
    ]
    return tf.debugging.Assert(tf.size(wrong) == 0, message)


def weigh_classes(weights: Mapping[int, float]) -> Change:
    """A change of a dataset: every example gets its class' weight, beside its own if it has one.

    Args:
        weights: from a class' number to its weight; a class that is not named weighs 1.

    Raises:
        RequestError: it is no such mapping.
    """
    _require_weights(weights)
    table = tf.constant([float(weights.get(label, 1)) for label in range(max(weights) + 1)])

    def weigh(x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any, Any]:
        """A batch with its weights."""
        labels = _classes(y)
        known = labels < tf.size(table, tf.int64)
        chosen = tf.where(known, tf.gather(table, tf.where(known, labels, 0)), 1.0)
        return x, y, chosen if sample_weight is None else chosen * sample_weight

    return lambda dataset: dataset.map(weigh)


def _require_weights(weights: Mapping[int, float]) -> None:
    if not isinstance(weights, Mapping) or not weights:
        expected = "`class_weights` to map numbers of classes to weights"
        raise RequestError(received(expected, class_weights=weights))
    if not all(isinstance(label, int) and label >= 0 for label in weights):
        expected = "the keys of `class_weights` to be numbers of classes, from 0"
        raise RequestError(received(expected, class_weights=dict(weights)))
    if min(weights.values()) < 0:
        expected = "the values of `class_weights` to be numbers from 0"
        raise RequestError(received(expected, class_weights=dict(weights)))


def _classes(y: tf.Tensor) -> tf.Tensor:
    """Each example's class, int64 (B,), of numbers or of one-hot rows."""
    if y.shape.rank > 2:
        raise RequestError(
            "`class_weights` are for one label per example. Received: targets of shape "
            f"{tuple(y.shape)}. Leave them out; for masks, `DiceCrossentropy` takes weights."
        )
    if y.shape.rank == 2 and y.shape[1] != 1:
        with tf.control_dependencies([_require_one_class(y)]):
            return tf.argmax(y, -1)
    return tf.reshape(tf.cast(y, tf.int64), [-1])


def _require_one_class(y: tf.Tensor) -> tf.Operation:
    """Of several labels in a row there is no class that the weight could be that of."""
    totals = tf.reduce_sum(tf.cast(y, tf.float32), axis=-1)
    message = [
        "Expected targets whose rows sum to 1 with `class_weights`, one class per example; several "
        "labels are weighed by `WeightedBinaryFocalCrossentropy`. Received: a row that sums to",
        tf.boolean_mask(totals, tf.abs(totals - 1) > 0.01)[:1],
    ]
    return tf.debugging.Assert(tf.reduce_all(tf.abs(totals - 1) <= 0.01), message)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turns what was found in the labels, in the pipeline, into an error of one sentence.

    Raises:
        RequestError: which label, where.
    """
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        found = re.search(r"assertion failed: \[(Expected (?:labels|targets) .*)", error.message)
        if not found:
            raise
        sentence = re.sub(r"[\[\]]", "", found[1].split("\n")[0])
        raise RequestError(sentence.strip()) from None
