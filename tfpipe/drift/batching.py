"""Batches of inputs and targets, from whatever holds them.

Example:

    for inputs, targets in batches(data):
        ...
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tfpipe.errors import RequestError, received

STEP = 256  # examples at once, of an array that holds them all


def batches(data: Any) -> Iterator[tuple[Any, Any]]:
    """Pairs of inputs and targets (None where there are none), from whatever holds them.

    Args:
        data: a `tf.data.Dataset` or another iterable of batches, tuples (inputs, targets) or
            inputs alone; or all at once: an array, a list of texts or of encoded images, or a
            pair of such a thing and its targets.
    """
    if isinstance(data, tuple) and len(data) == 2:
        yield from _parts(*data)
    elif isinstance(data, np.ndarray) or _is_strings(data):
        yield from _parts(data, None)
    else:
        for batch in _numpy(data):
            yield (batch[0], batch[1]) if isinstance(batch, tuple) else (batch, None)


def named(ids: Sequence[str] | None, first: int, number: int) -> list[str]:
    """The ids of a batch, by the place of its first example; without any, their numbers.

    Raises:
        RequestError: there are more examples than ids.

    >>> named(None, 64, 2), named(["a", "b", "c"], 1, 2)
    (['64', '65'], ['b', 'c'])
    """
    if ids is None:
        return [str(place) for place in range(first, first + number)]
    if first + number > len(ids):
        expected = "as many `ids` as examples"
        raise RequestError(received(expected, ids=len(ids), examples=first + number))
    return list(ids[first : first + number])


def _parts(inputs: Any, targets: Any) -> Iterator[tuple[Any, Any]]:
    if targets is not None and len(targets) != len(inputs):
        expected = "as many targets as inputs"
        raise RequestError(received(expected, inputs=len(inputs), targets=len(targets)))
    for start in range(0, len(inputs), STEP):
        part = slice(start, start + STEP)
        yield inputs[part], None if targets is None else targets[part]


def _numpy(data: Any) -> Iterable[Any]:
    if not hasattr(data, "as_numpy_iterator"):
        return data
    from tfpipe.untuned import untuned

    return untuned(data).as_numpy_iterator()


def _is_strings(data: Any) -> bool:
    return isinstance(data, list) and bool(data) and isinstance(data[0], str | bytes)
