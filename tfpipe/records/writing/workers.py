"""Worker processes that encode examples, and may die of one without taking the run along.

Each worker is a Python process of its own, fed by a thread over pipes.

Example:

    for example, encoded in encode_all(source, features, num_workers=4): ...
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tfpipe.process import Worker, WorkerDied, serve
from tfpipe.records.images import MAX_PIXELS
from tfpipe.records.sources.base import Example, Feature
from tfpipe.records.writing.batches import Batch, batches, in_order
from tfpipe.records.writing.encode import (
    Encoded,
    decode_drafts,
    draft,
    encode_batch,
    finish,
)

THREADS = 3  # TensorFlow is to have something to decode whenever Python is busy

_PROGRAM = "from tfpipe.records.writing.workers import main; main()"


def encode_all(
    examples: Iterable[Example],
    features: Mapping[str, Feature],
    *,
    num_workers: int,
    max_pixels: int = MAX_PIXELS,
) -> Generator[tuple[Example, Encoded], None, None]:
    """Encodes the examples and yields each with its result, in the order in which they came.

    Args:
        examples: as sources give them; read a few batches ahead, never all at once.
        features: what they hold.
        num_workers: processes; 0 encodes in this one.
        max_pixels: larger images are refused.
    """
    if not num_workers:
        yield from _encode_here(examples, features, max_pixels)
        return
    workers = _Workers(features, max_pixels)
    try:
        with ThreadPoolExecutor(num_workers) as threads:
            jobs = ((batch, threads.submit(workers.encode, batch)) for batch in batches(examples))
            with contextlib.closing(in_order(jobs, ahead=2 * num_workers)) as done:
                for batch, encoded in done:
                    yield from zip(batch, encoded, strict=True)
    finally:  # no thread is left that would put a new worker in the place of one that ended
        workers.close()


def _encode_here(
    examples: Iterable[Example], features: Mapping[str, Feature], max_pixels: int
) -> Generator[tuple[Example, Encoded], None, None]:
    """In this process, where the threads leave Python alone: TensorFlow decodes in them."""
    drafted = (
        [draft(example, features, max_pixels=max_pixels) for example in batch]
        for batch in batches(examples)
    )
    with ThreadPoolExecutor(THREADS) as threads:
        jobs = ((drafts, threads.submit(decode_drafts, drafts, features)) for drafts in drafted)
        with contextlib.closing(in_order(jobs, ahead=2 * THREADS)) as done:
            for drafts, contents in done:
                encoded = finish(drafts, contents, features, max_pixels=max_pixels)
                yield from zip((draft.example for draft in drafts), encoded, strict=True)


class _Workers:
    """One worker process for each thread that asks."""

    def __init__(self, features: Mapping[str, Feature], max_pixels: int):
        self.job = (dict(features), max_pixels)
        self.mine = threading.local()
        self.all: list[Worker] = []

    def encode(self, batch: Batch) -> list[Encoded]:
        worker = getattr(self.mine, "worker", None)
        if worker is None:
            worker = self.mine.worker = Worker(_PROGRAM, self.job)
            self.all.append(worker)
        try:
            return worker.ask(batch)
        except WorkerDied:
            self.mine.worker = None
            if len(batch) == 1:
                return [Encoded(refused="the process that decoded it died of it")]
            return [encoded for example in batch for encoded in self.encode([example])]

    def close(self) -> None:
        for worker in self.all:
            worker.close()


def main() -> None:
    """The worker's side."""
    serve(_encoder)


def _encoder(job: tuple[dict[str, Feature], int]) -> Callable[[Batch], list[Encoded]]:
    features, max_pixels = job
    return functools.partial(encode_batch, features=features, max_pixels=max_pixels)
