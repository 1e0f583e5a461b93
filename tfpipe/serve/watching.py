"""Drift, watched beside the requests: no answer waits for it.

Example:

    watch = Watch(monitor)                                  # a `tfpipe.drift.Monitor`
    watch.observe(examples, scored, latency_ms=3.1, ids=["a17"])
    watch.state()["p_value/input/brightness"]
"""

import concurrent.futures
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from tfpipe.drift import Monitor
from tfpipe.serve.engine import Scored
from tfpipe.serve.log import say
from tfpipe.serve.pixels import Encoded

BACKLOG = 32  # requests that wait to be observed; beyond, a request is not


class Watch:
    """A monitor in a thread of its own."""

    def __init__(self, monitor: Monitor):
        self.monitor = monitor
        self.thread = concurrent.futures.ThreadPoolExecutor(1, "tfpipe-drift")
        self.waiting = self.skipped = self.failed = 0
        self.closed = False

    def observe(
        self, examples: Sequence[Any], scored: Scored, *, latency_ms: float, ids: list[str] | None
    ) -> None:
        """Hands on one request, if there is time for it."""
        if self.closed or self.waiting >= BACKLOG:
            self.skipped += 1
            return
        self.waiting += 1
        given: dict[str, Any] = {
            "latency_ms": latency_ms,
            "ids": ids,
            "sizes_px": _sizes_px(examples),
        }
        observe = functools.partial(self.monitor.observe, **given)
        future = self.thread.submit(observe, scored.inputs, scored.scores)
        future.add_done_callback(self._observed)

    def state(self) -> Mapping[str, float]:
        """What the monitor says, and how many requests it was not shown or could not use."""
        return {**self.monitor.state(), "skipped": self.skipped, "failed": self.failed}

    def close(self) -> None:
        """Ends the thread, when it has observed what waits; what comes later is skipped."""
        self.closed = True
        self.thread.shutdown(wait=False)

    def _observed(self, future: "concurrent.futures.Future[None]") -> None:
        self.waiting -= 1
        error = future.exception()
        if error is not None:
            self.failed += 1
            if self.failed == 1:
                say(f"drift cannot be watched: {type(error).__name__}: {error}")


def _sizes_px(examples: Sequence[Any]) -> list[tuple[int, int]] | None:
    """The (height, width) of images before they were resized; None where they are no images."""
    if not all(isinstance(example, Encoded) for example in examples):
        return None
    return [(example.header.height, example.header.width) for example in examples]
