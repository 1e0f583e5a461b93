"""CLAHE on grey planes, uint8 (N, H, W) to the same, in the operators of each runtime.

All forms give the same bits; they differ in what is fast, and in what a runtime has.
"""

from typing import Any

import tensorflow as tf

from tfpipe.ops.clahe.blend import float_blend, integer_blend, integer_levels
from tfpipe.ops.clahe.geometry import LEVELS, Geometry, geometry
from tfpipe.ops.clahe.tables import (
    cell_ids,
    clipped_sums,
    corner_tables,
    float_levels,
    run_time_zero,
    tile_ids,
)

Grid = tuple[int, int]


def plain(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """TensorFlow's own operators, one by one: for sizes that are unknown or change, and files."""
    return _floats(planes, tile_grid, clip_limit, bincount)


def onnx(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """What tf2onnx converts right: `tf.scatter_nd` would lose all but one pixel of a level."""

    def count(ids: Any, size: Any) -> Any:
        return tf.tensor_scatter_nd_add(tf.zeros([size], tf.int32), ids[:, None], _ones(ids))

    return _floats(planes, tile_grid, clip_limit, count)


def tflite(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """TFLite's builtin operators, in integers, so that int8 conversion leaves them alone."""
    known = _geometry(planes, tile_grid, clip_limit)

    def count(ids: Any, size: Any) -> Any:
        return tf.scatter_nd(ids[:, None], _ones(ids), [size])

    sums = _sums(planes, known, tile_grid, count)
    corners = _look_up(planes, integer_levels(sums, known.scale), known, tile_grid)
    return integer_blend(corners, known.rows, known.columns)


def _floats(planes: Any, tile_grid: Grid, clip_limit: float, count: Any) -> Any:
    found = _geometry(planes, tile_grid, clip_limit)
    sums = _sums(planes, found, tile_grid, count)
    corners = _look_up(planes, float_levels(sums, found.scale), found, tile_grid)
    return float_blend(corners, found.rows, found.columns, run_time_zero(sums, found))


def _geometry(planes: Any, tile_grid: Grid, clip_limit: float) -> Geometry:
    height, width = (planes.shape[axis] or tf.shape(planes)[axis] for axis in (1, 2))
    return geometry(height, width, tile_grid, clip_limit)


def bincount(ids: Any, size: Any) -> Any:
    """How often each id from 0 to size - 1 comes, int32 (size,)."""
    # Not tf.math.bincount, which looks for the largest id first.
    none = tf.constant([], tf.int32)
    return tf.raw_ops.DenseBincount(input=ids, size=size, weights=none, binary_output=False)


def _ones(ids: Any) -> Any:
    """As many ones; computed, because converters would store tf.ones in the file."""
    return tf.cast(ids >= 0, tf.int32)


def _sums(planes: Any, found: Geometry, tile_grid: Grid, count: Any) -> Any:
    tiles = tile_grid[0] * tile_grid[1]
    ids = tile_ids(planes, found.rows, found.columns, tile_grid)
    counts = count(tf.reshape(ids, [-1]), tf.shape(planes)[0] * (tiles * LEVELS))
    return clipped_sums(tf.reshape(counts, (-1, tiles, LEVELS)), found.limit)


def _look_up(planes: Any, levels: Any, found: Geometry, tile_grid: Grid) -> list[Any]:
    """Four uint8 (N, H, W), in one gather of rows of four."""
    tables = tf.stack(corner_tables(tf.cast(levels, tf.uint8), tile_grid), axis=-1)
    ids = cell_ids(planes, found.rows, found.columns, tile_grid)
    return tf.unstack(tf.gather(tf.reshape(tables, (-1, 4)), ids), axis=-1)
