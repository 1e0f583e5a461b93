"""From measured numbers to those that a recurrent model learns well."""

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError, received
from tfpipe.ops.arguments import is_number, is_whole
from tfpipe.ops.base import Example, Op


@dataclasses.dataclass(frozen=True)
class Standardize(Op):
    """Subtracts each column's mean and divides by its standard deviation: float32 in and out.

    Args:
        mean: one number for each column of the sequences.
        std: as many numbers; `records.moments(manifest)` gives both, of the train split alone.
        target: the columns that the example's `target` continues, one for each of its numbers:
            it is changed as they are. None leaves it as it is.

    Raises:
        RequestError: `mean` and `std` do not fit each other, a deviation is not positive, or
            `target` names no columns; when it runs, a sequence has another number of columns.

    Example:

    >>> op = Standardize((10.0, 0.5), (2.0, 0.5), target=(0,))
    >>> example = op({"sequence": tf.constant([[12.0, 0.0], [8.0, 1.0]]), "target": 14.0})
    >>> example["sequence"].numpy().tolist(), float(example["target"])
    ([[1.0, -1.0], [-1.0, 1.0]], 2.0)
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    target: tuple[int, ...] | None = None
    on: ClassVar[str] = "sequence"
    takes: ClassVar[str] = "sequence"
    gives: ClassVar[str] = "sequence"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, values in (("mean", self.mean), ("std", self.std)):
            if not isinstance(values, tuple) or not values or not all(map(is_number, values)):
                expected = f"`{name}` to hold a number per column, as (0.5,)"
                raise RequestError(received(expected, **{name: values}))
        if len(self.mean) != len(self.std):
            expected = "`mean` and `std` to hold as many numbers as each other"
            raise RequestError(received(expected, mean=self.mean, std=self.std))
        if not all(1e-30 <= value <= 1e30 for value in self.std):
            expected = "`std` to be positive (leave a column out whose values are all the same)"
            raise RequestError(received(expected, std=self.std))
        self._require_target()

    def run(self, example: Example) -> Example:
        """Changes the sequence, and the target if it has columns."""
        columns = range(len(self.mean))
        changed = {**example, "sequence": self._standard(example["sequence"], columns)}
        if self.target is not None and "target" in example:
            given = tf.convert_to_tensor(example["target"])
            changed["target"] = tf.reshape(self._standard(given, self.target), tf.shape(given))
        return changed

    def restored(self, target: np.ndarray) -> np.ndarray:
        """Targets, or a model's forecasts of them, in the units of the data: (N, k) or (N,).

        >>> Standardize((10.0,), (2.0,), target=(0,)).restored(np.array([2.0]))
        array([14.])
        """
        if self.target is None:
            return target
        mean, std = (
            np.array([numbers[column] for column in self.target])
            for numbers in (self.mean, self.std)
        )
        return (target.reshape(len(target), -1) * std + mean).reshape(target.shape)

    def _standard(self, values: tf.Tensor, columns: range | tuple[int, ...]) -> tf.Tensor:
        if values.shape.rank > 1 and values.shape[-1] != len(columns):
            raise RequestError(
                f"{self!r} expected {len(columns)} columns. Received: shape {values.shape}"
            )
        mean, std = (
            tf.constant([numbers[column] for column in columns], tf.float32)
            for numbers in (self.mean, self.std)
        )
        return (values - mean) / std

    def _require_target(self) -> None:
        known = range(len(self.mean))
        given = self.target
        if given is None:
            return
        good = (
            isinstance(given, tuple) and given and all(is_whole(c, 0) and c in known for c in given)
        )
        if not good:
            expected = f"`target` to hold columns from 0 to {len(known) - 1}, or None"
            raise RequestError(received(expected, target=given))
