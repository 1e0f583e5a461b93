"""Runs predictors over a whole split, and keeps of every example what is asked of it later.

The inputs pass by in batches and are never all in memory; of masks, not even the scores are.

Example:

    task, expected, (found,) = run_all(reference, [load("out/int8.tflite")], data)
    np.flatnonzero(found.agreement < 1)        # the examples on which the file disagrees
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfpipe.errors import RequestError
from tfpipe.export.reading.predictor import Predictor
from tfpipe.export.scoring.scores import Score, Task, choose
from tfpipe.untuned import untuned

TOLERANCE = 0.05  # of the targets' standard deviation: two predictions of numbers agree


@dataclasses.dataclass(frozen=True)
class Answers:
    """What a predictor made of every example, in the order of the data.

    Args:
        name: the predictor's.
        answers: classes (N,), yes or no (N,) or (N, labels), or the scores themselves where the
            targets are numbers; None for masks, which are too large, and for boxes.
        targets: what is right, as the data have it; None for masks and boxes.
        agreement: float64 (N,), the share of an example's answers that are the reference's: 0 or
            1 for a class, the share of labels, of a mask's pixels, of boxes that both have; for
            numbers 1 where none differs by more than a twentieth of the targets' standard
            deviation.
        max_abs_diff: float64 (N,), the largest difference from the reference's scores.
        mean_abs_diff: float64 (N,), the mean difference.
        rows: what the task scores, (N, K).
        infinite: bool (N,), not all scores are finite; they count as 0, and as no difference.
        constant: all examples have the same scores.
        one_answer: all examples, or all pixels of all masks, have the same class, or no example
            has a box; not of labels.

    Example:

    >>> from tfpipe import export
    >>> from tfpipe.backend import keras
    >>> x = keras.Input((2,))
    >>> model = keras.Model(x, keras.layers.Softmax()(x), name="largest")
    >>> data = tf.data.Dataset.from_tensors((tf.eye(2), [0, 1]))
    >>> _, (answers,) = export.examine(export.from_keras(model), [], data)
    >>> answers.answers.tolist(), answers.agreement.tolist(), answers.one_answer
    ([0, 1], [1.0, 1.0], False)
    """

    name: str
    answers: np.ndarray | None
    targets: np.ndarray | None
    agreement: np.ndarray
    max_abs_diff: np.ndarray
    mean_abs_diff: np.ndarray
    rows: np.ndarray
    infinite: np.ndarray
    constant: bool
    one_answer: bool


def run_all(
    reference: Predictor,
    predictors: Sequence[Predictor],
    data: tf.data.Dataset,
    score: str | Score = "auto",
) -> tuple[Task, Answers, tuple[Answers, ...]]:
    """Runs the reference and every predictor on every batch.

    Args:
        reference: what the others are compared with.
        predictors: that take what the reference takes.
        data: batches of (inputs, targets), in an order that does not change.
        score: "auto", or a function of (scores, targets); see `scores.choose`.

    Returns:
        The task, the reference's answers, and the others', in their order.

    Raises:
        RequestError: there are fewer than two examples, inputs or targets do not fit, or the
            reference's scores are not finite.
    """
    task: Task | None = None
    kept: list[list[dict[str, Any]]] = [[] for _ in range(1 + len(predictors))]
    for inputs, targets in _pairs(data):
        expected = _finite(reference, reference.predict(inputs))
        task = task or choose(score, expected, targets)
        for place, predictor in enumerate((reference, *predictors)):
            scores = predictor.predict(inputs) if place else expected
            _require_same(predictor, scores, reference, expected)
            kept[place].append(_compared(task, scores, expected, targets))
    number = sum(len(part["rows"]) for part in kept[0])
    if task is None or number < 2:
        found = "one" if number else "none"
        raise RequestError(
            f"Expected `data` to hold at least two examples to verify with. Received: {found}."
        )
    first, *others = (
        _joined(task, predictor.name, parts)
        for predictor, parts in zip((reference, *predictors), kept, strict=True)
    )
    return task, first, tuple(others)


def _pairs(data: tf.data.Dataset) -> Any:
    """The batches as NumPy arrays, looked at before anything runs."""
    spec = data.element_spec
    if not (isinstance(spec, tuple) and len(spec) == 2 and isinstance(spec[1], tf.TensorSpec)):
        raise RequestError(
            "Expected `data` to hold batches of (inputs, targets), one tensor each; of boxes and "
            f"classes `data.map(models.box_targets)` makes one. Received: {spec}"
        )
    return untuned(data).as_numpy_iterator()


def _finite(reference: Predictor, scores: np.ndarray) -> np.ndarray:
    if not np.isfinite(scores).all():
        raise RequestError(
            f"Expected a reference whose scores are finite. {reference.name} gives infinite ones, "
            "or none; nothing can be compared with that."
        )
    return scores


def _require_same(
    predictor: Predictor, scores: np.ndarray, reference: Predictor, expected: np.ndarray
) -> None:
    if scores.shape != expected.shape:
        raise RequestError(
            f"Expected {predictor.name} to give scores of shape {expected.shape}, as "
            f"{reference.name} does. Received: {scores.shape}"
        )


def _compared(
    task: Task, scores: np.ndarray, expected: np.ndarray, targets: np.ndarray
) -> dict[str, Any]:
    """What is kept of one batch."""
    flat = (len(scores), -1)
    finite = np.isfinite(scores).reshape(flat).all(1)
    diffs = np.abs(np.where(np.isfinite(scores), scores - expected, 0)).reshape(flat)
    scores = np.nan_to_num(scores, posinf=0, neginf=0)
    said, wanted = (task.answers(s) if task.answers else s for s in (scores, expected))
    equal = np.mean((said == wanted).reshape(flat), axis=1)
    return {
        "answers": said if task.kept else None,
        "targets": targets if task.kept else None,
        "agreement": task.agreement(scores, expected) if task.agreement else equal,
        "max_abs_diff": diffs.max(1).astype(np.float64),
        "mean_abs_diff": diffs.mean(1, dtype=np.float64),
        "rows": task.rows(scores, targets),
        "infinite": ~finite,
        "scores": scores[:1] if (scores == scores[:1]).all() else None,
        # Of labels, each has an answer of its own, and rare ones have no other than "no".
        "classes": np.unique(said)[:2] if task.answers and said.ndim != 2 else None,
    }


def _joined(task: Task, name: str, parts: list[dict[str, Any]]) -> Answers:
    whole: dict[str, Any] = {
        key: None if parts[0][key] is None else np.concatenate([part[key] for part in parts])
        for key in parts[0]
        if key != "scores"
    }
    classes = whole.pop("classes")
    if task.answers is None:
        near = TOLERANCE * np.std(whole["targets"])
        whole["agreement"] = (whole["max_abs_diff"] <= near).astype(np.float64)
    scores = [part["scores"] for part in parts]
    return Answers(
        name=name,
        constant=all(s is not None and np.array_equal(s, scores[0]) for s in scores),
        one_answer=classes is not None and len(np.unique(classes)) == 1,
        **whole,
    )
