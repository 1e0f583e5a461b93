"""An alarm: what was found, when, and the examples that moved most.

Example:

    for alarm in monitor.alarms:
        print(alarm)
"""

import dataclasses

from tfpipe.drift.finding import Finding
from tfpipe.drift.seeing import Seen


@dataclasses.dataclass(frozen=True)
class Alarm:
    """A feature has drifted; prints as a sentence.

    Args:
        finding: the feature, the profile's value and the one now, the test and its p-value.
        num_examples: how many had been seen.
        level: the p-value at which this look raises an alarm.
        moved: the examples that moved most: their ids, and small pictures or texts.

    Example:

    >>> finding = Finding("input/mean", 0.5, 0.4, "Kolmogorov-Smirnov", 1e-4, drifted=True)
    >>> print(Alarm(finding, num_examples=64, level=0.001, moved=(Seen("a17", None),)))
    After 64 examples: input/mean is 0.4, in the profile 0.5: Kolmogorov-Smirnov, p 1.0e-04
    (alarm at 1.0e-03); moved most: a17
    """

    finding: Finding
    num_examples: int
    level: float
    moved: tuple[Seen, ...] = dataclasses.field(repr=False, default=())

    def __str__(self) -> str:
        ids = ", ".join(seen.id for seen in self.moved)
        most = f"; moved most: {ids}" if ids else ""
        return (
            f"After {self.num_examples:,} examples: {self.finding} (alarm at {self.level:.1e})"
            f"{most}"
        )
