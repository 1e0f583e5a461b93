"""Where training runs, and in which precision.

Example:

    with distribute(precision="mixed_float16", seed=0):
        model = ...
"""

import contextlib
import sys
import warnings
from collections.abc import Iterator

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@contextlib.contextmanager
def distribute(
    precision: str = "float32", *, seed: int | None = None
) -> Iterator[tf.distribute.Strategy]:
    """Models built in this block are trained by MirroredStrategy: on all GPUs, or else the CPU.

    Says in one line, on standard error, what was chosen.

    Args:
        precision: Keras' dtype policy for the layers made in the block: "float32",
            "mixed_float16" or "mixed_bfloat16". The policy that was set before comes back after.
        seed: for Python's, NumPy's and TensorFlow's random numbers (weights, dropout).

    Yields:
        The strategy, whose scope the block is in.

    Raises:
        RequestError: there is no such precision.

    Example:

    >>> with distribute() as strategy:
    ...     type(strategy).__name__
    'MirroredStrategy'
    """
    if precision not in PRECISIONS:
        raise RequestError(one_of("precision", precision, PRECISIONS))
    if seed is not None:
        keras.utils.set_random_seed(seed)
    gpus = tf.config.list_physical_devices("GPU")
    if precision == "mixed_float16" and not gpus:
        warnings.warn(
            "mixed_float16 without a GPU: it works, and is slower than float32.", stacklevel=3
        )
    strategy = tf.distribute.MirroredStrategy()
    print(_chosen(strategy, gpus, precision), file=sys.stderr)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        with strategy.scope():
            yield strategy
    finally:
        keras.config.set_dtype_policy(policy)


def _chosen(
    strategy: tf.distribute.Strategy, gpus: list[tf.config.PhysicalDevice], precision: str
) -> str:
    count = strategy.num_replicas_in_sync
    devices = f"{count} GPU{'s' if count > 1 else ''}" if gpus else "the CPU, as there is no GPU"
    return f"training on {devices}, in {precision}"
