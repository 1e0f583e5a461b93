"""A confusion matrix as a picture.

confusion([[50, 0], [3, 47]], ["normal", "pneumonia"])
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfpipe.errors import RequestError, received
from tfpipe.report import drawing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

_MOST_NUMBERED_CLASSES = 20
_LONGEST_NAME = 40
_FAINTEST = 0.12  # one error in ten thousand must still be seen beside a blank cell


def confusion(matrix: "npt.ArrayLike", class_names: Sequence[str]) -> bytes:
    """A confusion matrix: what is right in blue, errors in orange, no colour where nothing is.

    The darker, the larger the share of the row. Counts stand in the cells up to 20 classes; names
    of more than 40 letters lose their middle.

    Args:
        matrix: counts, (C, C), 0 or more; rows are true classes, columns predicted ones.
        class_names: C names, C at least 2.

    Returns:
        PNG bytes.

    Raises:
        RequestError: the matrix is not square, does not fit the names, or holds no counts.

    Example:

    >>> confusion([[50, 0], [3, 47]], ["normal", "pneumonia"])[1:4]
    b'PNG'
    """
    counts = _counts(matrix, class_names)
    num_classes = len(class_names)
    cell_px = min(56.0, max(9.0, 700 / num_classes))
    strengths = _strengths(counts)
    with drawing.own_style():
        figure = drawing.canvas(cell_px * num_classes, cell_px * num_classes)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(_colours(strengths), interpolation="nearest", aspect="auto")
        _draw_frame(axes, [_short(name) for name in class_names], cell_px)
        if num_classes <= _MOST_NUMBERED_CLASSES:
            _draw_counts(axes, counts, strengths, cell_px)
        return drawing.png(figure, crop=True)


def _counts(matrix: "npt.ArrayLike", class_names: Sequence[str]) -> "npt.NDArray[np.int64]":
    import numpy as np

    if len(class_names) < 2:
        raise RequestError(received("at least 2 `class_names`", class_names=list(class_names)))
    expected = f"`matrix` to have one row and one column per class name, {len(class_names)}"
    try:
        given = np.asarray(matrix)
    except ValueError as error:  # rows of different lengths
        raise RequestError(received(expected, matrix=matrix)) from error
    if given.shape != (len(class_names), len(class_names)):
        raise RequestError(received(expected, shape=given.shape))
    expected = "`matrix` to hold counts: whole numbers, 0 or more"
    if given.dtype.kind not in "iuf":
        raise RequestError(received(expected, dtype=str(given.dtype)))
    for row, column in np.argwhere(~np.isfinite(given) | (given < 0) | (given != np.floor(given))):
        place = {f"matrix[{row}, {column}]": given[row, column].item()}
        raise RequestError(received(expected, **place))
    return given.astype(np.int64)


def _strengths(counts: "npt.NDArray[np.int64]") -> "npt.NDArray[np.float64]":
    import numpy as np

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.where(counts > 0, _FAINTEST + (1 - _FAINTEST) * shares, 0.0)


def _colours(strengths: "npt.NDArray[np.float64]") -> "npt.NDArray[np.float64]":
    import numpy as np
    from matplotlib.colors import to_rgb

    right = np.eye(len(strengths), dtype=bool)[..., None]
    full = np.where(right, to_rgb(drawing.BLUE), to_rgb(drawing.ORANGE))
    return 1 + strengths[..., None] * (full - 1)  # from white to the full colour


def _draw_frame(axes: "Axes", names: Sequence[str], cell_px: float) -> None:
    from rich.cells import cell_len  # counts the two places of a Chinese character

    size = drawing.points(min(12.0, 0.85 * cell_px))
    places = range(len(names))
    across = max(map(cell_len, names)) * 0.6 * 12 > cell_px
    axes.set_xticks(places, names, fontsize=size, rotation=90 if across else 0)
    axes.set_yticks(places, names, fontsize=size)
    axes.tick_params(length=0, pad=drawing.points(6), labelcolor=drawing.INK)
    axes.set_xlabel("predicted", fontsize=drawing.points(12), color=drawing.QUIET)
    axes.set_ylabel("true", fontsize=drawing.points(12), color=drawing.QUIET)
    axes.spines[:].set_color(drawing.RULE)
    edges = [place - 0.5 for place in places[1:]]
    axes.hlines(edges, -0.5, len(names) - 0.5, colors=drawing.RULE, linewidth=drawing.points(0.75))
    axes.vlines(edges, -0.5, len(names) - 0.5, colors=drawing.RULE, linewidth=drawing.points(0.75))


def _draw_counts(
    axes: "Axes",
    counts: "npt.NDArray[np.int64]",
    strengths: "npt.NDArray[np.float64]",
    cell_px: float,
) -> None:
    import numpy as np

    for row, column in np.argwhere(counts > 0):
        text = f"{counts[row, column]:,}"
        axes.text(
            column,
            row,
            text,
            horizontalalignment="center",
            verticalalignment="center_baseline",
            fontsize=drawing.points(min(13.0, 0.9 * cell_px / (0.64 * len(text)))),
            color=drawing.PAPER if strengths[row, column] > 0.55 else drawing.INK,
        )


def _short(name: str) -> str:
    plain = drawing.drawable(name.replace("\n", " "))
    half = _LONGEST_NAME // 2
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[:half]}…{plain[1 - half :]}"
