"""What things cost against how good they are, as a picture.

scatter(["float32", "int8"], [251, 73], [0.99, 0.98], cost_name="kB", score_name="accuracy")
"""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tfpipe.errors import RequestError, received
from tfpipe.report import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_PX, _HEIGHT_PX = 440, 330
_LETTER_PX = 6.6  # a letter of 11 px in DejaVu Sans
_SHIFTS_PX = (12, -12, 26, -26, 40, -40, 54, -54, 68, -68, 82, -82)


def scatter(
    names: Sequence[str],
    costs: Sequence[float],
    scores: Sequence[float],
    *,
    cost_name: str,
    score_name: str,
    reference: float | None = None,
) -> bytes:
    """What a thing costs to the right, how good it is upwards; its name beside its point.

    Args:
        names: one per thing.
        costs: one positive number per thing; the axis is logarithmic.
        scores: one per thing.
        cost_name: what the cost is, with its unit.
        score_name: what the score is.
        reference: a score that is drawn as a dotted line.

    Returns:
        PNG bytes, 440 CSS pixels wide.

    Raises:
        RequestError: no names, another number of values than of names, a cost that is not
            positive.

    Example:

    >>> picture = scatter(["a", "b"], [251, 73], [0.99, 0.98], cost_name="kB", score_name="score")
    >>> picture[1:4]
    b'PNG'
    """
    _check(names, costs, scores)
    with drawing.own_style():
        figure = drawing.canvas(_WIDTH_PX, _HEIGHT_PX, arranged=True)
        axes = figure.subplots()
        levels = [*scores, *([] if reference is None else [reference])]
        _draw_frame(axes, costs, levels)
        axes.set_xlabel(drawing.drawable(cost_name), **_quiet(12))
        axes.set_ylabel(drawing.drawable(score_name), **_quiet(12))
        if reference is not None:
            line = {"color": drawing.QUIET, "linewidth": drawing.points(1), "linestyle": ":"}
            axes.axhline(reference, **line)
        axes.plot(costs, scores, "o", color=drawing.BLUE, markersize=drawing.points(9), alpha=0.75)
        figure.draw_without_rendering()  # so that the places of the points are known
        _draw_names(axes, names, costs, scores)
        return drawing.png(figure)


def _check(names: Sequence[str], costs: Sequence[float], scores: Sequence[float]) -> None:
    if not names:
        raise RequestError(received("`names` to hold at least one", names=names))
    for name, values in (("costs", costs), ("scores", scores)):
        if len(values) != len(names):
            expected = f"`{name}` to have one value per name, {len(names)}"
            raise RequestError(received(expected, values=values))
    if min(costs) <= 0:
        raise RequestError(received("`costs` to be positive", costs=costs))


def _quiet(size_px: float) -> dict[str, Any]:
    return {"fontsize": drawing.points(size_px), "color": drawing.QUIET}


def _draw_frame(axes: "Axes", costs: Sequence[float], scores: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axes.set_facecolor(drawing.PAPER)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(drawing.RULE)
    axes.grid(color=drawing.RULE, linewidth=drawing.points(0.75))
    axes.tick_params(labelsize=drawing.points(11), length=0, labelcolor=drawing.QUIET)
    axes.set_xscale("log")
    axes.set_xlim(min(costs) / 2, max(costs) * 2)  # room for the names
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    middle, half = (max(scores) + min(scores)) / 2, (max(scores) - min(scores)) / 2
    # A thousandth more or less is no difference worth the whole height.
    half = max(1.6 * half, 0.004 * abs(middle), 1e-3)
    axes.set_ylim(middle - half, middle + half)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=(1, 2, 5, 10)))
    axes.yaxis.get_major_formatter().set_useOffset(False)


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "_Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )


def _draw_names(
    axes: "Axes", names: Sequence[str], costs: Sequence[float], scores: Sequence[float]
) -> None:
    """Each name above or below its point, where no other name and no point is."""
    to_px = axes.transData.transform
    scale = axes.get_figure(root=True).dpi / 96  # CSS pixels
    frame = axes.get_window_extent()
    pairs = list(zip(costs, scores, strict=True))
    points = [tuple(to_px(pair) / scale) for pair in pairs]
    taken = [_Box(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    for name, (x, y), pair in zip(names, points, pairs, strict=True):
        text = drawing.drawable(name)
        half = len(text) * _LETTER_PX / 2
        centre = min(max(x, frame.x0 / scale + half), frame.x1 / scale - half)
        boxes = [
            (shift, _Box(centre - half, y + shift - 7, centre + half, y + shift + 7))
            for shift in _SHIFTS_PX
        ]
        free = (place for place in boxes if not any(place[1].meets(other) for other in taken))
        shift, box = next(itertools.chain(free, boxes))
        taken.append(box)
        axes.annotate(
            text,
            pair,
            xytext=(drawing.points(centre - x), drawing.points(shift)),
            textcoords="offset points",
            horizontalalignment="center",
            verticalalignment="center",
            fontsize=drawing.points(11),
            color=drawing.INK,
            bbox={"facecolor": drawing.PAPER, "edgecolor": "none", "pad": 0.5},
            arrowprops={"arrowstyle": "-", "color": drawing.QUIET, "linewidth": 0.5, "shrinkB": 4},
        )
