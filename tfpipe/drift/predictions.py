"""Scores as a row of numbers: which class, how sure, and how wrong where the target is known.

Example:

    columns = prediction_rows(scores, "label")      # float32 (N, 2): class, confidence
    wrong = errors(answers(scores, "label"), labels, "label")
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfpipe.errors import RequestError, received

MOST_OUTPUTS = 20  # that get a column each
CLASS, CONFIDENCE = "prediction/class", "prediction/confidence"
LEAST_SCORE = 0.5  # above it, a label, an object, a pixel counts as there, as in export


def task_of(scores: np.ndarray, targets: Any) -> str:
    """What scores stand for: "label", "labels", "target", "mask" or "boxes".

    By the targets where there are any; else by the scores: of two axes, they are a "label" where
    those of each example add up to 1, and a "target" otherwise.
    """
    if scores.ndim > 2:
        task = {3: "boxes", 4: "mask"}.get(scores.ndim, "")
    elif targets is None:
        one = scores.shape[1] > 1 and np.allclose(scores.sum(1), 1, atol=1e-3)
        task = "label" if one else "target"
    elif np.asarray(targets).dtype.kind == "f":
        task = "target"
    else:
        task = "label" if np.asarray(targets).ndim == 1 else "labels"
    if not task:
        expected = "scores (N, K), (N, anchors, 4 + K) or (N, H, W, K)"
        raise RequestError(received(expected, shape=scores.shape))
    return task


def require_scores(scores: np.ndarray, shape: tuple[int, ...], number: int) -> None:
    """Refuses scores of another number or shape than those of the profile, and such as are none."""
    if scores.shape != (number, *shape):
        expected = f"scores of shape ({number}, {', '.join(map(str, shape))}), as in the profile"
        raise RequestError(received(expected, shape=scores.shape))
    if not np.isfinite(scores).all():
        bad = int(np.sum(~np.isfinite(scores)))
        raise RequestError(
            f"Expected finite scores. Received: {bad:,} of {scores.size:,} that are infinite or no "
            "number."
        )


def prediction_names(
    task: str, shape: Sequence[int], class_names: Sequence[str] = ()
) -> tuple[str, ...]:
    """The names of the columns that `prediction_rows` gives.

    >>> prediction_names("label", (10,)), prediction_names("target", (1,))
    (('prediction/class', 'prediction/confidence'), ('prediction/output 0',))
    """
    outputs = range(shape[-1])
    if task == "label":
        names = ["class", "confidence"]
    elif task == "boxes":
        names = ["class", "confidence", "anchors"]
    elif task == "mask":
        names = ["confidence", *(f"area of {_name(o, class_names)}" for o in _areas(shape[-1]))]
    elif len(outputs) > MOST_OUTPUTS:
        names = ["mean", "highest"]
    else:
        word = "score of" if task == "labels" else "output"
        names = [f"{word} {_name(output, class_names)}" for output in outputs]
    return tuple(f"prediction/{name}" for name in names)


def prediction_rows(scores: np.ndarray, task: str) -> np.ndarray:
    """A row per example, float32.

    Of a label, the class and its score; of a detector's anchors, those of the surest one, and how
    many are over 0.5; of a mask, the mean of the pixels' highest scores and each class' share of
    the area; of up to 20 labels or targets, each score, of more their mean and the highest.

    >>> prediction_rows(np.array([[0.1, 0.9]]), "label")
    array([[1. , 0.9]], dtype=float32)
    """
    number = len(scores)
    if task == "label":
        chosen, sure = _chosen(scores)
        columns = [chosen, sure]
    elif task == "boxes":
        of_anchor = scores[..., 4:].max(-1)
        surest = scores[np.arange(number), of_anchor.argmax(1), 4:]
        columns = [surest.argmax(1), surest.max(1), (of_anchor > LEAST_SCORE).sum(1)]
    elif task == "mask":
        chosen, sure = (each.reshape(number, -1) for each in _chosen(scores))
        shares = [(chosen == area).mean(1) for area in _areas(scores.shape[-1])]
        columns = [sure.mean(1), *shares]
    elif scores.shape[1] > MOST_OUTPUTS:
        columns = [scores.mean(1), scores.max(1)]
    else:
        columns = list(scores.T)
    return np.column_stack(columns).astype(np.float32)


def answers(scores: np.ndarray, task: str) -> np.ndarray:
    """What is compared with a target that comes later; small, but for masks."""
    if task in ("label", "mask"):
        return _chosen(scores)[0]
    return scores > LEAST_SCORE if task == "labels" else scores


def errors(answered: np.ndarray, targets: Any, task: str) -> np.ndarray:
    """How wrong each answer is, float32 (N,).

    Of a label 0 or 1; the share of wrong labels, or of wrong pixels; of targets the mean distance.
    Of boxes nothing is known.

    >>> errors(np.array([1, 2]), [1, 0], "label").tolist()
    [0.0, 1.0]
    """
    number = len(answered)
    if task == "boxes":
        return np.full(number, np.nan, np.float32)
    given = np.asarray(targets).reshape(number, -1) if len(targets) == number else np.empty((0, 0))
    answered = answered.reshape(number, -1)
    if given.shape != answered.shape:
        expected = f"a target of {answered.shape[1]} for each of {number} examples"
        raise RequestError(received(expected, shape=np.shape(targets)))
    wrong = np.abs(answered - given) if task == "target" else answered != given
    return wrong.mean(1).astype(np.float32)


def _chosen(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class and its score; one score alone is that of the second of two classes."""
    if scores.shape[-1] == 1:
        second = scores[..., 0]
        return (second > LEAST_SCORE).astype(int), np.maximum(second, 1 - second)
    return scores.argmax(-1), scores.max(-1)


def _areas(num_outputs: int) -> range:
    return range(min(max(num_outputs, 2), MOST_OUTPUTS))


def _name(place: int, class_names: Sequence[str]) -> str:
    return class_names[place] if place < len(class_names) else str(place)
