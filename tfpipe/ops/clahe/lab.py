"""8-bit RGB to 8-bit CIE L*a*b* and back, all integers and tables, as `cv2.cvtColor` computes it.

Equal to OpenCV for all 2**24 colours in both directions. The tables follow OpenCV's color_lab.cpp:
sRGB's transfer curve and CIE's cube root, D65 white, in fixed point.
"""

from typing import Any

import numpy as np
import tensorflow as tf

WHITE = np.array([0.950456, 1.0, 1.088754])  # D65
RGB_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
XYZ_TO_RGB = np.array(
    [
        [3.240479, -1.53715, -0.498535],
        [-0.969256, 1.875991, 0.041556],
        [0.055648, -0.204043, 1.057311],
    ]
)
LINEAR = 2040  # white in linear light: 255 * 8
ROOT = 2**15  # 1 in the table of cube roots
BASE = 2**14  # 1 in the tables of the way back
LOWEST = -8145  # the first index of the table of cubes


def to_lab(rgb: Any) -> list[Any]:
    """uint8 (..., 3) to L, a and b, each uint8 (...).

    >>> [int(plane) for plane in to_lab(tf.constant([255, 0, 0], tf.uint8))]
    [136, 208, 195]
    """
    linear = [tf.gather(_LINEAR_OF, plane) for plane in _planes(rgb)]
    x, y, z = (tf.gather(_ROOT_OF, _shifted(_dot(row, linear), 12)) for row in _TO_XYZ)
    lightness = _shifted(296 * y - 1336934, 15)
    a = _shifted(500 * (x - y) + 128 * ROOT, 15)
    b = _shifted(200 * (y - z) + 128 * ROOT, 15)
    return [tf.cast(tf.clip_by_value(plane, 0, 255), tf.uint8) for plane in (lightness, a, b)]


def to_rgb(lightness: Any, a: Any, b: Any) -> Any:
    """L, a and b, each uint8 (...), to uint8 (..., 3).

    >>> to_rgb(*(tf.constant(plane, tf.uint8) for plane in (136, 208, 195))).numpy()
    array([255,   2,   1], dtype=uint8)
    """
    lightness, a, b = (tf.cast(plane, tf.int32) for plane in (lightness, a, b))
    root = tf.gather(_ROOT_OF_L, lightness)
    # a / 500 and b / 200 in fixed point, with the constants that OpenCV took for them.
    x = tf.gather(_CUBE_OF, root + (a * 268435 + 128) // 2**13 - 4194 - LOWEST)
    z = tf.gather(_CUBE_OF, root - (b * 41943 + 16) // 2**9 + 10484 - LOWEST)
    y = tf.gather(_Y_OF_L, lightness)
    linear = [tf.clip_by_value(_shifted(_dot(row, (x, y, z)), 14), 0, 4095) for row in _TO_RGB]
    return tf.cast(tf.stack([tf.gather(_GAMMA_OF, plane) for plane in linear], axis=-1), tf.uint8)


def _planes(rgb: Any) -> list[Any]:
    return tf.unstack(tf.cast(rgb, tf.int32), num=3, axis=-1)


def _dot(weights: Any, planes: Any) -> Any:
    return sum(int(weight) * plane for weight, plane in zip(weights, planes, strict=True))


def _shifted(value: Any, bits: int) -> Any:
    """Divided by 2**bits and rounded, half up; tf2onnx's division of a negative value is C's."""
    return (value + 2 ** (bits - 1)) // 2**bits


def _integers(values: Any) -> Any:
    return np.rint(values).astype(np.int32)


def _linear_of() -> Any:
    """sRGB's grey levels to linear light, 0 to 2040 (IEC 61966-2-1)."""
    value = np.arange(256) / 255
    return _integers(
        LINEAR * np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    )


def _gamma_of() -> Any:
    """Linear light, 0 to 4095, to sRGB's grey levels."""
    value = np.arange(4096) / 4096
    return _integers(
        255 * np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
    )


def _root_of() -> Any:
    """CIE's f: the cube root, and a line where it would be too steep."""
    value = np.arange(LINEAR + 1) / LINEAR
    line = value * 841 / 108 + 16 / 116
    table = _integers(ROOT * np.where(value < 216 / 24389, line, np.cbrt(value)))
    # Within 0.0002 of a half; OpenCV's float32 falls on the other side.
    table[[49, 628]] += [-1, 1]
    return table


def _of_l() -> tuple[Any, Any]:
    """L, 0 to 255, to f(Y) and to Y."""
    value = np.arange(256)
    dark = value <= 20  # 8 of 100
    root = np.where(dark, 16 / 116 + value * 5 / (3 * 17 * 29), (value * 100 / 255 + 16) / 116)
    return _integers(BASE * root), _integers(
        BASE * np.where(dark, value * 180 / (17 * 29**3), root**3)
    )


def _cube_of() -> Any:
    """f to X or Z, in C's division, which drops the fraction."""
    value = np.arange(LOWEST, BASE * 9 // 4 + LOWEST).astype(np.int64)
    line = np.trunc(value * 108 / 841) - 290
    cube = value * value // BASE * value // BASE
    return np.where(value <= 3390, line, cube).astype(np.int32)


_LINEAR_OF, _GAMMA_OF, _ROOT_OF, _CUBE_OF = _linear_of(), _gamma_of(), _root_of(), _cube_of()
_ROOT_OF_L, _Y_OF_L = _of_l()
_TO_XYZ = _integers(4096 * RGB_TO_XYZ / WHITE[:, None])
_TO_RGB = _integers(4096 * XYZ_TO_RGB * WHITE)
