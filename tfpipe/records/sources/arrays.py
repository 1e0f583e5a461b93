"""Images or sequences that are in memory, with labels or targets, as a source.

Example:

    source = arrays(x, y, split=(0.7, 0.2, 0.1), seed=0)
"""

from collections.abc import Iterator, Sequence

import numpy as np

from tfpipe.errors import RequestError, one_of, received
from tfpipe.records.sources.assignment import assign
from tfpipe.records.sources.base import Example, Feature, Source, disk_order
from tfpipe.records.sources.division import as_group, rule
from tfpipe.records.sources.names import numbered_names
from tfpipe.records.sources.splits import Split


def arrays(
    x: np.ndarray,
    y: np.ndarray,
    *,
    kind: str = "image",
    split: Split = (0.7, 0.2, 0.1),
    seed: int = 0,
    group: Sequence[object] | None = None,
    stratify: bool = False,
    class_names: Sequence[str] | None = None,
    name: str = "arrays",
) -> Source:
    """Images or sequences that are in memory (or memory-mapped), with labels or targets.

    Args:
        x: uint8 images, (N, H, W) or (N, H, W, C) with 1 or 3 channels; or floating sequences,
            (N, T) or (N, T, C), which are stored as float32.
        y: integer labels (N,), from 0; or floating targets (N,) or (N, k), which are stored as
            float32.
        kind: what `x` is: "image" or "sequence".
        split: fractions for train and val, or train, val and test, or a dict of them.
        seed: another seed gives another split and another order on disk.
        group: a name or whole number for each example; what is of one group (a patient, say) is
            never divided.
        stratify: whether each class is divided by these fractions (see `assign` in
            `tfpipe.records.sources.assignment`); otherwise chance does it.
        class_names: one name per class; the labels' numbers if None.
        name: the dataset's name.

    Returns:
        A source of `image` or `sequence`, and `label` or `target`. An id is the example's number
        in six digits: "000017".

    Raises:
        RequestError: shapes, dtypes, labels or another argument do not fit this description.

    Example:

    >>> source = arrays(np.zeros((10, 8, 8), np.uint8), np.arange(10) % 2, split=(0.5, 0.5))
    >>> len(list(source)), source.features["image"].shape, source.class_names
    (10, (8, 8, 1), ('0', '1'))
    >>> source = arrays(np.zeros((10, 48, 2)), np.zeros((10, 3)), kind="sequence")
    >>> source.features["sequence"].shape, source.features["target"].shape, source.class_names
    ((48, 2), (3,), ())
    """
    if kind not in _CHECKS:
        raise RequestError(one_of("kind", kind, tuple(_CHECKS)))
    inputs = _CHECKS[kind](x)
    num_examples = len(inputs)
    answers, answer, names = _answers(y, num_examples, class_names, stratify)
    parts = assign(
        map(example_id, range(num_examples)),
        split,
        seed,
        groups=None if group is None else as_array_groups(group, num_examples),
        labels=[(int(label),) for label in answers] if stratify else None,
    )

    def iterate() -> Iterator[Example]:
        for index in disk_order(map(example_id, range(num_examples)), seed):
            yield {
                "id": example_id(index),
                "split": parts[index],
                kind: np.asarray(inputs[index]),  # other libraries' tensors, too
                answer.kind: answers[index].tolist(),
            }

    features = {kind: Feature(kind, tuple(inputs.shape[1:])), answer.kind: answer}
    grouped_by = None if group is None else "the sequence `group`"
    how = rule(split, seed, grouped_by=grouped_by, stratified=stratify)
    return Source(name, features, names, how, iterate)


def example_id(index: int, prefix: str = "") -> str:
    """The id of the example with this number: it does not depend on how many there are.

    >>> example_id(7, "train-")
    'train-000007'
    """
    return f"{prefix}{index:06d}"


def example_ids(num_examples: int, prefix: str = "") -> list[str]:
    """The ids of the first so many examples.

    >>> example_ids(2, "test-")
    ['test-000000', 'test-000001']
    """
    return [example_id(index, prefix) for index in range(num_examples)]


def as_images(x: np.ndarray) -> np.ndarray:
    """Checks an array of images and gives it its channel axis: (N, H, W, C) of uint8."""
    images = x[..., None] if getattr(x, "ndim", 0) == 3 else x
    if getattr(images, "ndim", 0) != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        expected = "`x` to be images of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3), none empty"
        raise RequestError(received(expected, shape=getattr(x, "shape", None)))
    if images.dtype != np.uint8:
        expected = (
            "`x` to be uint8 pixels from 0 to 255 (scale and cast them first; numbers that are no "
            "pixels are kind='sequence')"
        )
        raise RequestError(received(expected, dtype=str(images.dtype)))
    return images


def as_sequences(x: np.ndarray) -> np.ndarray:
    """Checks an array of sequences and gives it its channel axis: floating (N, T, C)."""
    sequences = x[..., None] if getattr(x, "ndim", 0) == 2 else x
    if getattr(sequences, "ndim", 0) != 3 or 0 in sequences.shape:
        expected = "`x` to be sequences of shape (N, T) or (N, T, C), none empty"
        raise RequestError(received(expected, shape=getattr(x, "shape", None)))
    if sequences.dtype.kind != "f":
        expected = "`x` to be floating numbers (scale and cast them first)"
        raise RequestError(received(expected, dtype=str(sequences.dtype)))
    return sequences


def as_labels(y: np.ndarray, num_examples: int) -> np.ndarray:
    """Checks integer labels: one per example, none negative."""
    labels = np.asarray(y)
    if labels.shape != (num_examples,):
        expected = (
            f"`y` to hold one label for each of the {num_examples} examples (of shape (N, 1), pass "
            "y[:, 0]; of one-hot rows, y.argmax(axis=1))"
        )
        raise RequestError(received(expected, shape=labels.shape))
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        expected = (
            "`y` to be integer labels from 0, or floating targets (of names, pass the second of "
            "np.unique(y, return_inverse=True), and the first as `class_names`)"
        )
        least = {"min": labels.min().item()} if labels.dtype.kind in "iu" else {}
        raise RequestError(received(expected, dtype=str(labels.dtype), **least))
    there = np.unique(labels)
    if len(there) <= there[-1]:
        expected = (
            f"`y` to have an example of every class from 0 to {there[-1]} (the second of "
            "np.unique(y, return_inverse=True) numbers those that there are)"
        )
        missing = next(number for number, label in enumerate(there) if number != label)
        raise RequestError(received(expected, missing=missing))
    return labels


def as_targets(y: np.ndarray, num_examples: int) -> np.ndarray:
    """Checks floating targets: a number, or k of them, per example."""
    targets = np.asarray(y)
    if targets.ndim == 2 and targets.size and _are_one_hot(targets):
        expected = "`y` to be integer labels or targets; of one-hot rows, pass y.argmax(axis=1)"
        raise RequestError(received(expected, shape=targets.shape))
    if targets.ndim not in (1, 2) or len(targets) != num_examples or 0 in targets.shape:
        expected = f"`y` to be targets of shape ({num_examples},) or ({num_examples}, k)"
        raise RequestError(received(expected, shape=targets.shape))
    return targets


def _are_one_hot(targets: np.ndarray) -> bool:
    return bool(np.isin(targets, (0, 1)).all() and (targets.sum(axis=1) == 1).all())


def as_array_groups(group: Sequence[object], num_examples: int) -> list[str]:
    """Checks that there is a group for each example."""
    if len(group) != num_examples:
        expected = f"`group` to hold one group for each of the {num_examples} examples"
        raise RequestError(received(expected, length=len(group)))
    return [as_group(value, example_id(index)) for index, value in enumerate(group)]


def _answers(
    y: np.ndarray, num_examples: int, class_names: Sequence[str] | None, stratify: bool
) -> tuple[np.ndarray, Feature, tuple[str, ...]]:
    """Labels or targets by what `y` is, their feature, and the classes' names."""
    if np.asarray(y).dtype.kind != "f":
        labels = as_labels(y, num_examples)
        return labels, Feature("label"), numbered_names(class_names, int(labels.max()))
    if stratify or class_names is not None:
        expected = "`y` to be integer labels where there are `class_names` or `stratify`"
        raise RequestError(received(expected, dtype=str(np.asarray(y).dtype)))
    targets = as_targets(y, num_examples)
    return targets, Feature("target", targets.shape[1:]), ()


_CHECKS = {"image": as_images, "sequence": as_sequences}
