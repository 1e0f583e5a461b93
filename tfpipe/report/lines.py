"""Learning curves as a picture.

curves({"loss": [0.9, 0.4], "val_loss": [1.0, 0.6]}, marks={"pruning": 2})
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tfpipe.errors import RequestError, received
from tfpipe.report import drawing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Series = dict[str, npt.NDArray[np.float64]]

_MARK_ROW_PX = 16
_ROUND = (1, 2, 5, 10)  # the ticks count by these, times a power of ten


def curves(
    history: Mapping[str, Sequence[float]], *, marks: Mapping[str, int] | None = None
) -> bytes:
    """Learning curves: one panel per metric, training and validation in the same panel.

    Args:
        history: one value per epoch and name, as `keras.callbacks.History.history` has them;
            "val_loss" joins "loss". Values that are not finite are left out.
        marks: label to the epoch, from 1, before which a second phase begins.

    Returns:
        PNG bytes, 640 CSS pixels wide.

    Raises:
        RequestError: an empty history, names with different numbers of epochs, values that are no
            numbers, a mark outside the epochs.

    Example:

    >>> curves({"loss": [0.9, 0.4], "val_loss": [1.0, 0.6]}, marks={"pruning": 2})[1:4]
    b'PNG'
    """
    series = _series(history)
    num_epochs = len(next(iter(series.values())))
    marks = dict(marks or {})
    if not all(1 <= epoch <= num_epochs for epoch in marks.values()):
        expected = f"`marks` to name epochs from 1 to {num_epochs}"
        raise RequestError(received(expected, marks=marks))
    metrics = list(dict.fromkeys(name.removeprefix("val_") for name in series))
    height_px = (200 + _MARK_ROW_PX * len(marks)) * len(metrics) + 20
    with drawing.own_style():
        figure = drawing.canvas(640, height_px, arranged=True)
        panels = figure.subplots(len(metrics), squeeze=False)[:, 0]
        for panel, metric in zip(panels, metrics, strict=True):
            _draw_frame(panel, metric, num_epochs, num_marks=len(marks))
            _draw_lines(panel, series.get(metric), series.get(f"val_{metric}"))
            _draw_marks(panel, marks, num_epochs)
        panels[-1].set_xlabel("epoch", fontsize=drawing.points(12), color=drawing.QUIET)
        return drawing.png(figure)


def _series(history: Mapping[str, Sequence[float]]) -> "Series":
    import numpy as np

    if not isinstance(history, Mapping) or not history:
        expected = "`history` to map at least one name to its values, as `fit(...).history` does"
        raise RequestError(received(expected, history=history))
    try:
        series = {name: np.asarray(values, np.float64) for name, values in history.items()}
    except (TypeError, ValueError) as error:
        raise RequestError(received("only numbers in `history`", history=history)) from error
    shapes = {name: values.shape for name, values in series.items()}
    first = next(iter(shapes.values()))
    if len(first) != 1 or first == (0,) or set(shapes.values()) != {first}:
        expected = "one value per epoch under every name of `history` (nan where there is none)"
        raise RequestError(received(expected, shapes=shapes))
    return series


def _draw_frame(panel: "Axes", metric: str, num_epochs: int, *, num_marks: int) -> None:
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    panel.set_title(
        drawing.drawable(metric),
        loc="left",
        pad=drawing.points(8 + _MARK_ROW_PX * num_marks),
        fontsize=drawing.points(13),
        fontweight="bold",
        color=drawing.INK,
    )
    panel.set_facecolor(drawing.PAPER)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.spines["bottom"].set_color(drawing.RULE)
    panel.grid(axis="y", color=drawing.RULE, linewidth=drawing.points(0.75))
    panel.tick_params(labelsize=drawing.points(11), length=0, labelcolor=drawing.QUIET)
    panel.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=_ROUND))
    panel.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    panel.ticklabel_format(axis="y", style="plain")
    steps = MaxNLocator(nbins=8, steps=_ROUND, integer=True).tick_values(1, num_epochs)
    panel.set_xticks([1, *(step for step in steps if 1 < step <= num_epochs)])
    margin = max(0.5, 0.01 * num_epochs)
    panel.set_xlim(1 - margin, num_epochs + margin)


def _draw_lines(
    panel: "Axes",
    training: "npt.NDArray[np.float64] | None",
    validation: "npt.NDArray[np.float64] | None",
) -> None:
    import numpy as np

    lines = (
        ("training", training, drawing.BLUE, "-"),
        ("validation", validation, drawing.ORANGE, "--"),
    )
    for label, values, colour, style in lines:
        if values is None:
            continue
        epochs = np.flatnonzero(np.isfinite(values))
        marker = "o" if len(epochs) <= 12 else ""
        name = label if len(epochs) else f"{label} (no finite value)"
        panel.plot(
            epochs + 1,
            values[epochs],
            style,
            color=colour,
            label=name,
            linewidth=drawing.points(2),
            marker=marker,
            markersize=drawing.points(5),
        )
    panel.legend(frameon=False, fontsize=drawing.points(11), labelcolor=drawing.QUIET)


def _draw_marks(panel: "Axes", marks: Mapping[str, int], num_epochs: int) -> None:
    for row, (label, epoch) in enumerate(marks.items()):
        panel.axvline(epoch - 0.5, color=drawing.QUIET, linewidth=drawing.points(1), linestyle=":")
        # Each label has a row of its own above the panel, and stands over the phase that it names
        # unless that ends too near the edge.
        side = "left" if epoch <= 0.7 * num_epochs else "right"
        panel.annotate(
            drawing.drawable(label),
            (epoch - 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, drawing.points(4 + _MARK_ROW_PX * row)),
            textcoords="offset points",
            horizontalalignment=side,
            fontsize=drawing.points(11),
            color=drawing.QUIET,
        )
