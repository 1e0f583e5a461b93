"""CLAHE on grey planes, uint8 (N, H, W) to the same, in the operators of each runtime.

All forms give the same bits; they differ in what is fast, and in what a runtime has.
"""

from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from tfpipe.ops.clahe.blend import blend
from tfpipe.ops.clahe.geometry import LEVELS, Geometry, geometry
from tfpipe.ops.clahe.tables import (
    cell_ids,
    clipped_sums,
    corner_tables,
    grey_levels,
    padded,
    run_time_zero,
    tile_ids,
)

Grid = tuple[int, int]


def plain(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """TensorFlow's own operators, one by one: for sizes that are unknown or change, and files."""
    found = _geometry(planes, tile_grid, clip_limit)
    bins = tile_grid[0] * tile_grid[1] * LEVELS
    ids = tile_ids(planes, found.rows, found.columns, tile_grid, together=False)
    count, height, width = tf.unstack(tf.shape(ids))
    counts = bincount(tf.reshape(ids, [count, height * width]), bins)
    return _floats(planes, found, tile_grid, tf.reshape(counts, (-1, bins // LEVELS, LEVELS)))


def onnx(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """What tf2onnx converts, and ONNX Runtime computes, right.

    `tf.scatter_nd` would lose all but one pixel of a level in the conversion, and of
    `tf.tensor_scatter_nd_add`, which converts, ONNX Runtime's threads lose some in larger images.
    """
    known = _geometry(planes, tile_grid, clip_limit)
    return _floats(planes, known, tile_grid, _by_nibble(planes, known, tile_grid))


def tflite(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """TFLite's builtin operators."""
    known = _geometry(planes, tile_grid, clip_limit)
    bins = tile_grid[0] * tile_grid[1] * LEVELS
    ids = tf.reshape(tile_ids(planes, known.rows, known.columns, tile_grid), [-1, 1])
    # Ones that are computed: converters would store an image of tf.ones in the file.
    ones = tf.cast(ids[:, 0] >= 0, tf.int32)
    counts = tf.scatter_nd(ids, ones, [tf.shape(planes)[0] * bins])
    return _floats(planes, known, tile_grid, tf.reshape(counts, (-1, bins // LEVELS, LEVELS)))


def bincount(ids: Any, size: Any) -> Any:
    """How often each id below `size` comes, int32: (n,) to (size,), or each row of (N, n)."""
    # Not tf.math.bincount, which looks for the largest id first.
    none = tf.constant([], tf.int32)
    return tf.raw_ops.DenseBincount(input=ids, size=size, weights=none, binary_output=False)


def _geometry(planes: Any, tile_grid: Grid, clip_limit: float) -> Geometry:
    height, width = (planes.shape[axis] or tf.shape(planes)[axis] for axis in (1, 2))
    return geometry(height, width, tile_grid, clip_limit)


def _by_nibble(planes: Any, known: Geometry, tile_grid: Grid) -> Any:
    """Counts of grey levels, int32 (N, tiles, 256), from one product of matrices per tile.

    The rows are the high four bits, the columns the low four.
    """
    across, down = tile_grid
    pixels = padded(planes, known.rows, known.columns)
    height, width = pixels.shape[1] // down, pixels.shape[2] // across
    split = tf.reshape(pixels, (-1, down, height, across, width))
    tiles = tf.transpose(split, (0, 1, 3, 2, 4))
    tiles = tf.cast(tf.reshape(tiles, (-1, across * down, height * width)), tf.int32)
    one_hot = np.eye(16, dtype=np.float32)
    high = tiles // 16
    high, low = tf.gather(one_hot, high), tf.gather(one_hot, tiles - 16 * high)
    counts = tf.matmul(high, low, transpose_a=True)
    return tf.reshape(tf.cast(counts, tf.int32), (-1, across * down, LEVELS))


def opencv(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """OpenCV itself, one call of Python for a batch, in the thread that calls."""
    cv2.setNumThreads(0)  # its threads and those of tf.data would wait for each other

    def equalise(planes: Any) -> Any:
        clahe = cv2.createCLAHE(clip_limit, tile_grid)  # not shared: it has buffers of its own
        equalised = np.empty_like(planes)
        for plane, place in zip(planes, equalised, strict=True):
            clahe.apply(plane, place)
        return equalised

    return tf.numpy_function(equalise, [planes], tf.uint8, stateful=False)


def _floats(planes: Any, found: Geometry, tile_grid: Grid, counts: Any) -> Any:
    sums = clipped_sums(counts, found.limit)
    corners = _look_up(planes, grey_levels(sums, found.scale), found, tile_grid)
    blended = blend(corners, found.rows, found.columns, run_time_zero(sums, found))
    return tf.cast(tf.round(blended), tf.uint8)


def _look_up(planes: Any, levels: Any, found: Geometry, tile_grid: Grid) -> list[Any]:
    """Four uint8 (N, H, W), in one gather of rows of four."""
    tables = tf.stack(corner_tables(tf.cast(levels, tf.uint8), tile_grid), axis=-1)
    ids = cell_ids(planes, found.rows, found.columns, tile_grid)
    return tf.unstack(tf.gather(tf.reshape(tables, (-1, 4)), ids), axis=-1)
