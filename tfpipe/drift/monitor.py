"""Watches a stream: each request costs little, and now and then the latest are looked at.

Example:

    monitor = tp.drift.Monitor(tp.drift.load_profile("out/xray/profile.json"))
    monitor.observe(images, scores, latency_ms=3.1, ids=["a17"])        # of each request
    monitor.label(["a17"], [1])                                         # when its label comes
    print(*monitor.alarms, sep="\n")
"""

import dataclasses
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfpipe.drift.alarms import Alarm
from tfpipe.drift.comparison import Comparison, alarms_of, require_alert
from tfpipe.drift.embedding import looking
from tfpipe.drift.findings import look
from tfpipe.drift.inputs import read
from tfpipe.drift.latest import Latest
from tfpipe.drift.looks import Looks
from tfpipe.drift.measuring import measure
from tfpipe.drift.numbers import numbers
from tfpipe.drift.profiles import Profile
from tfpipe.drift.record import Record

if TYPE_CHECKING:
    import keras

    from tfpipe.ops import Chain


class Monitor:
    """Compares the latest examples with a profile; safe to be called from several threads.

    It looks after 16 examples, 32, 64, ..., and then at each new quarter of the window; the k-th
    look at the level 0.75 alert / (k (k + 1)). These add up: of all streams that are like the
    profile, however long, the share `alert` raises an alarm at most (Bonferroni's inequality), if
    their examples are independent of each other; ten pictures of one patient in a row are not.

    Memory is bounded: the window's numbers and pictures, 10,000 answers that wait for labels, 100
    alarms, 1,000 looks.

    Args:
        profile: of `drift.profile` or `load_profile`; where it holds no latency, that of the first
            window of requests takes its place.
        window: how many of the latest examples are looked at; a longer one tells fainter drift.
        alert: the chance of any false alarm, ever.
        model: the profile's model, to watch the embeddings too; it runs in every `observe`.
        prepare: its chain; needed for the model, for texts, and for encoded images.
        picture_px: the side of the small pictures that alarms show; 0 keeps no pictures or texts.
        pause_s: seconds at least between two looks, however fast examples come.

    Raises:
        RequestError: a window under 16, a chance that is none.

    Example:

    >>> from tfpipe.drift import profile
    >>> draw = np.random.default_rng(0)
    >>> monitor = Monitor(profile(draw.normal(size=(200, 3))))
    >>> monitor.observe(draw.normal(size=(16, 3)) + 2)
    >>> [alarm.finding.feature for alarm in monitor.alarms]
    ['input/mean 0', 'input/mean 1', 'input/mean 2', 'input/distance']
    """

    def __init__(
        self,
        profile: Profile,
        *,
        window: int = 500,
        alert: float = 0.01,
        model: "keras.Model | None" = None,
        prepare: "Chain | None" = None,
        picture_px: int = 64,
        pause_s: float = 0.0,
    ):
        require_alert(alert)
        self._looks = Looks(window, alert, pause_s=pause_s)
        self.profile, self._picture_px = profile, picture_px
        self._prepare, self._run = prepare, None if model is None else looking(model, prepare)
        self._latest, self._record = Latest(window, profile), Record()
        self._lock, self._looking = threading.Lock(), threading.Lock()

    def observe(
        self,
        inputs: Any,
        scores: Any = None,
        *,
        latency_ms: float | Sequence[float] | None = None,
        ids: Sequence[str] | None = None,
        sizes_px: Any = None,
    ) -> None:
        """Takes note of a request, or of several; at times it looks, which takes 20 to 50 ms more.

        Args:
            inputs: what a model file takes, (N, ...); or, with `prepare`, texts or encoded images.
            scores: float (N, ...), as the model file gives them.
            latency_ms: of the request, or of each.
            ids: N different strings, by which labels find their answers later.
            sizes_px: (N, 2), the (height, width) of the images before they were resized.

        Raises:
            RequestError: inputs or scores of another kind or shape than the profile's, or that are
                not finite; another number of ids.
        """
        examples = read(inputs, self._prepare, sizes_px)
        embedded = None
        if self._run is not None:
            own, embedded = self._run(examples)
            scores = own if scores is None else scores
        measured = measure(self.profile, examples, scores, embedded)
        pictures = measured.shown(self._picture_px)
        times_ms = np.atleast_1d(() if latency_ms is None else latency_ms).tolist()
        with self._lock:
            self._latest.add(measured, pictures, ids, times_ms)
        self._look_if_due()

    def label(self, ids: Sequence[str], labels: Any) -> int:
        """Joins late labels with the answers to the examples of these ids.

        Args:
            ids: N strings that `observe` was given.
            labels: N labels, or rows of labels or of targets, as in training; not masks or boxes.

        Returns:
            How many were joined: the others' ids were never seen, labelled before, or left the
            latest 10,000.

        Raises:
            RequestError: labels of another number or shape, or for masks and boxes.
        """
        with self._lock:
            joined = self._latest.join(ids, labels)
        self._look_if_due()
        return joined

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The latest 100, the oldest first; one for each time that a feature begins to drift."""
        with self._lock:
            return self._record.alarms

    def state(self) -> dict[str, float]:
        """Counts, and what the latest look found, in plain numbers.

        `examples`, `labels`, `looks`, `alarms`, `drifted`, `level`; as far as there are any,
        `p_value/FEATURE`, and so `now`, `reference`, `jensen_shannon` and `stability_index`;
        `latency_ms/median`, `/p95`, `/p99` of the latest requests.
        """
        with self._lock:
            counts = {
                "looks": self._looks.number,
                "alarms": self._record.num_alarms,
                **self._latest.counts,
            }
            findings, latency_ms = self._record.findings, np.array(self._latest.latency_ms)
        return {**counts, "level": self._looks.level, **numbers(findings, latency_ms)}

    def report(self) -> Comparison:
        """The latest look, the window's examples, the alarms and the time lines, for a page."""
        with self._lock:
            now, found = self._now(), self._record
            return dataclasses.replace(
                now, findings=found.findings, alarms=found.alarms, history=found.history
            )

    def _now(self) -> Comparison:
        """The window beside the profile, before anything is tested."""
        window, seen = self._latest.window(), self._latest.seen()
        count = self._latest.counts["examples"]
        return Comparison(self.profile, (), self._looks.level, count, window, seen)

    def _look_if_due(self) -> None:
        """One thread looks; others that come meanwhile go on with their requests."""
        if self._looks.due(self._latest.counts) and self._looking.acquire(blocking=False):
            try:
                while self._looks.due(self._latest.counts):
                    self._look()
            finally:
                self._looking.release()

    def _look(self) -> None:
        with self._lock:
            if not len(self.profile.latency_ms) and self._latest.has_latency:
                latency_ms = np.array(self._latest.latency_ms)
                self.profile = dataclasses.replace(self.profile, latency_ms=latency_ms)
            self._looks.begin(self._latest.counts)
            now = self._now()
        findings = look(now.profile, now.now, level=now.level)
        begun = dataclasses.replace(now, findings=self._record.begun(findings))
        alarms = alarms_of(begun)
        with self._lock:
            self._record.add(findings, alarms, now.num_examples)
