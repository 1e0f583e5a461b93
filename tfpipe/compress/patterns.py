"""Where zeros may lie: anywhere, in n of m consecutive inputs, or in whole blocks.

A kernel is looked at as a matrix of inputs x outputs.

- "2:4" (and other "n:m"): of every 4 consecutive inputs of an output at most 2 weights are not
  zero. It is along the inputs because that is the axis which a matrix product sums over: sparse
  tensor cores skip the zeros of a sum (Mishra et al., "Accelerating sparse deep neural networks",
  2021), and it is the last axis, the contiguous one, of the (outputs, height, width, inputs) of a
  TFLite file. The two smallest are left out once, after the first update.
- (rows, columns), such as (1, 4): whole blocks of the matrix, by the mean of their magnitudes.
  (1, 4) is 4 outputs of one input, which XNNPACK's sparse kernels read at once (Elsen et al.,
  "Fast sparse convnets", 2020).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.compress.kernels import Kernel, Layers, chosen
from tfpipe.compress.tfmot import load_pruning_impl
from tfpipe.errors import RequestError, received

Pattern = str | tuple[int, int]

# Their kernels end in (inputs, outputs).
MATRICES = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.LSTMCell,
    keras.layers.GRUCell,
    keras.layers.SimpleRNNCell,
)


def groups(pattern: Pattern) -> tuple[int, int] | None:
    """The n and m of a pattern "n:m"; None if it is another.

    >>> groups("2:4")
    (2, 4)
    """
    found = re.fullmatch(r"(\d+):(\d+)", pattern) if isinstance(pattern, str) else None
    return (int(found[1]), int(found[2])) if found else None


def block(pattern: Pattern) -> tuple[int, int]:
    """The rows and columns of a pattern's block; (1, 1) if it is another.

    >>> block((1, 4))
    (1, 4)
    """
    return (1, 1) if isinstance(pattern, str) else pattern


def check_pattern(pattern: Pattern) -> None:
    """Refuses what is no pattern."""
    n_m, is_block = groups(pattern), isinstance(pattern, tuple) and len(pattern) == 2
    if pattern == "element" or (n_m and 0 < n_m[0] < n_m[1]):
        return
    if is_block and all(isinstance(side, int) and side > 0 for side in pattern):
        return
    expected = "`pattern` to be 'element', 'n:m' such as '2:4', or a block's (rows, columns)"
    raise RequestError(received(expected, pattern=pattern))


def require_fitting(kernels: Mapping[str, Kernel], pattern: Pattern) -> None:
    """Refuses kernels that are no matrices of inputs and outputs."""
    if pattern == "element":
        return
    names = {kernel.layer.name: True for kernel in kernels.values()}
    for kernel in kernels.values():
        names[kernel.layer.name] &= isinstance(kernel.part, MATRICES)
    if not all(names.values()):
        bad, good = ([name for name in names if names[name] is fits] for fits in (False, True))
        raise RequestError(
            f"The kernels of {', '.join(map(repr, bad))} cannot have the pattern {pattern!r}: it "
            f"is for Dense, Conv and recurrent layers. Choose `layers={good}`, or fewer."
        )


def masker(
    pattern: Pattern, schedule: Any, step: Callable[[], tf.Tensor]
) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function of a kernel to its mask, 1 where a weight stays, by tfmot's arithmetic."""
    n_m = groups(pattern)
    pruning = load_pruning_impl().Pruning(
        training_step_fn=step,
        pruning_vars=[],
        pruning_schedule=schedule,
        block_size=(1, 1),
        block_pooling_type="AVG",
        sparsity_m_by_n=(n_m[1] - n_m[0], n_m[1]) if n_m else None,  # tfmot names the zeros
    )

    def mask(kernel: tf.Tensor) -> tf.Tensor:
        """By single weights, by n of m along the inputs, or by blocks."""
        if pattern == "element":
            found = pruning._update_mask(kernel)[1]
        elif n_m:
            inputs_first = tf.experimental.numpy.moveaxis(kernel, -2, 0)
            matrix = tf.reshape(inputs_first, (inputs_first.shape[0], -1))
            found = tf.reshape(pruning._maybe_update_block_mask(matrix)[1], inputs_first.shape)
            found = tf.experimental.numpy.moveaxis(found, 0, -2)
        else:
            matrix = tf.abs(tf.reshape(kernel, (-1, kernel.shape[-1])))
            kept = pruning._update_mask(_block_means(matrix, block(pattern)))[1]
            for axis, side in enumerate(block(pattern)):
                kept = tf.repeat(kept, side, axis)
            found = tf.reshape(kept[: matrix.shape[0], : matrix.shape[1]], kernel.shape)
        return tf.cast(found, kernel.dtype)

    return mask


def has_pattern(model: keras.Model, pattern: Pattern, *, layers: Layers = "all") -> dict[str, bool]:
    """Whether the zeros of each kernel lie as a pattern says.

    Args:
        model: any.
        pattern: "n:m", such as "2:4": at most n of m consecutive inputs of an output are not
            zero. A block's (rows, columns): every zero lies in a block of zeros. "element": True.
        layers: as `prune` takes them.

    Returns:
        By the kernel's path.

    Raises:
        RequestError: as `prune`, for `pattern` and `layers`.

    >>> pixels = keras.Input((4,))
    >>> model = keras.Model(pixels, keras.layers.Dense(2, name="dense")(pixels))
    >>> model.get_layer("dense").kernel.assign([[0, 0], [2, 2], [0, 3], [4, 4]])
    <...>
    >>> has_pattern(model, "2:4")  # the second output has 3 inputs
    {'dense/kernel': False}
    """
    check_pattern(pattern)
    found = chosen(model, layers)
    require_fitting(found, pattern)
    return {
        path: _holds(keras.ops.convert_to_numpy(kernel.variable), pattern)
        for path, kernel in found.items()
    }


def _block_means(matrix: tf.Tensor, block: tuple[int, int]) -> tf.Tensor:
    """The mean of each block; those at the ends may be smaller.

    tfmot's own pooling pads both sides, and so takes the means of other blocks than it masks.
    """
    height, width = block
    rows, columns = (-(-size // side) for size, side in zip(matrix.shape, block, strict=True))
    ends = [[0, rows * height - matrix.shape[0]], [0, columns * width - matrix.shape[1]]]
    sums, counts = (
        tf.reduce_sum(tf.reshape(tf.pad(part, ends), (rows, height, columns, width)), (1, 3))
        for part in (matrix, tf.ones_like(matrix))
    )
    return sums / counts


def _holds(kernel: npt.NDArray[Any], pattern: Pattern) -> bool:
    if pattern == "element":
        return True
    n_m, used = groups(pattern), kernel != 0
    if n_m:
        rows = np.moveaxis(used, -2, -1)
        counts = np.add.reduceat(rows, range(0, rows.shape[-1], n_m[1]), axis=-1, dtype=int)
        return bool((counts <= n_m[0]).all())
    height, width = block(pattern)
    matrix = used.reshape(-1, used.shape[-1])
    blocks = np.logical_or.reduceat(matrix, range(0, matrix.shape[0], height), axis=0)
    blocks = np.logical_or.reduceat(blocks, range(0, matrix.shape[1], width), axis=1)
    expanded = blocks.repeat(height, axis=0).repeat(width, axis=1)
    return bool((matrix == expanded[: matrix.shape[0], : matrix.shape[1]]).all())
