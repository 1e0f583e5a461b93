"""CLAHE for the input pipeline: small functions that XLA compiles, around the one that counts.

One function for all would be slower: XLA counts badly, and would compute a table anew for every
pixel that looks it up.
"""

from typing import Any

import tensorflow as tf

from tfpipe.ops.clahe import lab
from tfpipe.ops.clahe.blend import float_blend
from tfpipe.ops.clahe.forms import Grid, bincount
from tfpipe.ops.clahe.geometry import LEVELS, Axis, Geometry, geometry
from tfpipe.ops.clahe.tables import (
    cell_ids,
    clipped_sums,
    corner_tables,
    float_levels,
    run_time_zero,
    tile_ids,
)


def compiled(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """uint8 (N, H, W) of a known size to the same, as `forms.plain` and faster."""
    _, height, width = planes.shape
    known = geometry(height, width, tile_grid, clip_limit)
    size = tf.shape(planes)[0] * (tile_grid[0] * tile_grid[1] * LEVELS)
    counts = bincount(_ids(planes, known.rows, known.columns, tile_grid), size)
    tables, zero = _tables(counts, known, tile_grid)
    looked_up = _look_up(planes, tables, known.rows, known.columns, tile_grid)
    return _blend(looked_up, known.rows, known.columns, zero)


@tf.function(jit_compile=True, autograph=False)
def _ids(planes: Any, rows: Axis, columns: Axis, tile_grid: Grid) -> Any:
    return tf.reshape(tile_ids(planes, rows, columns, tile_grid), [-1])


@tf.function(jit_compile=True, autograph=False)
def _tables(counts: Any, known: Geometry, tile_grid: Grid) -> tuple[Any, Any]:
    """The tables of the four tiles around each cell, a byte each of an int32."""
    counts = tf.reshape(counts, (-1, tile_grid[0] * tile_grid[1], LEVELS))
    sums = clipped_sums(counts, known.limit)
    corners = corner_tables(float_levels(sums, known.scale), tile_grid)
    packed = sum(tf.bitwise.left_shift(corner, 8 * k) for k, corner in enumerate(corners))
    return tf.reshape(packed, [-1]), run_time_zero(sums, known)


@tf.function(jit_compile=True, autograph=False)
def _look_up(planes: Any, tables: Any, rows: Axis, columns: Axis, tile_grid: Grid) -> Any:
    return tf.gather(tables, cell_ids(planes, rows, columns, tile_grid))


@tf.function(jit_compile=True, autograph=False)
def _blend(looked_up: Any, rows: Axis, columns: Axis, zero: Any) -> Any:
    corners = [tf.bitwise.right_shift(looked_up, 8 * k) & 255 for k in range(4)]
    return float_blend(corners, rows, columns, zero)


to_lab = tf.function(lab.to_lab, jit_compile=True, autograph=False)
to_rgb = tf.function(lab.to_rgb, jit_compile=True, autograph=False)
