"""Requests that wait are computed together; while a batch is computed, the next one gathers.

Nobody is made to wait for others: where nothing is being computed, a request is computed at once.

Example:

    batcher = Batcher(engine.score, most=32)
    inputs, scores = await batcher.scores(examples)
"""

import asyncio
import collections
import concurrent.futures
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfpipe.errors import RequestError
from tfpipe.serve.engine import Scored

Score = Callable[[Sequence[Any]], Scored]
Told = Callable[[int, float], None]  # how many examples, and the seconds that they took


class Batcher:
    """One thread that computes, and the requests that wait for it.

    Args:
        score: from N examples to N inputs and scores; it raises RequestError for bad examples.
        most: examples in a batch; a request with more is a batch of its own.
        told: called after each batch.
    """

    def __init__(self, score: Score, *, most: int, told: Told = lambda count, seconds: None):
        self.score, self.most, self.told = score, most, told
        self.waiting: collections.deque[tuple[Sequence[Any], asyncio.Future[Scored]]]
        self.waiting = collections.deque()
        self.thread = concurrent.futures.ThreadPoolExecutor(1, "tfpipe-batch")
        self.work: asyncio.Task[None] | None = None

    async def scores(self, examples: Sequence[Any]) -> Scored:
        """One request's inputs and scores.

        Raises:
            RequestError: one of them cannot be used; other requests of the batch do not mind.
        """
        future: asyncio.Future[Scored] = asyncio.get_running_loop().create_future()
        self.waiting.append((examples, future))
        if self.work is None or self.work.done():
            self.work = asyncio.create_task(self._work())
        return await future

    async def close(self) -> None:
        """Waits until all that wait have their answers, and ends the thread."""
        if self.work is not None:
            await self.work
        self.thread.shutdown(wait=False)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while requests := self._take():
            parts = [examples for examples, _ in requests]
            started = time.perf_counter()
            answers = await loop.run_in_executor(self.thread, answer, self.score, parts)
            self.told(sum(map(len, parts)), time.perf_counter() - started)
            for (_, future), given in zip(requests, answers, strict=True):
                _settle(future, given)

    def _take(self) -> list[tuple[Sequence[Any], asyncio.Future[Scored]]]:
        """The next batch, in the order in which the requests came."""
        taken: list[tuple[Sequence[Any], asyncio.Future[Scored]]] = []
        count = 0
        while self.waiting and (not taken or count + len(self.waiting[0][0]) <= self.most):
            examples, future = self.waiting.popleft()
            if not future.cancelled():  # its request ran out of time
                taken.append((examples, future))
                count += len(examples)
        return taken


def answer(score: Score, requests: Sequence[Sequence[Any]]) -> list[Scored | Exception]:
    """Each request's part, or what is wrong: where the whole batch fails, one by one.

    >>> score = lambda examples: Scored(examples, np.array([1 / e for e in examples]))
    >>> [part.scores.tolist() for part in answer(score, [[1], [2, 4]])]
    [[1.0], [0.5, 0.25]]
    """
    try:
        inputs, scores = score([example for request in requests for example in request])
    except RequestError as error:
        alone = len(requests) == 1
        return [error] if alone else [answer(score, [request])[0] for request in requests]
    except Exception as error:  # a defect: it is raised in each request, which tells of it
        return [error] * len(requests)
    ends = [0, *itertools.accumulate(len(request) for request in requests)]
    parts = [Scored(inputs[a:b], scores[a:b]) for a, b in itertools.pairwise(ends)]
    return [_finite(part) for part in parts]


def _finite(scored: Scored) -> Scored | Exception:
    if np.isfinite(scored.scores).all():
        return scored
    return RequestError(
        "The model's scores for these inputs are not finite: they are far from what it was "
        "trained with."
    )


def _settle(future: "asyncio.Future[Scored]", given: Scored | Exception) -> None:
    if future.done():  # its request ran out of time
        return
    if isinstance(given, Exception):
        future.set_exception(given)
    else:
        future.set_result(given)
