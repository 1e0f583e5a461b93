"""What the benchmarks share: runs that take turns, and the table of their medians and ratios."""

import statistics
import time
from collections.abc import Callable

import tfpipe as tp


def take_turns(
    runs: dict[str, Callable[[], object]],
    repeats: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each run, run A B C A B C ..., after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            started = clock()
            run()
            if turn:
                seconds[name].append(clock() - started)
    return seconds


def tell(title: str, seconds: dict[str, list[float]], num_images: int) -> None:
    """Prints the medians, and the median of each turn's ratio to tfpipe's time."""
    ours = seconds["tfpipe"]
    rows = [
        [
            name,
            f"{statistics.median(times):.2f}",
            f"{num_images / statistics.median(times):,.0f}",
            f"{statistics.median(t / o for t, o in zip(times, ours, strict=True)):.2f}",
        ]
        for name, times in seconds.items()
    ]
    print(tp.report.text_table([title, "seconds", "images/s", "time / tfpipe's"], rows))
