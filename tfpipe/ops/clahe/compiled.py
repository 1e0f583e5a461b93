"""CLAHE for the input pipeline: small functions that XLA compiles, for a few images at a time.

One function for all would be slower: XLA computes what is looked up anew for everyone who looks.
"""

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

PIXELS = 2**20  # at once: of fewer, XLA's threads get too little; of more, a core's cache


def compiled(planes: Any, tile_grid: Grid, clip_limit: float) -> Any:
    """uint8 (N, H, W) of a known size to the same, as `forms.plain` and faster."""
    count, height, width = planes.shape
    settings = (height, width, tile_grid, clip_limit)
    most = max(1, PIXELS // (height * width))
    if count is not None and count <= most:
        return _equalised(planes, settings)
    parts = tf.TensorArray(
        tf.uint8,
        -(-tf.shape(planes)[0] // most),
        element_shape=(None, height, width),
        infer_shape=False,
    )

    def add(index: Any, parts: Any) -> tuple[Any, Any]:
        few = planes[index * most : (index + 1) * most]
        return index + 1, parts.write(index, _equalised(few, settings))

    _, parts = tf.while_loop(
        lambda index, parts: index < parts.size(), add, (0, parts), parallel_iterations=1
    )
    return parts.concat()


def _equalised(planes: Any, settings: Settings) -> Any:
    # Flat: in any other shape, XLA would copy them before it counts.
    levels, zero = _levels(tf.reshape(_ids(planes, settings), [-1]), settings)
    return _blend(_look_up(planes, _tables(levels, settings[2]), settings), zero, settings)


@tf.function(jit_compile=True, autograph=False)
def _ids(planes: Any, settings: Settings) -> Any:
    known = geometry(*settings)
    return tile_ids(planes, known.rows, known.columns, settings[2])


@tf.function(jit_compile=True, autograph=False)
def _levels(ids: Any, settings: Settings) -> tuple[Any, Any]:
    known, (across, down) = geometry(*settings), settings[2]
    tiles = tf.size(ids) // known.area
    # XLA counts in half the time of DenseBincount's own kernel, which looks at much for each id.
    counts = tf.reshape(bincount(ids, tiles * LEVELS), (-1, across * down, LEVELS))
    by_products = known.area <= 2**24
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
