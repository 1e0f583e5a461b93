"""From counts of grey levels to one lookup table per tile, and to one per cell between tiles."""

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


def tile_ids(planes: Any, rows: Axis, columns: Axis, tile_grid: tuple[int, int]) -> Any:
    """uint8 (N, H, W) to int32 (N, padded H, padded W): tile * 256 + grey level, image by image."""
    across, down = tile_grid
    return _ids(padded(planes, rows, columns), rows.tile, columns.tile, across, across * down)


def cell_ids(planes: Any, rows: Axis, columns: Axis, tile_grid: tuple[int, int]) -> Any:
    """uint8 (N, H, W) to int32 (N, H, W): cell * 256 + grey level, image by image."""
    across, down = tile_grid[0] + 1, tile_grid[1] + 1
    return _ids(planes, rows.cell, columns.cell, across, across * down)


def _ids(planes: Any, rows: Any, columns: Any, across: int, in_all: int) -> Any:
    image = tf.range(tf.shape(planes)[0]) * (in_all * LEVELS)
    # The maximum changes nothing; without it converters join both sums, and store an image of ids.
    ids = tf.maximum(tf.cast(planes, tf.int32) + columns * LEVELS, 0)
    return ids + ((rows * (across * LEVELS))[:, None] + image[:, None, None])


def clipped_sums(counts: Any, limit: Any) -> Any:
    """Cumulative counts, int32 (..., 256), after what exceeds the limit was spread over all levels.

    As OpenCV spreads it: evenly, and of the rest one to every `step`-th level.
    """
    level = np.arange(LEVELS, dtype=np.int32)
    excess = tf.reduce_sum(tf.maximum(counts - limit, 0), axis=-1, keepdims=True)
    share = excess // LEVELS
    rest = excess - share * LEVELS
    step = LEVELS // tf.maximum(rest, 1)
    # level // step without a division for each level; exact for all 256.
    steps = level * (65535 // step + 1) // 65536
    spread = share * (level + 1) + tf.minimum(steps + 1, rest)
    return tf.cumsum(tf.minimum(counts, limit), axis=-1) + spread


def float_levels(sums: Any, scale: Any) -> Any:
    """Cumulative counts to grey levels, int32: the product in float32, rounded half to even."""
    return tf.cast(tf.round(tf.cast(sums, tf.float32) * scale), tf.int32)


def run_time_zero(sums: Any, geometry: Geometry) -> Any:
    """A float32 0 that no compiler can foresee, (N, 1, 1), from cumulative counts (N, tiles, 256).

    All pixels of a tile are counted, and spreading loses none. Added to a product, it keeps
    compilers from contracting the product with what comes after it.
    """
    return tf.cast(sums[:, :1, -1:] - geometry.area, tf.float32)


def corner_tables(levels: Any, tile_grid: tuple[int, int]) -> list[Any]:
    """(N, tiles, 256) to four of (N * cells, 256): the tables of the tiles around each cell."""
    across, down = tile_grid
    images = tf.range(tf.shape(levels)[0]) * (across * down)
    tables = tf.reshape(levels, (-1, LEVELS))
    corners = []
    for later_row, later_column in CORNERS:
        row = np.clip(np.arange(down + 1) - 1 + later_row, 0, down - 1)
        column = np.clip(np.arange(across + 1) - 1 + later_column, 0, across - 1)
        tiles = (row[:, None] * across + column).astype(np.int32).reshape(-1)
        corners.append(tf.gather(tables, tf.reshape(images[:, None] + tiles, [-1])))
    return corners
