"""From counts of grey levels to one lookup table per tile, and to one per cell between tiles."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.ops.clahe.geometry import LEVELS, Axis, Geometry

CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # of a cell: (row, column), the earlier tile is 0


def padded(planes: Any, rows: Axis, columns: Axis) -> Any:
    """uint8 (N, H, W) to (N, padded H, padded W), the size that the grid divides."""
    size = (rows.source.shape[0], columns.source.shape[0])
    if None not in size and tuple(planes.shape[1:]) == size:
        return planes
    return tf.gather(tf.gather(planes, rows.source, axis=1), columns.source, axis=2)


def tile_ids(
    planes: Any, rows: Axis, columns: Axis, tile_grid: tuple[int, int], *, together: bool = True
) -> Any:
    """uint8 (N, H, W) to int32 (N, padded H, padded W): tile * 256 + grey level.

    Args:
        planes: the images.
        rows: the axis of the rows.
        columns: the axis of the columns.
        tile_grid: (columns, rows) of tiles.
        together: the tiles are numbered through all images, not anew in each.
    """
    ids = _ids(padded(planes, rows, columns), rows.tile, columns.tile, tile_grid[0])
    return ids + _first(planes, tile_grid[0] * tile_grid[1]) if together else ids


def cell_ids(planes: Any, rows: Axis, columns: Axis, tile_grid: tuple[int, int]) -> Any:
    """uint8 (N, H, W) to int32 (N, H, W): cell * 256 + grey level, through all images."""
    across, down = tile_grid[0] + 1, tile_grid[1] + 1
    return _ids(planes, rows.cell, columns.cell, across) + _first(planes, across * down)


def _ids(planes: Any, rows: Any, columns: Any, across: int) -> Any:
    # The maximum changes nothing; without it converters join both sums, and store an image of ids.
    ids = tf.maximum(tf.cast(planes, tf.int32) + columns * LEVELS, 0)
    return ids + (rows * (across * LEVELS))[:, None]


def _first(planes: Any, in_an_image: int) -> Any:
    """The first id of each image, (N, 1, 1)."""
    return (tf.range(tf.shape(planes)[0]) * (in_an_image * LEVELS))[:, None, None]


def cumulate(counts: Any) -> Any:
    """Sums over the levels up to each."""
    return tf.cumsum(counts, axis=-1)


def cumulate_by_products(counts: Any) -> Any:
    """The sums by 16 levels, and before each 16, as products: XLA computes these in half the time.

    float32 counts exactly up to 2**24 pixels of a tile.
    """
    upper = np.triu(np.ones((16, 16), np.float32))
    sixteens = tf.matmul(tf.reshape(tf.cast(counts, tf.float32), (-1, 16)), upper)
    sixteens = tf.reshape(sixteens, (-1, 16, 16))
    before = tf.matmul(sixteens[:, :, -1], upper - np.eye(16, dtype=np.float32))
    return tf.reshape(tf.cast(sixteens + before[:, :, None], tf.int32), tf.shape(counts))


def clipped_sums(counts: Any, limit: Any, sums: Callable[[Any], Any] = cumulate) -> Any:
    """Cumulative counts, int32 (N, tiles, 256), after what exceeds the limit was spread.

    As OpenCV spreads it over the levels: evenly, and of the rest one to every `step`-th.
    """
    level = np.arange(LEVELS, dtype=np.int32)
    excess = tf.reduce_sum(tf.maximum(counts - limit, 0), axis=-1, keepdims=True)
    share = excess // LEVELS
    rest = excess - share * LEVELS
    step = LEVELS // tf.maximum(rest, 1)
    # level // step without a division for each level; exact for all 256.
    steps = level * (65535 // step + 1) // 65536
    spread = share * (level + 1) + tf.minimum(steps + 1, rest)
    return sums(tf.minimum(counts, limit)) + spread


def grey_levels(sums: Any, scale: Any) -> Any:
    """Cumulative counts to grey levels, int32: the product in float32, rounded half to even."""
    return tf.cast(tf.round(tf.cast(sums, tf.float32) * scale), tf.int32)


def run_time_zero(sums: Any, geometry: Geometry) -> Any:
    """A float32 0 that no compiler can foresee, (N, 1, 1), from cumulative counts (N, tiles, 256).

    All pixels of a tile are counted, and spreading loses none. Added to a product, it keeps
    compilers from contracting the product with what comes after it.
    """
    return tf.cast(sums[:, :1, -1:] - geometry.area, tf.float32)


def corner_tables(levels: Any, tile_grid: tuple[int, int]) -> list[Any]:
    """(N, tiles, 256) to four of (N, cells, 256): the tables of the tiles around each cell."""
    across, down = tile_grid
    corners = []
    for later_row, later_column in CORNERS:
        row = np.clip(np.arange(down + 1) - 1 + later_row, 0, down - 1)
        column = np.clip(np.arange(across + 1) - 1 + later_column, 0, across - 1)
        tiles = (row[:, None] * across + column).astype(np.int32).reshape(-1)
        corners.append(tf.gather(levels, tiles, axis=1))
    return corners
