"""Mixes the four tables around each pixel, with every rounding of OpenCV's float32 arithmetic."""

from typing import Any

import tensorflow as tf

from tfpipe.ops.clahe.geometry import Axis


def blend(corners: list[Any], rows: Axis, columns: Axis, zero: Any) -> Any:
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
