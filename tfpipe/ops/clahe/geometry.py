"""Where CLAHE's tiles lie, and between which of them, and how far, each pixel does.

As OpenCV's clahe.cpp places them, in float32 where it computes in float32.
"""

import functools
from typing import Any, NamedTuple

import tensorflow as tf

LEVELS = 256


class Axis(NamedTuple):
    """One axis, rows or columns: tensors, or NumPy arrays where the size is known.

    Attributes:
        source: int32 (tiles * tile_px,), the pixel that each place of the padded axis repeats.
        tile: int32 (tiles * tile_px,), the tile of each place.
        cell: int32 (size,), 0 before the centre of the first tile, `tiles` after that of the last.
        weight: float32 (size,), how far each pixel is from the earlier tile to the later, 0 to 1.
    """

    source: Any
    tile: Any
    cell: Any
    weight: Any


class Geometry(NamedTuple):
    """Both axes, and what follows from a tile's area.

    Attributes:
        rows: the axis of the rows.
        columns: the axis of the columns.
        area: int32, pixels of a tile.
        limit: int32, the most that a tile may count of one grey level; `area` clips nothing.
        scale: float32, from a number of pixels to a grey level.
    """

    rows: Axis
    columns: Axis
    area: Any
    limit: Any
    scale: Any


def geometry(height: Any, width: Any, tile_grid: tuple[int, int], clip_limit: float) -> Geometry:
    """The geometry of images of one size: NumPy where it is given in ints, else tensors.

    >>> geometry(6, 8, (2, 1), 0.0).columns.cell
    array([0, 0, 1, 1, 1, 1, 2, 2], dtype=int32)
    """
    if isinstance(height, int) and isinstance(width, int):
        return _known(height, width, tile_grid, clip_limit)
    return _geometry(height, width, tile_grid, clip_limit)


@functools.lru_cache(maxsize=32)
def _known(height: int, width: int, tile_grid: tuple[int, int], clip_limit: float) -> Geometry:
    # Computed at once, not in the graph that is being traced: there, compilers would contract
    # the product and the difference of the weights into one operation that rounds once.
    with tf.init_scope(), tf.device("CPU"):
        known = _geometry(tf.constant(height), tf.constant(width), tile_grid, clip_limit)
        return tf.nest.map_structure(lambda value: value.numpy(), known)


def _geometry(
    height: tf.Tensor, width: tf.Tensor, tile_grid: tuple[int, int], clip_limit: float
) -> Geometry:
    columns, rows = tile_grid
    even = (height % rows == 0) & (width % columns == 0)
    row_axis, row_px = _axis(height, rows, even)
    column_axis, column_px = _axis(width, columns, even)
    area = row_px * column_px
    scale = tf.constant(LEVELS - 1, tf.float32) / tf.cast(area, tf.float32)
    return Geometry(row_axis, column_axis, area, _limit(clip_limit, area), scale)


def _axis(size: tf.Tensor, tiles: int, even: tf.Tensor) -> tuple[Axis, tf.Tensor]:
    # An axis that the grid divides is padded too, by a whole grid, where the other is not divided.
    padded = tf.where(even, size, size + tiles - size % tiles)
    tile_px = padded // tiles
    places = tf.range(padded)
    # Reflected at the outermost pixel (OpenCV's REFLECT_101), as often as it takes.
    bounce = places % tf.maximum(2 * (size - 1), 1)
    source = tf.minimum(bounce, tf.maximum(2 * (size - 1) - bounce, 0))
    inverse = tf.constant(1.0) / tf.cast(tile_px, tf.float32)
    position = tf.cast(tf.range(size), tf.float32) * inverse - 0.5
    earlier = tf.floor(position)
    cell = tf.cast(earlier, tf.int32) + 1
    return Axis(source, places // tile_px, cell, position - earlier), tile_px


def _limit(clip_limit: float, area: tf.Tensor) -> tf.Tensor:
    if clip_limit <= 0:
        return area
    limit = tf.constant(clip_limit, tf.float64) * tf.cast(area, tf.float64) / LEVELS
    # OpenCV casts what an int cannot hold to the smallest int, and takes 1 instead.
    limit = tf.where(limit < 2.0**31, limit, 1.0)
    return tf.maximum(tf.cast(limit, tf.int32), 1)
