"""Where training runs, and in which precision.

Example:

    with distribute(precision="mixed_float16", seed=0):
        model = ...
"""

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Iterator

import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.errors import RequestError, one_of, received

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
FLOAT16_CAPABILITY = (7, 0)  # the first GPUs with float16 matrix units: Volta


@contextlib.contextmanager
def distribute(
    precision: str = "float32",
    *,
    seed: int | None = None,
    strategy: str | tf.distribute.Strategy = "auto",
) -> Iterator[tf.distribute.Strategy]:
    """Models built in this block are trained where and how the block says.

    Says in one line, on standard error, what was chosen and why. GPUs give memory to TensorFlow
    as it is needed, not all at once.

    Args:
        precision: Keras' dtype policy for the layers made in the block: "float32",
            "mixed_float16" or "mixed_bfloat16". The policy that was set before comes back after.
        seed: for Python's, NumPy's and TensorFlow's random numbers (weights, dropout).
        strategy: "auto" takes MultiWorkerMirroredStrategy where the environment variable
            `TF_CONFIG` is set, MirroredStrategy on all GPUs where there are several, and else
            the one device. Or any strategy of your own.

    Yields:
        The strategy, whose scope the block is in.

    Raises:
        RequestError: there is no such precision or strategy, `TF_CONFIG` is not what TensorFlow
            reads, or TensorFlow is at work already and cannot be told of other workers any more.

    Example:

    >>> with distribute() as strategy:
    ...     strategy.num_replicas_in_sync
    1
    """
    if precision not in PRECISIONS:
        raise RequestError(one_of("precision", precision, PRECISIONS))
    gpus = tf.config.list_physical_devices("GPU")
    note = _let_memory_grow(gpus)
    chosen, where = _choose(strategy, gpus)  # before anything starts TensorFlow
    if seed is not None:
        keras.utils.set_random_seed(seed)
    problem = _float16_problem(gpus) if precision == "mixed_float16" else None
    if problem:
        message = f"mixed_float16 without {problem}: it works, and is slower than float32."
        warnings.warn(message, stacklevel=3)
    print(f"training {where}, in {precision}{note}", file=sys.stderr)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        with chosen.scope():
            yield chosen
    finally:
        keras.config.set_dtype_policy(policy)


def _choose(
    strategy: str | tf.distribute.Strategy, gpus: list[tf.config.PhysicalDevice]
) -> tuple[tf.distribute.Strategy, str]:
    """The strategy, and in words where it trains and why."""
    if isinstance(strategy, tf.distribute.Strategy):
        count = strategy.num_replicas_in_sync
        replicas = f"{count} replica{'s' if count > 1 else ''}"
        return strategy, f"under the {type(strategy).__name__} that was given, {replicas}"
    if strategy != "auto":
        expected = "`strategy` to be 'auto' or a tf.distribute.Strategy"
        raise RequestError(received(expected, strategy=strategy))
    workers = _workers()
    if workers:
        count = f"{workers} worker{'s' if workers > 1 else ''}"
        return _multi_worker(), f"on {count}, as TF_CONFIG says (MultiWorkerMirroredStrategy)"
    if len(gpus) > 1:
        return tf.distribute.MirroredStrategy(), f"on all {len(gpus)} GPUs (MirroredStrategy)"
    # A strategy of one replica would cost time in every step, and change nothing.
    where = "on the only GPU" if gpus else "on the CPU, as there is no GPU"
    return tf.distribute.get_strategy(), where


def _workers() -> int:
    """How many workers `TF_CONFIG` names; 0 where it is not set."""
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return 0
    try:
        config = json.loads(text)
        cluster, task = config.get("cluster", {}), config.get("task", {})
        workers = [*cluster.get("chief", ()), *cluster.get("worker", ())]
        whole = not cluster or (workers and "type" in task and "index" in task)
    except (ValueError, AttributeError, TypeError):
        whole = False
    if not whole:
        expected = (
            "the environment variable TF_CONFIG to be JSON such as "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
        raise RequestError(received(expected, TF_CONFIG=text))
    return len(workers)


def _multi_worker() -> tf.distribute.Strategy:
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise RequestError(
            "TensorFlow is at work already, and cannot be told of other workers any more "
            f"({error}). Enter `distribute` before anything else that uses TensorFlow, "
            "`records.read` included."
        ) from None


def _let_memory_grow(gpus: list[tf.config.PhysicalDevice]) -> str:
    """What to say of it: nothing where it was in time."""
    try:
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:
        return " (TensorFlow had started before, and may have taken all of its memory)"
    return ""


def _float16_problem(gpus: list[tf.config.PhysicalDevice]) -> str | None:
    """What a machine lacks to be quick in float16, if anything."""
    if not gpus:
        return "a GPU"
    found = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    weakest = min(details.get("compute_capability", (0, 0)) for details in found)
    if weakest >= FLOAT16_CAPABILITY:
        return None
    wanted = ".".join(map(str, FLOAT16_CAPABILITY))
    return f"GPUs of compute capability {wanted} (here: {'.'.join(map(str, weakest))})"
