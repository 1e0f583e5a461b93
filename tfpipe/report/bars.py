"""How far a long job is: a bar on a terminal, now and then a plain line anywhere else.

with progress("records", 60_000, unit="images") as bar:
    for batch in batches:
        bar.advance(len(batch))
        bar.line(f"batch done: loss {loss:.3f}")     # for logs; a terminal has the bar instead
"""

import collections
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from tfpipe.errors import RequestError, received
from tfpipe.report.words import human_number, human_seconds, printable

if TYPE_CHECKING:
    from rich.progress import Progress

_REFRESH_S = 0.1
_LINE_EVERY_S = 10.0
_NUM_SAMPLES = 100  # the rate is that of the last 10 s, or of the last 100 slow steps


class Bar(Protocol):
    """What `progress` gives; call it from one thread."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """Counts `count` more as done; the last `note` stands below the bar."""

    def line(self, text: str) -> None:
        """Writes a line where there is no bar, and nothing where there is one."""


@contextlib.contextmanager
def progress(
    description: str,
    total: int | None,
    *,
    unit: str,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Bar]:
    """Shows on standard error how far a job is.

    On a terminal there is one bar. Anywhere else there are plain lines without control codes:
    those that the caller writes with `line`; until the first of these, one at most every 10
    seconds.

    Args:
        description: what is being done.
        total: how many there are to do; None where that is not known.
        unit: what is counted, in the plural.
        clock: seconds from any start; for tests.

    Yields:
        A bar: `advance(count=1)` moves it, `line(text)` writes a line where there is none.

    Raises:
        RequestError: a negative total.

    Example:

    >>> with progress("records", 3, unit="images") as bar:
    ...     for _ in range(3):
    ...         bar.advance()
    """
    if total is not None and total < 0:
        raise RequestError(received("`total` to be 0 or more, or None", total=total))
    pace = _Pace(total, unit, clock)
    if sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        terminal = _Terminal(printable(description), pace)
        with terminal.bar:
            yield terminal
            terminal.close()
    else:
        lines = _Lines(printable(description), pace)
        yield lines
        lines.close()


class _Pace:
    """Counts, and knows the rate of the last moments."""

    def __init__(self, total: int | None, unit: str, clock: Callable[[], float]):
        self.total, self.unit, self.clock = total, unit, clock
        self.done = 0
        self.note = ""
        self.start_s = self.sampled_s = clock()
        self.samples = collections.deque([(self.start_s, 0)], maxlen=_NUM_SAMPLES)

    def advance(self, count: int, note: str) -> bool:
        """Whether it is time to show something; this must cost next to nothing."""
        self.done += count
        self.note = printable(note) if note else self.note
        now = self.clock()
        if now - self.sampled_s < _REFRESH_S:
            return False
        self.sampled_s = now
        self.samples.append((now, self.done))
        return True

    def text(self) -> str:
        """For instance "12,000 of 60,000 images, 3,100 images/s, 15 s left"."""
        (first_s, first), (last_s, last) = self.samples[0], self.samples[-1]
        rate = (last - first) / (last_s - first_s) if last_s > first_s else 0.0
        parts = [self._count()]
        if rate:
            parts.append(self._rate(rate))
        if rate and self.total is not None:
            parts.append(f"{human_seconds(max(self.total - self.done, 0) / rate)} left")
        return ", ".join(parts)

    def final(self) -> str:
        """For instance "60,000 of 60,000 images, 3,100 images/s, 19 s": the whole job's rate."""
        seconds = self.clock() - self.start_s
        rate = [self._rate(self.done / seconds)] if seconds and self.done else []
        return ", ".join([self._count(), *rate, human_seconds(seconds)])

    def _count(self) -> str:
        of = "" if self.total is None else f" of {human_number(self.total)}"
        return f"{human_number(self.done)}{of} {self.unit}"

    def _rate(self, rate: float) -> str:
        return f"{rate:,.0f} {self.unit}/s" if rate >= 10 else f"{rate:.2g} {self.unit}/s"


class _Lines:
    def __init__(self, description: str, pace: _Pace):
        self.description, self.pace = description, pace
        self.by_itself = True
        self.written_s = pace.start_s

    def advance(self, count: int = 1, note: str = "") -> None:
        if not self.pace.advance(count, note) or not self.by_itself:
            return
        if self.pace.sampled_s - self.written_s >= _LINE_EVERY_S:
            self.written_s = self.pace.sampled_s
            self._write(self.pace.text())

    def line(self, text: str) -> None:
        self.by_itself = False
        print(printable(text), file=sys.stderr, flush=True)

    def close(self) -> None:
        # A job that was worth a line of its own gets a last one, so that the log tells its end.
        if self.by_itself and self.written_s > self.pace.start_s:
            self._write(self.pace.final())

    def _write(self, text: str) -> None:
        end = f", {self.pace.note}" if self.pace.note else ""
        print(f"{self.description}: {text}{end}", file=sys.stderr, flush=True)


class _Terminal:
    def __init__(self, description: str, pace: _Pace):
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn

        self.pace = pace
        console = Console(file=sys.stderr, force_terminal=True)
        self.bar = _with_notes()(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=min(24, max(4, console.width - 60))),
            TextColumn("{task.fields[text]}", markup=False),
            console=console,
            # What the job prints to a file must get there, not to the terminal with the bar.
            redirect_stdout=sys.stdout.isatty(),
        )
        text = pace.text()
        self.task = self.bar.add_task(description, total=pace.total, text=text, note="")

    def advance(self, count: int = 1, note: str = "") -> None:
        if self.pace.advance(count, note):
            self._show(self.pace.text())

    def line(self, text: str) -> None:
        pass

    def close(self) -> None:
        if self.pace.total is None:  # else the bar would stand there as if it went on
            self.bar.update(self.task, total=self.pace.done)
        self._show(self.pace.final())

    def _show(self, text: str) -> None:
        self.bar.update(self.task, completed=self.pace.done, text=text, note=self.pace.note)


def _with_notes() -> "type[Progress]":
    """A bar with its note in a line below, for which there is no room beside it."""
    from rich.console import RenderableType
    from rich.progress import Progress
    from rich.text import Text

    class WithNotes(Progress):
        def get_renderables(self) -> Iterable[RenderableType]:
            yield self.make_tasks_table(self.tasks)
            for note in filter(None, (task.fields["note"] for task in self.tasks)):
                yield Text(note, style="dim", no_wrap=True, overflow="ellipsis")

    return WithNotes
