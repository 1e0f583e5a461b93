"""Worker processes that encode examples, and may die of one without taking the run along.

Each worker is a Python process of its own, fed by a thread over pipes. (Those of
`multiprocessing` import the caller's script again, which breaks scripts without a main guard.)

Example:

    for example, encoded in encode_all(source, features, num_workers=4): ...
"""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
_DEAD = (EOFError, BrokenPipeError, pickle.UnpicklingError)  # the last: it died in mid-sentence


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
        self.all: list[_Worker] = []

    def encode(self, batch: Batch) -> list[Encoded]:
        """Of a batch that a worker dies of, every example by itself, to find which it was."""
        worker = getattr(self.mine, "worker", None)
        if worker is None:
            worker = self.mine.worker = _Worker(self.job)
            self.all.append(worker)
        try:
            return worker.encode(batch)
        except _DEAD:
            self.mine.worker = None
            if len(batch) == 1:
                return [Encoded(refused="the process that decoded it died of it")]
            return [encoded for example in batch for encoded in self.encode([example])]

    def close(self) -> None:
        for worker in self.all:
            worker.close()


class _Worker:
    """A process, and the pipes to it."""

    def __init__(self, job: tuple[dict[str, Feature], int]):
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        # Workers decode on the CPU, and find the package where this process found it.
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": paths}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=os.environ | quiet,
            start_new_session=True,  # Ctrl-C is for this process, which then ends the workers
        )
        try:
            self._send(job)
            self._receive()
        except _DEAD:
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace")
            self.close()
            raise RuntimeError(f"a worker process did not start; it said:\n{said}") from None

    def encode(self, batch: Batch) -> list[Encoded]:
        """Sends the batch and waits; a defect of tfpipe in the worker is raised here."""
        self._send(batch)
        reply = self._receive()
        if isinstance(reply, str):
            raise RuntimeError(f"a worker process failed:\n{reply}")
        return reply

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def _send(self, value: Any) -> None:
        assert self.process.stdin
        pickle.dump(value, self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        self.process.stdin.flush()

    def _receive(self) -> Any:
        assert self.process.stdout
        return pickle.load(self.process.stdout)


def main() -> None:
    """The worker's side: reads the job, then batches, until the pipe ends."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not come between the replies
    features, max_pixels = pickle.load(sys.stdin.buffer)
    _reply(replies, "ready")
    while True:
        try:
            batch = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            reply: Any = encode_batch(batch, features, max_pixels=max_pixels)
        except Exception:
            reply = traceback.format_exc()  # a defect, to be raised where the user sees it
        _reply(replies, reply)


def _reply(replies: Any, value: Any) -> None:
    pickle.dump(value, replies, protocol=pickle.HIGHEST_PROTOCOL)
    replies.flush()
