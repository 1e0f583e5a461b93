"""The two ends of a model file: what may go in and come out, and the integers that stand for it.

Example:

    require_ends("a.tflite", [(1, 32, 32, 1)], [((1, 10), "float32")])
"""

from collections.abc import Sequence

import numpy as np

from tfpipe.errors import DataError
from tfpipe.files import Path

Shape = Sequence[int | None]

_AXES = (2, 3, 4)  # of a batch of tokens or features, sequences, images


def require_ends(file: Path, inputs: Sequence[Shape], outputs: Sequence[tuple[Shape, str]]) -> None:
    """Refuses a file that a `Predictor` cannot run.

    Args:
        file: its path.
        inputs: the shapes of its inputs, with the batch's axis.
        outputs: the shapes of its outputs, and the dtypes in which they stand for scores.

    Raises:
        DataError: it has several inputs or outputs, takes no examples of a known and fixed size,
            or gives no scores in float32.
    """
    if len(inputs) != 1 or len(outputs) != 1 or len(inputs[0]) not in _AXES:
        raise DataError(
            file,
            "expected one input, a batch of images, sequences, tokens or features, and one "
            f"output, found inputs of {_listed(inputs)} and outputs of "
            f"{_listed([shape for shape, _ in outputs])}",
        )
    ((number, *size),), ((gives, dtype),) = inputs, outputs
    if number not in (None, 1):
        raise DataError(file, f"expected any number of examples or one, found {number} at once")
    if None in size:
        raise DataError(file, f"expected examples of one size, found {tuple(inputs[0])}")
    if dtype != "float32":
        raise DataError(file, f"expected scores in float32, found {dtype}")
    if len(gives) < 2:
        raise DataError(file, f"expected scores of two axes or more, found {tuple(gives)}")


def quantised(values: np.ndarray, dtype: str, scale: float, zero_point: int) -> np.ndarray:
    """The integers that stand for numbers; what they cannot reach becomes the nearest of them.

    Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", CVPR 2018, equation 1.

    >>> quantised(np.array([0.0, 1.0, 9.0]), "int8", 0.0078125, -128)
    array([-128,    0,  127], dtype=int8)
    """
    limits = np.iinfo(dtype)
    steps = np.rint(values / np.float32(scale)) + zero_point
    return np.clip(steps, limits.min, limits.max).astype(dtype)


def real(integers: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """The float32 numbers that integers stand for.

    >>> real(np.array([-128, 0, 127], np.int8), 0.0078125, -128).tolist()
    [0.0, 1.0, 1.9921875]
    """
    return (integers.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


def _listed(shapes: Sequence[Shape]) -> str:
    return " and ".join(str(tuple(shape)) for shape in shapes) or "none"
