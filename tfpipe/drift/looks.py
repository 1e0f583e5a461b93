"""When a stream is looked at, and how sure an alarm must be for all looks to keep one rate.

Example:

    looks = Looks(window=500, alert=0.01)
    if looks.due({"examples": 16}):
        level = looks.begin({"examples": 16})       # 0.00375
"""

import math
import time
from collections.abc import Callable, Mapping

from tfpipe.drift.findings import LEAST, MARGIN
from tfpipe.errors import RequestError, received


class Looks:
    """The calendar of a monitor.

    A look is due after 16 of a kind (examples, labels), 32, 64, ... up to the window, and then
    whenever a quarter of the window is new.

    Args:
        window: how many of the latest are looked at.
        alert: the chance of any false alarm in all looks together.
        pause_s: seconds at least between the beginnings of two looks.
        clock: that tells the seconds.

    Attributes:
        number: of looks begun.
        level: of the last one.

    Raises:
        RequestError: a window under 16.

    Example:

    >>> looks = Looks(64, 0.01)
    >>> [count for count in range(130) if looks.due({"examples": count})
    ...     and looks.begin({"examples": count})]
    [16, 32, 64, 80, 96, 112, 128]
    """

    def __init__(
        self,
        window: int,
        alert: float,
        *,
        pause_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        if window < LEAST:
            raise RequestError(received(f"`window` to be at least {LEAST}", window=window))
        self._window, self._alert = window, alert
        self._pause_s, self._clock, self._last = pause_s, clock, -math.inf
        self._next: dict[str, int] = {}
        self.number, self.level = 0, self._of(1)

    def due(self, counts: Mapping[str, int]) -> bool:
        """Whether there is enough that is new, of any kind, and the last look is long past."""
        if self._clock() - self._last < self._pause_s:
            return False
        return any(count >= self._next.get(name, LEAST) for name, count in counts.items())

    def begin(self, counts: Mapping[str, int]) -> float:
        """Counts a look, and returns its level.

        0.75 alert / (k (k + 1)) for the k-th: these add up to three quarters of `alert` however
        many follow; the rest is a margin, as in `compare`.
        """
        for name, count in counts.items():
            if count >= self._next.get(name, LEAST):
                self._next[name] = self._after(count)
        self._last = self._clock()
        self.number += 1
        self.level = self._of(self.number)
        return self.level

    def _of(self, number: int) -> float:
        return MARGIN * self._alert / (number * (number + 1))

    def _after(self, count: int) -> int:
        if count < self._window:
            return min(2 * count, self._window)
        return count + max(1, self._window // 4)
