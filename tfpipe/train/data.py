"""The batches that `fit` gets: opened at any epoch and batch, and read pass after pass.

Example:

    iterators = passes(opened("train", dataset, epoch=3, batch=17), strategy)
    iterator = next(iterators)
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from tfpipe.errors import RequestError, received

Batches: TypeAlias = tf.data.Dataset | Callable[[int, int], tf.data.Dataset]
Change: TypeAlias = Callable[[tf.data.Dataset], tf.data.Dataset]


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
    told = "`dataset.apply(tf.data.experimental.assert_cardinality(n))` tells it."
    found = {
        0: "it is empty. Look at what its source and its filters give.",
        tf.data.INFINITE_CARDINALITY: "it is infinite. `dataset.take(n)` ends it.",
    }.get(cardinality, f"its length is unknown. {told}")
    raise RequestError(f"Expected `{name}` to have a known number of batches. Received: {found}")
