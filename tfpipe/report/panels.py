"""Small pictures side by side: distributions against each other, and values over time.

Example:

    histograms({"sharpness": (before, after)}, names=("profile", "now"))
    timelines([16, 32, 64], {"sharpness": [9.1, 8.7, 4.2]}, levels={"sharpness": 9.0})
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tfpipe.errors import RequestError, received
from tfpipe.report import drawing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_PX, _HEIGHT_PX, _COLUMNS = 960, 190, 3
_NUM_BINS = 24
_FEW = 12  # different values that each get a bar


def histograms(
    samples: "Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]",
    *,
    names: tuple[str, str] = ("before", "after"),
) -> bytes:
    """Two samples of each quantity, as shares on the same bins, three panels to a row.

    The bins span the middle 99 % of both samples; what is outside is in the first and last bin.

    Args:
        samples: title to two sequences of finite numbers, neither of them empty.
        names: of the two samples.

    Returns:
        PNG bytes, 960 CSS pixels wide.

    Raises:
        RequestError: nothing to draw, an empty sample, or one with numbers that are not finite.

    Example:

    >>> histograms({"sharpness": ([1.0, 2.0], [2.0, 3.0])})[1:4]
    b'PNG'
    """
    import numpy as np

    pairs = {k: [np.asarray(v, np.float64) for v in pair] for k, pair in samples.items()}
    for title, pair in pairs.items():
        if any(len(values) == 0 or not np.isfinite(values).all() for values in pair):
            expected = "two samples of finite numbers, not empty"
            raise RequestError(received(expected, title=title, sizes=[len(v) for v in pair]))
    with drawing.own_style():
        figure, panels = _panels(list(pairs))
        for panel, pair in zip(panels, pairs.values(), strict=True):
            _draw_bars(panel, *pair, names=names)
        panels[0].legend(frameon=False, fontsize=drawing.points(11), labelcolor=drawing.QUIET)
        return drawing.png(figure)


def timelines(
    at: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    levels: Mapping[str, float],
    marks: Mapping[str, Collection[float]] | None = None,
    unit: str = "examples",
) -> bytes:
    """Each quantity over time, three panels to a row, its usual level as a dotted line.

    Args:
        at: when, N numbers.
        lines: title to N values; nan where there is none.
        levels: title to the usual value; a title that is missing gets no line for it.
        marks: title to the times that get a red dot.
        unit: what `at` counts.

    Returns:
        PNG bytes, 960 CSS pixels wide.

    Raises:
        RequestError: nothing to draw, or a line of another length than `at`.

    Example:

    >>> timelines([1, 2], {"sharpness": [9.1, 4.2]}, levels={"sharpness": 9.0})[1:4]
    b'PNG'
    """
    for title, values in lines.items():
        if len(values) != len(at):
            expected = f"one value for each of {len(at)} times"
            raise RequestError(received(expected, title=title, values=len(values)))
    sizes = {"linewidth": drawing.points(2), "markersize": drawing.points(4)}
    with drawing.own_style():
        figure, panels = _panels(list(lines))
        for panel, (title, values) in zip(panels, lines.items(), strict=True):
            red = (marks or {}).get(title, ())
            marker = "o" if len(at) <= _FEW else ""
            _draw_level(panel, levels.get(title, math.nan))
            panel.plot(at, values, color=drawing.BLUE, marker=marker, **sizes)
            for x, y in zip(at, values, strict=True):
                if x in red:
                    panel.plot(x, y, "o", color=drawing.RED, markersize=drawing.points(6))
            panel.set_xlabel(unit, fontsize=drawing.points(11), color=drawing.QUIET)
        return drawing.png(figure)


def _panels(titles: Sequence[str]) -> "tuple[Figure, list[Axes]]":
    from matplotlib.ticker import MaxNLocator

    if not titles:
        raise RequestError("Expected `panels` to hold at least one. Received: none.")
    num_rows = -(-len(titles) // _COLUMNS)
    figure = drawing.canvas(_WIDTH_PX, _HEIGHT_PX * num_rows, arranged=True)
    panels = list(figure.subplots(num_rows, _COLUMNS, squeeze=False).flat)
    for spare in panels[len(titles) :]:
        spare.set_axis_off()
    for panel, title in zip(panels, titles, strict=False):
        name = drawing.drawable(title)
        panel.set_title(
            name, loc="left", fontsize=drawing.points(12), fontweight="bold", color=drawing.INK
        )
        panel.set_facecolor(drawing.PAPER)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.spines["bottom"].set_color(drawing.RULE)
        panel.grid(axis="y", color=drawing.RULE, linewidth=drawing.points(0.75))
        panel.tick_params(labelsize=drawing.points(10), length=0, labelcolor=drawing.QUIET)
        panel.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=(1, 2, 5, 10)))
        panel.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=(1, 2, 5, 10)))
        panel.set_axisbelow(True)
    return figure, panels[: len(titles)]


def _draw_bars(
    panel: "Axes",
    before: "npt.NDArray[np.float64]",
    after: "npt.NDArray[np.float64]",
    *,
    names: tuple[str, str],
) -> None:
    import numpy as np

    both = np.concatenate([before, after])
    distinct = np.unique(both)
    if len(distinct) <= _FEW:
        places = np.arange(len(distinct))
        for shift, values, name, colour in _two(before, after, names, (-0.2, 0.2)):
            shares = np.array([np.mean(values == each) for each in distinct])
            panel.bar(places + shift, shares, 0.4, label=name, color=colour)
        panel.set_xticks(places, [f"{each:g}" for each in distinct])
        return
    low, high = np.quantile(both, (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, _NUM_BINS + 1)
    for alpha, values, name, colour in _two(before, after, names, (0.5, 0.5)):
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        panel.stairs(counts / len(values), edges, fill=True, alpha=alpha, color=colour, label=name)


def _two(before: Any, after: Any, names: tuple[str, str], numbers: tuple[float, float]) -> Any:
    return zip(numbers, (before, after), names, (drawing.BLUE, drawing.ORANGE), strict=True)


def _draw_level(panel: "Axes", level: float) -> None:
    if math.isfinite(level):
        panel.axhline(level, color=drawing.QUIET, linewidth=drawing.points(1), linestyle=":")
