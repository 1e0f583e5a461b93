"""The checks that find most mistakes before a long training, as one call.

Example:

    print(check(model, train, picture="batch.png"))
"""

import dataclasses
import functools
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.backend import keras
from tfpipe.files import Path, write_bytes
from tfpipe.report import grid
from tfpipe.train import compiling, data, labels, refusals, taken
from tfpipe.train.finite import is_finite
from tfpipe.train.learning import learning

MOST_IMAGES = 16


@dataclasses.dataclass(frozen=True)
class Checked:
    """What `check` has found; prints as a list.

    Attributes:
        facts: what was looked at, in words.
        problems: what is probably wrong, in words; empty if nothing is.
        picture: the batch's images with their targets, PNG bytes; None if they are no images.

    Example:

    >>> print(Checked(("inputs: (8, 4) float32, from 0 to 1",), (), None))
    inputs: (8, 4) float32, from 0 to 1
    no problem found
    """

    facts: tuple[str, ...]
    problems: tuple[str, ...]
    picture: bytes | None = dataclasses.field(repr=False)

    def __str__(self) -> str:
        verdict = [f"problem: {problem}" for problem in self.problems] or ["no problem found"]
        return "\n".join([*self.facts, *verdict])


def check(model: keras.Model, train: tf.data.Dataset, *, picture: Path | None = None) -> Checked:
    """Looks at one batch, and whether the model can learn it.

    What do the inputs and targets look like; is the first loss that of a guess, of all classes
    the same probability (cross-entropy: -log(1/classes)), where the model ends in a softmax or a
    sigmoid; are outputs and targets what the loss takes; does every weight have a gradient, and
    is it finite; does Adam on this batch alone make the loss fall to a fifth, in 100 steps or for
    as long as it falls (one that ends above a half is told; what soft targets, such as smoothed
    or mixed labels, leave in any case is taken off before; a loss that begins below 0 has no known
    least, and need only fall). The model's weights and seeds are put back.

    Source: Karpathy, "A Recipe for Training Neural Networks", 2019.

    Args:
        model: built in the place where it will train; compiled, or a classifier with a softmax.
        train: batches of (inputs, targets) or with sample weights; one pass is begun.
        picture: a `.png` file for the batch's images.

    Returns:
        What was found.

    Raises:
        RequestError: what `fit` would refuse.

    Example:

    >>> from tfpipe.models import lenet5
    >>> x = tf.random.stateless_uniform((8, 32, 32, 1), seed=(1, 1))
    >>> batches = tf.data.Dataset.from_tensor_slices((x, tf.range(8))).batch(8)
    >>> check(lenet5(), batches).facts[0]
    'inputs: (8, 32, 32, 1) float32, from 2.837e-05 to 0.9999'
    """
    opened = data.opened("train", train, 0, 0)
    refusals.check_inputs("train", model, opened.spec)
    with model.distribute_strategy.scope():
        compiling.compile_model(model, loss=None, optimizer=None, metrics=None)
        compiling.build(model, opened.spec)
    refusals.check_model(model, opened.spec, split=False)
    num_classes, ignored = refusals.classes(model, opened.spec)
    checks = [] if num_classes is None else [labels.check_labels(num_classes, ignored)]
    with labels.explained():
        first = functools.reduce(lambda dataset, change: change(dataset), checks, opened.dataset)
        batch = (*next(iter(first)), None)[:3]
    before = [keras.ops.convert_to_numpy(variable) for variable in model.variables]
    try:
        problems = taken.problems(model, batch)
        facts, others = learning(model, batch)
    finally:
        for variable, value in zip(model.variables, before, strict=True):
            variable.assign(value)
    problems = [*_batch_problems(batch, taken.normalises(model)), *problems, *others]
    png = _picture(batch)
    if picture is not None and png is not None:
        write_bytes(picture, png)
    return Checked((*_batch_facts(batch), *facts), tuple(problems), png)


def _batch_facts(batch: tuple[Any, ...]) -> list[str]:
    facts = []
    for name, part in zip(("inputs", "targets", "sample weights"), batch, strict=True):
        for value in _tensors(part):
            facts.append(f"{name}: {_shown(value)}")
    return facts


def _tensors(part: Any) -> list[tf.Tensor]:
    values = [value for value in tf.nest.flatten(part) if value is not None]
    return [tf.sparse.to_dense(v) if isinstance(v, tf.SparseTensor) else v for v in values]


def _shown(value: tf.Tensor) -> str:
    words = f"{tuple(value.shape)} {value.dtype.name}"
    if value.dtype == tf.string:
        return f"{words}, such as {value.numpy().reshape(-1)[0]!r}"
    array = value.numpy()
    words += f", from {array.min():.4g} to {array.max():.4g}"
    if value.dtype.is_integer and len(np.unique(array)) <= 20:
        values, counts = np.unique(array, return_counts=True)
        words += ": " + ", ".join(f"{n} x {v}" for v, n in zip(values, counts, strict=True))
    return words


def _batch_problems(batch: tuple[Any, ...], normalised: bool) -> list[str]:
    problems = []
    for value in _tensors(data.model_inputs(batch[0])):
        if not is_finite(value):
            problems.append("inputs are not finite")
        elif not normalised and _is_large(value):
            problems.append("inputs are large: scale them to about -1 to 1")
        elif value.shape[0] == 1 or value.dtype == tf.string:
            continue
        elif bool(tf.reduce_all(value == value[:1])):
            problems.append("all inputs of the batch are the same")
    (target, *_) = _tensors(batch[1])
    if target.shape[0] > 1 and bool(tf.reduce_all(target == target[:1])):
        problems.append("all targets of the batch are the same: is the order shuffled?")
    return problems


def _is_large(value: tf.Tensor) -> bool:
    """Of floats, and of bytes as images have them; other whole numbers may be tokens."""
    numbers = value.dtype.is_floating or value.dtype == tf.uint8
    return numbers and float(tf.reduce_max(tf.abs(tf.cast(value, tf.float32)))) > 30


def _picture(batch: tuple[Any, ...]) -> bytes | None:
    images, targets = _tensors(data.model_inputs(batch[0]))[0], _tensors(batch[1])[0]
    if images.shape.rank != 4 or images.shape[-1] not in (1, 3):
        return None
    values = np.nan_to_num(images[:MOST_IMAGES].numpy().astype(np.float32))
    low, high = values.min(), values.max()
    shown = ((values - low) * (255 / max(high - low, 1e-6))).round().astype(np.uint8)
    small = targets.shape.rank <= 2
    captions = [str(t.numpy()) if small else "" for t in targets[:MOST_IMAGES]]
    return grid(shown, captions)
