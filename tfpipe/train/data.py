"""The batches that `fit` gets: checked before time is spent, and begun at any epoch and batch.

Example:

    iterators = passes(opened("train", dataset, epoch=3, batch=17), strategy)
    iterator = next(iterators)
"""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from tfpipe.errors import RequestError, received

Batches: TypeAlias = tf.data.Dataset | Callable[[int, int], tf.data.Dataset]
Change: TypeAlias = Callable[[tf.data.Dataset], tf.data.Dataset]

CHECKED_BATCHES = 4


class Opened(NamedTuple):
    """A dataset, and where in it a process begins."""

    dataset: tf.data.Dataset
    num_batches: int  # in a whole pass
    before: int  # passes that are over
    skip: int  # batches of the first pass that are over

    @property
    def spec(self) -> tuple[Any, ...]:
        """Of a batch: (inputs, targets) or (inputs, targets, sample weights)."""
        return self.dataset.element_spec


def opened(
    name: str, batches: Batches, epoch: int, batch: int, *, known: int | None = None
) -> Opened:
    """Checks what was given as `train` or `val`, and opens it at an epoch and a batch.

    Args:
        name: the argument's, for errors.
        batches: a dataset, or a function of (epoch, batch) that returns a dataset whose first
            pass begins there, such as one that calls `records.read(..., start=(epoch, batch))`.
        epoch: the epoch that is wanted, from 0.
        batch: its first batch that is wanted, from 0.
        known: how many batches a pass has, from before: the first pass of a function's dataset
            may be shorter.

    Raises:
        RequestError: it is no dataset, is not of (inputs, targets), or has no known length.
    """
    dataset: Any = batches
    if not isinstance(batches, tf.data.Dataset):
        if not callable(batches):
            expected = f"`{name}` to be a tf.data.Dataset, or a function of (epoch, batch) to one"
            raise RequestError(received(expected, type=type(batches).__name__))
        dataset = batches(epoch, batch)
        epoch = batch = 0  # it begins there already
    else:
        known = None
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        expected = f"`{name}` to hold batches of (inputs, targets) or with sample weights too"
        raise RequestError(received(expected, element_spec=spec))
    return Opened(dataset, known or _count_batches(name, dataset), epoch, batch)


def model_inputs(inputs: Any) -> Any:
    """What the model gets of a batch's inputs: examples may carry an `id`, for errors alone.

    >>> model_inputs({"image": 1, "id": 2})
    {'image': 1}
    """
    if isinstance(inputs, dict) and "id" in inputs:
        return {name: value for name, value in inputs.items() if name != "id"}
    return inputs


def passes(
    opened: Opened,
    strategy: tf.distribute.Strategy,
    changes: Sequence[Change] = (),
    *,
    checks: Sequence[Change] = (),
) -> Iterator[Iterator[Any]]:
    """Pass after pass, as iterators of a strategy, in a process that begins anew.

    A dataset that is shuffled anew in every pass counts its passes as they begin. So the passes
    of the process before are begun here too, each for one batch, and the order goes on. The
    checks are made in the first pass only: they take a function call for every batch.
    """
    dataset = opened.dataset
    for _ in range(opened.before):
        next(iter(dataset), None)
    for change in changes:
        dataset = change(dataset)
    first = dataset
    for check in checks:
        first = check(first)
    yield iter(strategy.experimental_distribute_dataset(first.skip(opened.skip)))
    batches = strategy.experimental_distribute_dataset(dataset)
    while True:
        yield iter(batches)


def let_go(held: list[Iterator[Any]]) -> None:
    """Empties a list of iterators in a thread of its own, and returns at once.

    A `tf.data` iterator waits in its destructor for its autotuner, which often misses that it is
    to stop (`CancellationManager` calls its callbacks before it says that it is cancelled). It
    then sleeps on, for as long as the pass has taken.
    """
    threading.Thread(target=held.clear, name="tfpipe-let-go").start()


def _count_batches(name: str, dataset: tf.data.Dataset) -> int:
    # Callbacks, bars and graphs need to know how many batches there are before a pass begins.
    cardinality = int(dataset.cardinality())
    if cardinality > 0:
        return cardinality
    problem = {0: "it is empty", tf.data.INFINITE_CARDINALITY: "it is infinite"}
    found = problem.get(cardinality, "its length is unknown")
    raise RequestError(
        f"Expected `{name}` to have a known number of batches. Received: {found}. "
        "`dataset.apply(tf.data.experimental.assert_cardinality(n))` tells it."
    )


def check_labels(num_classes: int, ignored: int | None = None) -> Change:
    """A change of a dataset: labels outside the classes are an error in the first batches.

    Args:
        num_classes: labels are from 0 to one less.
        ignored: one more label, which is no class.
    """

    def check(number: tf.Tensor, batch: Any) -> Any:
        """Passes the batch on; later batches are not looked at."""

        def look() -> tf.Tensor:
            """Fails at the first label that is no class, and says where it stands."""
            labels = tf.cast(batch[1], tf.int64)
            outside = (labels < 0) | (labels >= num_classes)
            if ignored is not None:
                outside &= labels != ignored
            wrong = tf.where(outside)  # of a mask, too, the first number is the row
            message = [
                f"Expected labels from 0 to {num_classes - 1}, as the model has {num_classes} "
                "outputs. Received: label",
                tf.gather_nd(labels, wrong[:1]),
                "in batch",
                number + 1,
                "of the pass, at row",
                wrong[:1, 0] + 1,
                "of it",
            ]
            check = tf.debugging.Assert(tf.size(wrong) == 0, message)
            with tf.control_dependencies([check]):
                return tf.constant(True)

        fine = tf.cond(number < CHECKED_BATCHES, look, lambda: tf.constant(True))
        with tf.control_dependencies([fine]):
            return tf.nest.map_structure(tf.identity, batch)

    return lambda dataset: dataset.enumerate().map(check)


def weigh_classes(weights: Mapping[int, float]) -> Change:
    """A change of a dataset: every example gets its class' weight, beside its own if it has one.

    Args:
        weights: from a class' number to its weight; a class that is not named weighs 1.
    """
    if not isinstance(weights, Mapping) or not weights:
        raise RequestError(
            received("`class_weights` to map numbers of classes to weights", class_weights=weights)
        )
    if not all(isinstance(label, int) and label >= 0 for label in weights):
        expected = "the keys of `class_weights` to be numbers of classes, from 0"
        raise RequestError(received(expected, class_weights=dict(weights)))
    if min(weights.values()) < 0:
        expected = "the values of `class_weights` to be numbers from 0"
        raise RequestError(received(expected, class_weights=dict(weights)))
    table = tf.constant([float(weights.get(label, 1)) for label in range(max(weights) + 1)])

    def weigh(x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any, Any]:
        """A batch with its weights."""
        if y.shape.rank > 2:
            raise RequestError(
                "`class_weights` are for one label per example. Received: targets of shape "
                f"{tuple(y.shape)}. Leave them out; for masks, `DiceCrossentropy` takes weights."
            )
        one_hot = y.shape.rank == 2 and y.shape[1] != 1
        if one_hot:
            _require_one_class(y)
        labels = tf.argmax(y, -1) if one_hot else tf.reshape(tf.cast(y, tf.int64), [-1])
        known = labels < tf.size(table, tf.int64)
        chosen = tf.where(known, tf.gather(table, tf.where(known, labels, 0)), 1.0)
        return x, y, chosen if sample_weight is None else chosen * sample_weight

    return lambda dataset: dataset.map(weigh)


def _require_one_class(y: tf.Tensor) -> None:
    """Of several labels in a row there is no class that the weight could be that of."""
    totals = tf.reduce_sum(tf.cast(y, tf.float32), axis=-1)
    message = [
        "Expected targets whose rows sum to 1 with `class_weights`, one class per example; several "
        "labels are weighed by `WeightedBinaryFocalCrossentropy`. Received: a row that sums to",
        tf.boolean_mask(totals, tf.abs(totals - 1) > 0.01)[:1],
    ]
    tf.debugging.Assert(tf.reduce_all(tf.abs(totals - 1) <= 0.01), message)


@contextlib.contextmanager
def labels_explained() -> Iterator[None]:
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
        sentence = found[1].split("\n")[0].replace("[", "").replace("]", "")
        raise RequestError(sentence.strip()) from None
