"""Mixes the four tables around each pixel, with every rounding of OpenCV's float32 arithmetic."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.ops.clahe.geometry import Axis

ONE = 2**24  # weights are multiples of 2**-24, so this many of them are 1


def float_blend(corners: list[Any], rows: Axis, columns: Axis, zero: Any) -> Any:
    """Four uint8 or int32 (N, H, W), as `tables.CORNERS` orders them, to float32, not yet rounded.

    Args:
        corners: the grey levels that the four tables give.
        rows: the axis of the rows.
        columns: the axis of the columns.
        zero: `tables.run_time_zero`; see there.
    """

    def mix(earlier: Any, later: Any, weight: Any) -> Any:
        return (tf.cast(earlier, tf.float32) * (1 - weight) + zero) + (
            tf.cast(later, tf.float32) * weight + zero
        )

    across = columns.weight
    down = rows.weight[:, None]
    top = mix(corners[0], corners[1], across)
    with tf.control_dependencies([top]):  # one after the other: both at once take more memory
        bottom = mix(corners[2], corners[3], across)
    return mix(top, bottom, down)


def integer_blend(corners: list[Any], rows: Axis, columns: Axis) -> Any:
    """`float_blend`, rounded to uint8, without what an int8 conversion would quantise.

    A float32 product is the integer product, rounded to 24 bits; so is a sum. int64 holds both
    exactly, and the cast to float32 rounds as the processor's multiplication does.
    """

    def mix(earlier: Any, later: Any, weight: Any) -> Any:
        return rounded(rounded(earlier * (ONE - weight)) + rounded(later * weight))

    across, down = (
        np.rint(axis.weight * np.float64(ONE)).astype(np.int64) for axis in (columns, rows)
    )
    levels = [tf.cast(corner, tf.int64) for corner in corners]
    top = mix(levels[0], levels[1], across)
    bottom = mix(levels[2], levels[3], across)
    return tf.cast(scaled(mix(top, bottom, down[:, None]), -48), tf.uint8)


def integer_levels(sums: Any, scale: np.float32) -> Any:
    """`tables.float_levels` in integers, for the same reason."""
    mantissa, exponent = np.frexp(scale)
    product = rounded(tf.cast(sums, tf.int64)) * int(mantissa * ONE)
    return tf.cast(scaled(product, int(exponent) - 24), tf.int32)


def rounded(value: Any) -> Any:
    """int64 to the nearest int64 that a float32 can hold, half to even.

    >>> int(rounded(tf.constant(2**24 + 1, tf.int64))) == 2**24
    True
    """
    return tf.cast(tf.cast(value, tf.float32), tf.int64)


def scaled(value: Any, exponent: int) -> Any:
    """int64 to float32: value * 2**exponent, rounded to an integer half to even.

    The exponent is added to the float's own: converters turn a product into a quantised one.

    >>> scaled(tf.constant([0, 5, 6, 7], tf.int64), -2).numpy()
    array([0., 1., 2., 2.], dtype=float32)
    """
    bits = tf.bitcast(tf.cast(value, tf.float32), tf.int32) + exponent * 2**23
    return tf.round(tf.bitcast(tf.maximum(bits, 0), tf.float32))
