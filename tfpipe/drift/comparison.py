"""Other data, or what a monitor has seen, beside a profile.

Example:

    comparison = tp.drift.compare(profile, examples, model=model, prepare=prepare)
    print(comparison)
    comparison.to_page("drift.html")
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tfpipe.drift import page
from tfpipe.drift.alarms import Alarm
from tfpipe.drift.batching import batches, named
from tfpipe.drift.embedding import looking
from tfpipe.drift.finding import COLUMNS, Finding
from tfpipe.drift.findings import LEAST, MARGIN, Window, look, most_moved
from tfpipe.drift.inputs import read
from tfpipe.drift.measuring import Measured, measure
from tfpipe.drift.profiles import Profile
from tfpipe.drift.seeing import Seen
from tfpipe.errors import RequestError, received
from tfpipe.files import Path, write_text
from tfpipe.report import text_table
from tfpipe.report.tables import terminal_width

if TYPE_CHECKING:
    import keras

    from tfpipe.ops import Chain

PICTURE_PX = 96
MOST_SEEN = 5000  # examples whose pictures are kept until it is known which moved most
MOST_SHOWN = 12


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """New examples beside a profile; prints as a table.

    Args:
        profile: what they are compared with.
        findings: one per test.
        level: the chance of any false alarm in this look, if nothing has drifted.
        num_examples: how many there were.
        now: their numbers.
        seen: what a person sees of the first 5,000 of them (of a monitor, of its window).
        alarms: with what a person sees of the examples that moved most.
        history: of a monitor: the number of examples at each look, and each feature's value then.

    Example:

    >>> from tfpipe.drift import profile
    >>> draw = np.random.default_rng(0)
    >>> found = compare(profile(draw.normal(size=(200, 2))), draw.normal(size=(50, 2)) + 2)
    >>> found.verdict()
    'Of 3 tests on 50 examples, at the level 0.0075:
    input/mean 0, input/mean 1, input/distance drifted.'
    >>> [seen.id for seen in found.farthest()][:2]
    ['21', '40']
    """

    profile: Profile
    findings: tuple[Finding, ...]
    level: float
    num_examples: int
    now: Window = dataclasses.field(repr=False)
    seen: tuple[Seen, ...] = dataclasses.field(repr=False, default=())
    alarms: tuple[Alarm, ...] = dataclasses.field(repr=False, default=())
    history: Sequence[tuple[int, Mapping[str, float]]] = dataclasses.field(repr=False, default=())

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """The findings that are alarms."""
        return tuple(finding for finding in self.findings if finding.drifted)

    def verdict(self) -> str:
        """One sentence."""
        if not self.findings:
            return f"No test was made yet, on {self.num_examples:,} examples."
        names = ", ".join(finding.feature for finding in self.drifted) or "nothing"
        return (
            f"Of {len(self.findings)} tests on {self.num_examples:,} examples, at the level "
            f"{self.level:.2g}: {names} drifted."
        )

    def __str__(self) -> str:
        rows = [finding.cells() for finding in self.findings]
        table = text_table(COLUMNS, rows, width=terminal_width()) if rows else ""
        return f"{table}\n{self.verdict()}" if rows else self.verdict()

    def farthest(self) -> list[Seen]:
        """The examples that are farthest from the profile, the farthest first."""
        names = [f.feature for f in self.findings if f.feature.endswith("/distance")]
        if not names:
            return []
        finding = next(f for f in self.findings if f.feature == names[-1])
        places = most_moved(finding, self.profile, self.now, MOST_SHOWN)
        return [self.seen[place] for place in places if place < len(self.seen)]

    def to_page(self, path: Path, *, title: str = "Drift") -> pathlib.Path:
        """Writes one self-contained HTML file and returns its path."""
        return write_text(path, page.page(self, title))


def compare(
    profile: Profile,
    data: Any,
    *,
    model: "keras.Model | None" = None,
    prepare: "Chain | None" = None,
    alert: float = 0.01,
    ids: Sequence[str] | None = None,
) -> Comparison:
    """Tests whether other data could come from where the profile's came.

    Examples are taken to be independent of each other: of ten pictures of one patient, leave out
    nine.

    Args:
        profile: of `drift.profile` or `load_profile`.
        data: as `drift.profile` takes it.
        model: the profile's model; without it scores and embeddings are not compared.
        prepare: its chain.
        alert: the most that the chance of any alarm is where nothing has drifted, over 0 and under
            1. The tests are made at three quarters of it.
        ids: a string for each example, by which alarms, the page and errors name it, such as its
            file's name; its number, from 0, without.

    Raises:
        RequestError: an `alert` that is no chance, fewer than 16 examples, another number of ids,
            or other examples than the profile's: of another kind or shape, or the model gives
            other scores; a model for a profile without one.

    Example:

    >>> from tfpipe.drift import profile
    >>> greys = np.random.default_rng(0).integers(0, 256, (96, 16, 16, 1)).astype(np.uint8)
    >>> darker = (greys[64:] * 0.8).astype(np.uint8)
    >>> [finding.feature for finding in compare(profile(greys[:64]), darker).drifted]
    ['input/mean', 'input/contrast', 'input/sharpness', 'input/noise', 'input/distance']
    """
    require_alert(alert)
    run = None if model is None else looking(model, prepare)
    parts: list[Measured] = []
    seen: list[Seen] = []
    number = 0
    for inputs, targets in batches(data):
        here = named(ids, number, len(inputs))
        examples = read(inputs, prepare, ids=here)
        scores, embedded = (None, None) if run is None else run(examples)
        part = measure(profile, examples, scores, embedded, targets)
        if number < MOST_SEEN:
            seen += map(Seen, here, part.shown(PICTURE_PX))
        parts.append(part)
        number += len(here)
    if number < LEAST:
        raise RequestError(received(f"at least {LEAST} examples", examples=number))
    if ids is not None and len(ids) != number:
        expected = "as many `ids` as examples"
        raise RequestError(received(expected, ids=len(ids), examples=number))
    rows, layouts, embedded, wrong = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("rows", "layouts", "embedded", "errors")
    )
    now = Window(rows, layouts, embedded, wrong, np.empty(0))
    level = MARGIN * alert
    findings = look(profile, now, level=level)
    comparison = Comparison(profile, findings, level, number, now, tuple(seen))
    return dataclasses.replace(comparison, alarms=alarms_of(comparison))


def alarms_of(comparison: Comparison) -> tuple[Alarm, ...]:
    """An alarm for each finding that drifted, with what a person sees of the examples that did."""
    profile, now, seen = comparison.profile, comparison.now, comparison.seen
    alarms = []
    for finding in comparison.drifted:
        places = most_moved(finding, profile, now)
        moved = tuple(seen[place] for place in places if place < len(seen))
        alarms.append(Alarm(finding, comparison.num_examples, comparison.level, moved))
    return tuple(alarms)


def require_alert(alert: float) -> None:
    """Refuses what is no chance."""
    if not 0 < alert < 1:
        raise RequestError(received("`alert` to be over 0 and under 1", alert=alert))
