"""Examples in batches, a few of which are being worked on ahead of the one that is wanted.

Example:

    jobs = ((batch, threads.submit(work, batch)) for batch in batches(examples))
    for batch, result in in_order(jobs, ahead=4): ...
"""

import pathlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

import numpy as np

from tfpipe.records.sources.base import Example

BATCH_EXAMPLES = 64
BATCH_BYTES = 4 * 2**20

Batch = list[Example]
B = TypeVar("B")
R = TypeVar("R")


def batches(examples: Iterable[Example]) -> Iterator[Batch]:
    """Groups examples to lists of at most 64, and of about 4 MiB, the files that they name too."""
    batch: Batch = []
    num_bytes = 0
    for example in examples:
        batch.append(example)
        num_bytes += sum(_num_bytes(value) for value in example.values())
        if len(batch) == BATCH_EXAMPLES or num_bytes >= BATCH_BYTES:
            yield batch
            batch, num_bytes = [], 0
    if batch:
        yield batch


def in_order(
    jobs: Iterable[tuple[B, Future[R]]], *, ahead: int
) -> Generator[tuple[B, R], None, None]:
    """Each job with its result, in the order of the jobs.

    Args:
        jobs: started as they are taken from here.
        ahead: so many are started before the result of the first is waited for.
    """
    started: deque[tuple[B, Future[R]]] = deque()
    try:
        for job in jobs:
            started.append(job)
            if len(started) > ahead:
                batch, future = started.popleft()
                yield batch, future.result()
        while started:
            batch, future = started.popleft()
            yield batch, future.result()
    finally:
        for _, future in started:
            future.cancel()


def _num_bytes(value: Any) -> int:
    if isinstance(value, pathlib.Path):
        try:
            return value.stat().st_size
        except (OSError, ValueError):
            return 0  # the example will be refused
    if isinstance(value, np.ndarray):
        return value.nbytes
    return len(value) if isinstance(value, bytes | str) else 0
