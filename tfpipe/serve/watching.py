"""Drift, watched beside the requests: no answer waits for it.

Example:

    watch = Watch(monitor)                                  # a `tfpipe.drift.Monitor`
    watch.observe(examples, scored, latency_ms=3.1, ids=["a17"])
    watch.state()["p_value/input/brightness"]
"""

import asyncio
import concurrent.futures
import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfpipe.drift import Monitor
from tfpipe.errors import RequestError
from tfpipe.serve.engine import Scored
from tfpipe.serve.log import say
from tfpipe.serve.pixels import Encoded

BACKLOG = 256  # examples that wait to be observed; beyond, a request is not
GATHER_S = 0.05  # each time that the thread wakes, it takes Python's lock from the requests


class _Request(NamedTuple):
    inputs: Any
    scores: np.ndarray
    sizes_px: list[tuple[float, float]]
    latency_ms: float
    ids: list[str] | None


class Watch:
    """A monitor in a thread of its own, which observes what has gathered; for one event loop."""

    def __init__(self, monitor: Monitor):
        self.monitor = monitor
        self.thread = concurrent.futures.ThreadPoolExecutor(1, "tfpipe-drift")
        self.waiting: list[_Request] = []
        self.num_waiting = self.skipped = self.failed = 0
        self.closing, self.lock = threading.Event(), threading.Lock()

    def observe(
        self, examples: Sequence[Any], scored: Scored, *, latency_ms: float, ids: list[str] | None
    ) -> None:
        """Hands on one request, if there is time for it."""
        with self.lock:
            full = self.waiting and self.num_waiting + len(examples) > BACKLOG
            if full or self.closing.is_set():
                self.skipped += 1
                return
            sizes_px = [_size_px(example) for example in examples]
            self.waiting.append(_Request(*scored, sizes_px, latency_ms, ids))
            self.num_waiting += len(examples)
            begun = len(self.waiting) > 1
        if not begun:
            self.thread.submit(self._observe_waiting).add_done_callback(_tell_defect)

    async def label(self, ids: Sequence[str], labels: Any) -> int:
        """Joins labels with answers, also with those that wait to be observed; how many."""
        if self.closing.is_set():
            return 0
        future = self.thread.submit(self.monitor.label, ids, labels)
        return await asyncio.wrap_future(future)

    def state(self) -> Mapping[str, float]:
        """What the monitor says, and how many requests it was not shown or could not use."""
        return {**self.monitor.state(), "skipped": self.skipped, "failed": self.failed}

    def close(self) -> None:
        """Ends the thread, when it has observed what waits; what comes later is skipped."""
        self.closing.set()
        self.thread.shutdown(wait=False)

    def _observe_waiting(self) -> None:
        self.closing.wait(GATHER_S)
        with self.lock:
            requests, self.waiting, self.num_waiting = self.waiting, [], 0
        for named in (True, False):
            self._observe([request for request in requests if (request.ids is not None) == named])

    def _observe(self, requests: Sequence[_Request]) -> None:
        """All together; one by one where one of them cannot be used."""
        if not requests:
            return
        ids = [id for request in requests for id in request.ids or ()]
        try:
            self.monitor.observe(
                [each for request in requests for each in request.inputs],
                np.concatenate([request.scores for request in requests]),
                latency_ms=[request.latency_ms for request in requests],
                ids=ids or None,
                sizes_px=[size for request in requests for size in request.sizes_px],
            )
        except RequestError as error:
            if len(requests) == 1:
                self._count(error)
                return
            for request in requests:
                self._observe([request])

    def _count(self, error: RequestError) -> None:
        self.failed += 1
        if self.failed == 1:
            say(f"drift cannot be watched: {error}")


def _tell_defect(future: "concurrent.futures.Future[None]") -> None:
    if error := future.exception():
        say(f"drift cannot be watched, by a defect: {error!r}")


def _size_px(example: Any) -> tuple[float, float]:
    """The (height, width) of an image before it was resized; nan where that is not known."""
    if isinstance(example, Encoded):
        return example.header.height, example.header.width
    return math.nan, math.nan
