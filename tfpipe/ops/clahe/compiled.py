"""CLAHE for the input pipeline: small functions that XLA compiles, around the one that counts.

One function for all would be slower: XLA counts badly, and computes what is looked up anew for
everyone who looks.
"""

import os
from typing import Any

import tensorflow as tf

from tfpipe.ops.clahe import lab
from tfpipe.ops.clahe.blend import blend
from tfpipe.ops.clahe.forms import Grid, bincount
from tfpipe.ops.clahe.geometry import LEVELS, geometry
from tfpipe.ops.clahe.tables import (
    cell_ids,
    clipped_sums,
    corner_tables,
    cumulate,
    cumulate_by_products,
    grey_levels,
    run_time_zero,
    tile_ids,
)

Settings = tuple[int, int, Grid, float]  # what `geometry` takes


def compiled(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """uint8 (N, H, W) of a known size to the same, as `forms.plain` and faster."""
    _, height, width = planes.shape
    settings = (height, width, tile_grid, clip_limit)
    levels, zero = _levels(_counts(planes, settings), settings)
    return _blend(_look_up(planes, _tables(levels, tile_grid), settings), zero, settings)


def _counts(planes: Any, settings: Settings) -> Any:
    """Counts of grey levels, in any shape that holds them image by image, tile by tile."""
    height, width, (across, down), _ = settings
    bins = across * down * LEVELS
    together = _threads() * bins <= height * width
    ids = _ids(planes, settings, together)
    if together:
        return bincount(tf.reshape(ids, [-1]), tf.shape(planes)[0] * bins)
    return bincount(tf.reshape(ids, (-1, ids.shape[1] * ids.shape[2])), bins)


def _threads() -> int:
    """How many times DenseBincount makes all bins, for a vector of ids; for rows, once.

    A vector takes half as long as rows, where the pixels outnumber these bins.
    """
    return 1 + (tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1)


@tf.function(jit_compile=True, autograph=False)
def _ids(planes: Any, settings: Settings, together: bool) -> Any:
    known = geometry(*settings)
    return tile_ids(planes, known.rows, known.columns, settings[2], together=together)


@tf.function(jit_compile=True, autograph=False)
def _levels(counts: Any, settings: Settings) -> tuple[Any, Any]:
    known, (across, down) = geometry(*settings), settings[2]
    by_products = known.area <= 2**24
    counts = tf.reshape(counts, (-1, across * down, LEVELS))
    sums = clipped_sums(counts, known.limit, cumulate_by_products if by_products else cumulate)
    return grey_levels(sums, known.scale), run_time_zero(sums, known)


@tf.function(jit_compile=True, autograph=False)
def _tables(levels: Any, tile_grid: Grid) -> Any:
    """The tables of the four tiles around each cell, a byte each of an int32."""
    corners = corner_tables(levels, tile_grid)
    # In this shape, not flat: for a flat one, XLA divides to find out where each number lies.
    return sum(tf.bitwise.left_shift(corner, 8 * k) for k, corner in enumerate(corners))


@tf.function(jit_compile=True, autograph=False)
def _look_up(planes: Any, tables: Any, settings: Settings) -> Any:
    known = geometry(*settings)
    ids = cell_ids(planes, known.rows, known.columns, settings[2])
    return tf.gather(tf.reshape(tables, [-1]), ids)


@tf.function(jit_compile=True, autograph=False)
def _blend(looked_up: Any, zero: Any, settings: Settings) -> Any:
    known = geometry(*settings)
    corners = [tf.bitwise.right_shift(looked_up, 8 * k) & 255 for k in range(4)]
    blended = blend(corners, known.rows, known.columns, zero)
    # 3 * 2**22 leaves no bits for a fraction, so the sum is rounded, half to even; the result is
    # its lowest byte. tf.round and a cast take twice as long.
    return tf.cast(tf.bitcast(blended + 3 * 2.0**22, tf.int32) & 255, tf.uint8)


to_lab = tf.function(lab.to_lab, jit_compile=True, autograph=False)
to_rgb = tf.function(lab.to_rgb, jit_compile=True, autograph=False)
