"""Boxes joined by arrows, from top to bottom: a model's layers, say.

Example:

    flow(["images", "conv 5x5", "dense"], [(0, 1), (1, 2)], indents=[0, 0, 1])
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tfpipe.errors import RequestError, received
from tfpipe.report import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LETTER_PX = 7.4  # a letter of 11 px in DejaVu Sans Bold, a little on the wide side
_LINE_PX = 15
_PADDING_PX = 8
_NARROWEST_PX = 100
_GAP_PX = 22  # between boxes: an arrow's length
_INDENT_PX = 48
_MARGIN_PX = 16
_BEND_PX = 22  # how far an arrow that passes one box bends to the right; more for more


class _Box(NamedTuple):
    lines: list[str]
    left: float
    top: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def right(self) -> float:
        return self.left + self.width


def flow(
    boxes: Sequence[str], arrows: Sequence[tuple[int, int]], *, indents: Sequence[int] | None = None
) -> bytes:
    """Boxes under each other, and arrows between them.

    An arrow to the next box is short and straight. One that passes only boxes further to the
    right goes straight down beside them, and one that passes others bends around on the right.

    Args:
        boxes: N texts of one line or more; the first line is set off.
        arrows: from which box to which, by number, always downwards.
        indents: N whole numbers from 0: how far to the right each box stands.

    Returns:
        PNG bytes.

    Raises:
        RequestError: no boxes; another number of indents, or one below 0; an arrow that does not
            lead downwards from box to box.

    Example:

    >>> flow(["images", "conv 5x5", "dense"], [(0, 1), (1, 2), (0, 2)])[1:4]
    b'PNG'
    """
    steps = [0] * len(boxes) if indents is None else list(indents)
    _check(boxes, arrows, steps)
    placed = _placed([drawing.drawable(text).split("\n") for text in boxes], steps)
    width = max(box.right for box in placed) + _MARGIN_PX
    height = max(box.bottom for box in placed) + _MARGIN_PX
    with drawing.own_style():
        axes = drawing.canvas(width, height).add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
        for start, end in arrows:
            _arrow(axes, placed[start : end + 1])
        for box in placed:
            _draw(axes, box)
        return drawing.png(axes.get_figure(root=True), crop=True)


def _check(boxes: Sequence[str], arrows: Sequence[tuple[int, int]], indents: Sequence[int]) -> None:
    if not boxes:
        raise RequestError("Expected `boxes` to hold at least one. Received: none.")
    if len(indents) != len(boxes) or min(indents) < 0:
        expected = f"`indents` to be a whole number from 0 for each of {len(boxes)} boxes"
        raise RequestError(received(expected, indents=list(indents)))
    for start, end in arrows:
        if not 0 <= start < end < len(boxes):
            expected = f"`arrows` to lead downwards between boxes 0 to {len(boxes) - 1}"
            raise RequestError(received(expected, arrow=(start, end)))


def _placed(texts: Sequence[list[str]], indents: Sequence[int]) -> list[_Box]:
    letters = max(len(line) for lines in texts for line in lines)
    width = max(_NARROWEST_PX, letters * _LETTER_PX + 2 * _PADDING_PX)
    boxes: list[_Box] = []
    top: float = _MARGIN_PX
    for lines, indent in zip(texts, indents, strict=True):
        height = len(lines) * _LINE_PX + 2 * _PADDING_PX - 4
        boxes.append(_Box(lines, _MARGIN_PX + indent * _INDENT_PX, top, width, height))
        top += height + _GAP_PX
    return boxes


def _arrow(axes: "Axes", boxes: Sequence[_Box]) -> None:
    """From the first of these boxes to the last, past those between."""
    start, *between, end = boxes
    free_to = min((box.left for box in between), default=max(start.left, end.left) + 80)
    x = max(start.left, end.left) + 24
    if x < free_to:
        _line(axes, (x, start.bottom), (x, end.top))
        return
    furthest = max(box.right for box in boxes)
    bend = furthest - min(start.right, end.right) + _BEND_PX * (1 + len(between)) ** 0.5
    _line(
        axes,
        (start.right, start.top + start.height * 0.7),
        (end.right, end.top + end.height * 0.3),
        bend,
    )


def _line(
    axes: "Axes", start: tuple[float, float], end: tuple[float, float], bend: float = 0.0
) -> None:
    """An arrow; with a bend, a curve that reaches about that far to the right."""
    from matplotlib.patches import FancyArrowPatch, PathPatch
    from matplotlib.path import Path

    look = {"color": drawing.BLUE if bend else drawing.QUIET, "linewidth": drawing.points(1.4)}
    if bend:
        reach = [(x + bend * 4 / 3, y) for x, y in (start, end)]
        codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
        axes.add_patch(
            PathPatch(Path([start, *reach, end], codes), fill=False, clip_on=False, **look)
        )
        start = (end[0] + 1, end[1])
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, **look
        )
    )


def _draw(axes: "Axes", box: _Box) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (box.left, box.top),
            box.width,
            box.height,
            facecolor="#eaeef3",
            edgecolor=drawing.RULE,
            linewidth=drawing.points(1),
        )
    )
    for number, line in enumerate(box.lines):
        axes.text(
            box.left + _PADDING_PX,
            box.top + _PADDING_PX + number * _LINE_PX,
            line,
            verticalalignment="top",
            fontsize=drawing.points(11),
            fontweight="normal" if number else "bold",
            color=drawing.QUIET if number else drawing.INK,
        )
