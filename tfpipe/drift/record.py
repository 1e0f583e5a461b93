"""What the looks of a monitor found: the latest findings, the alarms, the time line; bounded.

Example:

    record = Record()
    record.add(findings, alarms, num_examples=64)
    record.alarms, record.history
"""

import collections
from collections.abc import Mapping, Sequence

from tfpipe.drift.alarms import Alarm
from tfpipe.drift.finding import Finding

MOST_ALARMS = 100
MOST_LOOKS = 1000  # in the time line


class Record:
    """The record of all looks; whoever writes and reads it from several threads holds a lock.

    Attributes:
        findings: of the latest look.
        num_alarms: how many there were, also those that are forgotten.
    """

    def __init__(self) -> None:
        self.findings: tuple[Finding, ...] = ()
        self.num_alarms = 0
        self._alarms: collections.deque[Alarm] = collections.deque(maxlen=MOST_ALARMS)
        self._history: collections.deque[tuple[int, Mapping[str, float]]]
        self._history = collections.deque(maxlen=MOST_LOOKS)

    def begun(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """Those of features that had not drifted in the latest look."""
        old = {finding.feature for finding in self.findings if finding.drifted}
        return tuple(finding for finding in findings if finding.feature not in old)

    def add(self, findings: Sequence[Finding], alarms: Sequence[Alarm], num_examples: int) -> None:
        """A look, after so many examples, and the alarms that it raises."""
        self.findings = tuple(findings)
        self.num_alarms += len(alarms)
        self._alarms.extend(alarms)
        self._history.append((num_examples, {f.feature: f.now for f in findings}))

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The latest 100, the oldest first."""
        return tuple(self._alarms)

    @property
    def history(self) -> tuple[tuple[int, Mapping[str, float]], ...]:
        """Of the latest 1,000 looks, the number of examples and each feature's value then."""
        return tuple(self._history)
