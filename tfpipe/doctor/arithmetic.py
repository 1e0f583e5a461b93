"""Whether TensorFlow computes right here, and in which precision it is the quickest.

Example:

    gradient(), precision()         # each a Finding; in a process of TensorFlow's
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfpipe.doctor.finding import GOOD, WRONG, Finding

REINSTALL = "Install TensorFlow again: python -m pip install --force-reinstall tensorflow=={}"
DTYPES = ("float32", "float16", "bfloat16")
PAYS = 1.2  # times as fast, in both products: less is lost in casts
TURNS = 15
# Of a product of positive numbers: bfloat16 has 8 bits, and so a relative error of 2**-8 each.
TOLERANCE = 0.02


def gradient() -> Finding:
    """d/dx of x^3 + 2x + 1 at 2, which is 14, on every device, plain and compiled.

    >>> gradient().state
    'good'
    """
    devices = [device.name.split("device:")[-1] for device in tf.config.list_logical_devices()]
    found = {device: _slopes(device) for device in devices if device.startswith(("CPU", "GPU"))}
    wrong = {device: slopes for device, slopes in found.items() if set(slopes) != {14.0}}
    if wrong:
        said = f"d/dx of x^3 + 2x + 1 at 2 is not 14: {wrong}"
        return Finding("gradient", WRONG, said, REINSTALL.format(tf.__version__))
    where = ", ".join(found)
    right = f"d/dx of x^3 + 2x + 1 at 2 is 14 on {where}, plain and in a graph"
    return Finding("gradient", GOOD, right)


def _slopes(device: str) -> tuple[float, float]:
    def slope(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3 + 2 * x + 1
        return tape.gradient(y, x)

    with tf.device(device):
        x = tf.constant(2.0)
        return float(slope(x)), float(tf.function(slope)(x))


def precision() -> Finding:
    """Times a product of matrices and a convolution in float32, float16 and bfloat16."""
    scale = 8 if tf.config.list_physical_devices("GPU") else 1
    runs = {"matmul": _matmul(512 * scale), "convolution": _convolution(32, 8 * scale)}
    seconds = {kind: _take_turns(products) for kind, products in runs.items()}
    headings = ("", *(each for kind in runs for each in (f"{kind}, ms", "gain")))
    rows = [headings, *(_row(dtype, list(seconds.values())) for dtype in DTYPES)]
    off = [f"{kind} in {d}" for kind, products in runs.items() for d in _off(products)]
    if off:
        said = f"the results are not those of float32: {', '.join(off)}"
        return Finding("precision", WRONG, said, REINSTALL.format(tf.__version__), tuple(rows))
    return Finding("precision", GOOD, verdict(seconds), rows=tuple(rows))


def verdict(seconds: dict[str, dict[str, float]]) -> str:
    """What the times mean for `train.distribute(precision=...)`.

    Args:
        seconds: by product and dtype.

    >>> verdict({"matmul": {"float32": 3.0, "float16": 1.0, "bfloat16": 2.0}})
    'mixed_float16 pays (3.0 times as fast): train.distribute(precision="mixed_float16")'
    """
    gains = {d: min(s["float32"] / s[d] for s in seconds.values()) for d in DTYPES[1:]}
    best = max(gains, key=lambda dtype: gains[dtype])
    gain = f"{gains[best]:.1f} times as fast"
    if gains[best] < PAYS:
        return f"mixed precision does not pay ({best}: {gain}): keep float32"
    return f'mixed_{best} pays ({gain}): train.distribute(precision="mixed_{best}")'


Product = Callable[[], tf.Tensor]


def _matmul(size: int) -> dict[str, Product]:
    matrix = tf.random.stateless_uniform((size, size), (0, 0))

    def product(dtype: str) -> Product:
        cast = tf.cast(matrix, dtype)
        return tf.function(lambda: tf.reduce_mean(tf.cast(tf.matmul(cast, cast), tf.float32)))

    return {dtype: product(dtype) for dtype in DTYPES}


def _convolution(size_px: int, num_images: int) -> dict[str, Product]:
    images = tf.random.stateless_uniform((num_images, size_px, size_px, 32), (0, 0))
    kernel = tf.random.stateless_uniform((3, 3, 32, 32), (0, 1))

    def product(dtype: str) -> Product:
        x, w = tf.cast(images, dtype), tf.cast(kernel, dtype)
        return tf.function(
            lambda: tf.reduce_mean(tf.cast(tf.nn.conv2d(x, w, 1, "SAME"), tf.float32))
        )

    return {dtype: product(dtype) for dtype in DTYPES}


def _off(products: dict[str, Product]) -> list[str]:
    """The dtypes whose product is not float32's."""
    expected = products["float32"]().numpy()
    return [d for d, run in products.items() if not np.isclose(run(), expected, rtol=TOLERANCE)]


def _take_turns(products: dict[str, Product]) -> dict[str, float]:
    """The median seconds of each, run A B C A B C ..., after a round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in products}
    for turn in range(TURNS + 1):
        for name, run in products.items():
            started = time.perf_counter()
            run().numpy()  # waits for a GPU
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _row(dtype: str, seconds: list[dict[str, float]]) -> tuple[str, ...]:
    cells = [(1000 * each[dtype], each["float32"] / each[dtype]) for each in seconds]
    return dtype, *(f"{number:.2f}" for pair in cells for number in pair)
