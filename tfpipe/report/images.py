"""A grid of captioned images as a picture, the wrong ones marked.

grid(images, ["7", "1, predicted 7"], wrong=[False, True])
"""

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tfpipe.errors import RequestError, received
from tfpipe.report import drawing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Image = npt.NDArray[np.uint8]

_WIDTH_PX = 800
_MOST_COLUMNS = 8
_GAP_PX = 16
_LARGEST_PX = 240
_LINE_PX = 15
_LETTER_PX = 6.8  # a letter of 11 px in DejaVu Sans, a little on the wide side


class _Tile(NamedTuple):
    image: "Image"
    lines: list[str]
    wrong: bool
    width_px: float
    height_px: float


def grid(
    images: "Iterable[Image]", captions: Sequence[str], *, wrong: Sequence[bool] | None = None
) -> bytes:
    """Images in rows of up to 8, a caption under each.

    Args:
        images: uint8, (N, H, W, 1) or (N, H, W, 3), or N arrays (H, W, 1 or 3) of any sizes.
        captions: N texts; wrapped, never cut.
        wrong: N truths; the wrong ones get a red frame, a red caption and a cross before it.

    Returns:
        PNG bytes.

    Raises:
        RequestError: no images, an image of another shape or dtype, another number of captions or
            of `wrong` than of images.

    Example:

    >>> import numpy as np
    >>> grid(np.zeros((2, 28, 28, 1), np.uint8), ["7", "1"], wrong=[False, True])[1:4]
    b'PNG'
    """
    pictures = list(images)
    marks = [False] * len(pictures) if wrong is None else [bool(mark) for mark in wrong]
    check(pictures, captions, marks)
    num_columns = min(_MOST_COLUMNS, len(pictures))
    side_px = min(_LARGEST_PX, _WIDTH_PX // num_columns - _GAP_PX)
    parts = zip(pictures, captions, marks, strict=True)
    tiles = [_tile(*part, side_px=side_px) for part in parts]
    rows = [tiles[start : start + num_columns] for start in range(0, len(tiles), num_columns)]
    heights_px = [_image_height(row) + _caption_height(row) + _GAP_PX for row in rows]
    tops_px = [_GAP_PX + sum(heights_px[:index]) for index in range(len(rows))]
    with drawing.own_style():
        axes = _sheet(num_columns * (side_px + _GAP_PX) + _GAP_PX, sum(heights_px) + _GAP_PX)
        for row, top in zip(rows, tops_px, strict=True):
            for column, tile in enumerate(row):
                centre = _GAP_PX + column * (side_px + _GAP_PX) + side_px / 2
                _draw(axes, tile, centre, bottom=top + _image_height(row))
        return drawing.png(axes.get_figure(root=True))


def check(images: "Sequence[Image]", captions: Sequence[str], wrong: Sequence[bool]) -> None:
    """Refuses what is no image, and another number of captions or marks than of images."""
    import numpy as np

    if not images:
        raise RequestError("Expected `images` to hold at least one. Received: none.")
    for index, image in enumerate(images):
        expected = f"`images[{index}]` to be a uint8 array (H, W, 1) or (H, W, 3)"
        if not isinstance(image, np.ndarray):
            raise RequestError(received(expected, type=type(image).__name__))
        shape, dtype = image.shape, str(image.dtype)
        if dtype != "uint8" or len(shape) != 3 or shape[2] not in (1, 3) or not image.size:
            raise RequestError(received(expected, shape=shape, dtype=dtype))
    for name, values in (("captions", captions), ("wrong", wrong)):
        if len(values) != len(images):
            expected = f"`{name}` to have one entry per image, {len(images)}"
            raise RequestError(received(expected, entries=len(values)))


def _tile(image: "Image", caption: str, wrong: bool, *, side_px: float) -> _Tile:
    from rich.cells import cell_len

    text = drawing.drawable(f"✗ {caption}" if wrong else caption)
    places = cell_len(text) / len(text) if text else 1  # a Chinese character takes two
    num_letters = int(side_px / _LETTER_PX / max(1, places))
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, num_letters) or [""]]
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    return _Tile(image, lines, wrong, width * scale, height * scale)


def _image_height(row: Sequence[_Tile]) -> float:
    return max(tile.height_px for tile in row)


def _caption_height(row: Sequence[_Tile]) -> float:
    return max(len(tile.lines) for tile in row) * _LINE_PX + 6


def _sheet(width_px: float, height_px: float) -> "Axes":
    axes = drawing.canvas(width_px, height_px).add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width_px), ylim=(height_px, 0), autoscale_on=False)
    return axes


def _draw(axes: "Axes", tile: _Tile, centre: float, *, bottom: float) -> None:
    from matplotlib.patches import Rectangle

    # Images of different heights stand on one line, just above their captions.
    left, upper = centre - tile.width_px / 2, bottom - tile.height_px
    extent = (left, left + tile.width_px, bottom, upper)
    image = tile.image[..., 0] if tile.image.shape[2] == 1 else tile.image
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
    frame = Rectangle(
        (left, upper),
        tile.width_px,
        tile.height_px,
        fill=False,
        edgecolor=drawing.RED if tile.wrong else drawing.RULE,
        linewidth=drawing.points(3 if tile.wrong else 1),
    )
    axes.add_patch(frame)
    axes.text(
        centre,
        bottom + 6,
        "\n".join(tile.lines),
        horizontalalignment="center",
        verticalalignment="top",
        fontsize=drawing.points(11),
        color=drawing.RED if tile.wrong else drawing.INK,
    )
