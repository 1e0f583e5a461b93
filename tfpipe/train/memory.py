"""What to try where a step does not fit into memory."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tfpipe.errors import RequestError


@contextlib.contextmanager
def explained(dataset: tf.data.Dataset, accumulate: int) -> Iterator[None]:
    """Turns TensorFlow's out-of-memory error into advice.

    Raises:
        RequestError: says which batch size and `accumulate` make the same step of smaller parts.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        batch_size = int(tf.shape(tf.nest.flatten(next(iter(dataset)))[0])[0])
        raise RequestError(advice(batch_size, accumulate, error.message)) from error


def advice(batch_size: int, accumulate: int, problem: str) -> str:
    """The sentence.

    >>> advice(64, 1, "OOM when allocating a tensor")
    'There is not enough memory for a batch of 64 (OOM when allocating a tensor). Try batches of
    32 and accumulate=2: the steps are the same, and need about half the memory.'
    """
    reason = problem.split("\n")[0]
    if batch_size == 1:
        return (
            f"There is not enough memory for a batch of one example ({reason}). Try smaller "
            "inputs, a smaller model, or precision='mixed_bfloat16'."
        )
    return (
        f"There is not enough memory for a batch of {batch_size} ({reason}). Try batches of "
        f"{batch_size // 2} and accumulate={2 * accumulate}: the steps are the same, and need "
        "about half the memory."
    )
