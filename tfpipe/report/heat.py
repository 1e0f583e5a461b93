"""Heat laid over images, as a picture: where a model looks.

heatmaps(images, heats, ["covid: 0.98"], says="what speaks for the answer")
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tfpipe.errors import RequestError, received
from tfpipe.report import drawing
from tfpipe.report.images import check

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Image = npt.NDArray[np.uint8]
    Heat = npt.NDArray[np.floating]

_COLUMNS = 3
_PAIR_PX, _LINE_PX, _LEGEND_PX = 256, 15, 64
_LETTERS = 36  # of 11 px, below a pair
_COLOURS = "plasma"  # no grey picture has them, and colour-blind readers tell them apart
_OPAQUE = 0.65


def heatmaps(
    images: "Iterable[Image]",
    heats: "Iterable[Heat]",
    captions: Sequence[str],
    *,
    wrong: Sequence[bool] | None = None,
    says: str = "how much speaks for the answer, as a share of each picture's most",
) -> bytes:
    """Each image beside itself under its heat, in rows of three, below a legend of the colours.

    Where there is no heat, nothing covers the image.

    Args:
        images: uint8, (N, H, W, 1) or (N, H, W, 3), or N arrays (H, W, 1 or 3) of any sizes.
        heats: for each image (H, W), from 0 to 1, as `models.grad_cam` gives it.
        captions: N texts; wrapped, never cut.
        wrong: N truths; the wrong ones get a red caption with a cross before it.
        says: what the heat stands for, in the legend.

    Returns:
        PNG bytes.

    Raises:
        RequestError: no images, an image of another shape or dtype, heat of another shape or
            range, another number of heats, of captions or of `wrong` than of images.

    Example:

    >>> import numpy as np
    >>> heatmaps(np.zeros((1, 28, 28, 1), np.uint8), np.ones((1, 28, 28)), ["covid"])[1:4]
    b'PNG'
    """
    pictures, maps = list(images), list(heats)
    marks = [False] * len(pictures) if wrong is None else [bool(mark) for mark in wrong]
    check(pictures, captions, marks)
    _check_heats(pictures, maps)
    pairs = [_pair(*both) for both in zip(pictures, maps, strict=True)]
    texts = [_wrapped(*both) for both in zip(captions, marks, strict=True)]
    num_columns = min(_COLUMNS, len(pairs))
    num_rows = -(-len(pairs) // num_columns)
    tallest = max(pair.shape[0] / pair.shape[1] for pair in pairs)
    row_px = tallest * _PAIR_PX + _LINE_PX * max(text.count("\n") + 1 for text in texts)
    with drawing.own_style():
        size = (num_columns * _PAIR_PX + 32, num_rows * row_px + _LEGEND_PX + 32)
        figure = drawing.canvas(*size, arranged=True)
        places = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
        for axes in places:
            axes.set_axis_off()
        for axes, pair, text, mark in zip(places, pairs, texts, marks, strict=False):
            _draw(axes, pair, text, wrong=mark)
        _draw_legend(list(places), num_columns, says)
        return drawing.png(figure)


def heated(image: "Image", heat: "Heat") -> "Image":
    """The image under its heat, uint8 (H, W, 3): the more heat, the less of the image shows.

    >>> import numpy as np
    >>> heated(np.full((1, 2, 1), 100, np.uint8), np.array([[0.0, 1.0]])).tolist()
    [[[100, 100, 100], [191, 197, 57]]]
    """
    import matplotlib
    import numpy as np

    grey = np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.float32)
    colour = 255 * matplotlib.colormaps[_COLOURS](heat)[..., :3]
    share = _OPAQUE * np.asarray(heat)[..., None]
    mixed: Image = ((1 - share) * grey + share * colour).round().astype(np.uint8)
    return mixed


def _check_heats(images: "Sequence[Image]", heats: "Sequence[Heat]") -> None:
    import numpy as np

    if len(heats) != len(images):
        expected = f"`heats` to have one entry per image, {len(images)}"
        raise RequestError(received(expected, entries=len(heats)))
    for index, (image, heat) in enumerate(zip(images, heats, strict=True)):
        shape = image.shape[:2]
        if np.shape(heat) != shape:
            expected = f"`heats[{index}]` of the image's shape {shape}"
            raise RequestError(received(expected, shape=np.shape(heat)))
        if not (np.min(heat) >= 0 and np.max(heat) <= 1):
            low, high = float(np.min(heat)), float(np.max(heat))
            expected = f"`heats[{index}]` to be from 0 to 1"
            raise RequestError(received(expected, lowest=low, highest=high))


def _pair(image: "Image", heat: "Heat") -> "Image":
    """The image and the image under its heat, with a white line between them."""
    import numpy as np

    height, width = image.shape[:2]
    plain = np.broadcast_to(image, (height, width, 3))
    line = np.full((height, max(1, width // 40), 3), 255, np.uint8)
    return np.concatenate([plain, line, heated(image, heat)], axis=1)


def _wrapped(caption: str, wrong: bool) -> str:
    text = drawing.drawable(f"✗ {caption}" if wrong else caption)
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, _LETTERS))


def _draw(axes: "Axes", pair: "Image", text: str, *, wrong: bool) -> None:
    axes.imshow(pair)
    axes.text(
        0.5,
        -0.03,
        text,
        transform=axes.transAxes,
        horizontalalignment="center",
        verticalalignment="top",
        fontsize=drawing.points(11),
        color=drawing.RED if wrong else drawing.INK,
    )


def _draw_legend(places: "Sequence[Axes]", num_columns: int, says: str) -> None:
    import matplotlib
    import numpy as np

    shades = matplotlib.cm.ScalarMappable(
        cmap=matplotlib.colors.ListedColormap(
            heated(np.full((1, 256, 1), 128, np.uint8), np.linspace(0, 1, 256)[None])[0] / 255
        )
    )
    aspect = 14 * num_columns
    bar = places[0].figure.colorbar(shades, ax=places, location="top", aspect=aspect, shrink=0.6)
    lines = textwrap.fill(drawing.drawable(says), _LETTERS * num_columns)
    bar.set_label(lines, fontsize=drawing.points(11), color=drawing.QUIET)
    bar.ax.tick_params(labelsize=drawing.points(11), color=drawing.RULE, labelcolor=drawing.QUIET)
    bar.outline.set_visible(False)
