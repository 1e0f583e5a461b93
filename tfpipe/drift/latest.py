"""The latest of a stream, and the answers that wait for their labels; bounded.

Example:

    latest = Latest(500, profile)
    latest.add(measured, pictures, ["a17"], [3.1])
    latest.join(["a17"], [1])
    window = latest.window()
"""

import collections
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfpipe.drift.findings import Window
from tfpipe.drift.measuring import Measured
from tfpipe.drift.predictions import errors
from tfpipe.drift.profiles import Profile
from tfpipe.drift.seeing import Seen, Shown
from tfpipe.errors import RequestError, received

MOST_PENDING = 10_000


class _Entry(NamedTuple):
    id: str
    row: np.ndarray
    layout: np.ndarray
    embedded: np.ndarray
    shown: Shown


class Latest:
    """What a monitor remembers; whoever calls it from several threads holds a lock.

    Args:
        size: how many examples, labels and requests are remembered, each.
        profile: what they are compared with.

    Attributes:
        counts: how many "examples" and "labels" there were.
        latency_ms: of the latest requests.
    """

    def __init__(self, size: int, profile: Profile):
        self._profile = profile
        self._entries: collections.deque[_Entry] = collections.deque(maxlen=size)
        self._errors: collections.deque[float] = collections.deque(maxlen=size)
        self._pending: collections.OrderedDict[str, np.ndarray] = collections.OrderedDict()
        self.latency_ms: collections.deque[float] = collections.deque(maxlen=size)
        self.counts = {"examples": 0, "labels": 0}

    def add(
        self,
        measured: Measured,
        shown: Sequence[Shown],
        ids: Sequence[str] | None,
        latency_ms: Iterable[float],
    ) -> None:
        """Examples, and the latencies of the requests that brought them.

        Raises:
            RequestError: another number of ids, or a latency that is none.
        """
        if ids is not None and len(ids) != len(shown):
            expected = "as many `ids` as examples"
            raise RequestError(received(expected, ids=len(ids), examples=len(shown)))
        times_ms = [float(each) for each in latency_ms]
        for each in times_ms:
            if not 0 <= each < np.inf:
                raise RequestError(received("`latency_ms` to be 0 or more", latency_ms=each))
        first = self.counts["examples"]
        for place, picture in enumerate(shown):
            id = str(first + place) if ids is None else ids[place]
            row, layout = measured.rows[place], measured.layouts[place]
            self._entries.append(_Entry(id, row, layout, measured.embedded[place], picture))
            if ids is not None and len(measured.answered):
                self._pending[id] = measured.answered[place]
        while len(self._pending) > MOST_PENDING:
            self._pending.popitem(last=False)
        self.latency_ms.extend(times_ms)
        self.counts["examples"] += len(shown)

    def join(self, ids: Sequence[str], labels: Any) -> int:
        """Late labels; how many of them found their answers.

        Raises:
            RequestError: the profile's model tells no labels, or there is another number of them.
        """
        task = self._profile.task
        if task not in ("label", "labels", "target"):
            expected = "a profile of a model that tells labels or targets"
            raise RequestError(received(expected, task=task))
        if len(ids) != len(labels):
            expected = "as many `labels` as `ids`"
            raise RequestError(received(expected, ids=len(ids), labels=len(labels)))
        known = {id: place for place, id in enumerate(ids) if id in self._pending}
        if known:
            answered = np.stack([self._pending[id] for id in known])
            given = np.asarray(labels)[list(known.values())]
            self._errors.extend(errors(answered, given, task).tolist())
        for id in known:
            del self._pending[id]
        self.counts["labels"] += len(known)
        return len(known)

    @property
    def has_latency(self) -> bool:
        """Whether there were as many requests as are remembered."""
        return len(self.latency_ms) == self.latency_ms.maxlen

    def window(self) -> Window:
        """The numbers of the latest."""
        rows, none = np.empty((0, len(self._profile.columns))), np.empty((0, 0))
        layouts, embedded = none, none
        if self._entries:
            rows = np.stack([entry.row for entry in self._entries])
            layouts = np.stack([entry.layout for entry in self._entries])
            embedded = np.stack([entry.embedded for entry in self._entries])
        return Window(rows, layouts, embedded, np.array(self._errors), np.array(self.latency_ms))

    def seen(self) -> tuple[Seen, ...]:
        """What a person sees of the latest."""
        return tuple(Seen(entry.id, entry.shown) for entry in self._entries)
